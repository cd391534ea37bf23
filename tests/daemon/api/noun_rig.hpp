// A router over fakes, without sockets: one request in, its answer and what was logged out.
#pragma once

#include <optional>
#include <sstream>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <spdlog/sinks/ostream_sink.h>

#include "api/router.hpp"
#include "fake_calls.hpp"
#include "log.hpp"
#include "rig.hpp"

namespace cc::test {

/// The keys are make_config()'s. A test sets `nouns` and calls build().
struct NounRig {
  NounRig() { log().sinks().push_back(std::make_shared<spdlog::sinks::ostream_sink_mt>(logged)); }
  ~NounRig() { log().sinks().pop_back(); }
  NounRig(const NounRig&) = delete;
  NounRig& operator=(const NounRig&) = delete;

  void build() { router.emplace(calls, health, metrics, clock, config.tenants, nouns); }

  api::Response ask(const std::string& method, const std::string& target,
                    const std::string& body = {}, const std::string& key = "admin") {
    request = {};
    request.id = "request-1";
    request.method = method;
    request.target = target;
    request.headers.emplace_back("authorization", "Bearer " + key + "-key");
    if (!body.empty()) request.headers.emplace_back("content-type", "application/json");
    request.body = body;
    api::Answer answer;
    asio::io_context loop;
    const auto all = [&]() -> asio::awaitable<void> { answer = co_await router->answer(request); };
    asio::co_spawn(loop, all(), asio::detached);
    loop.run();
    trace = answer.trace;
    return answer.response;
  }

  FakeCalls calls;
  FakeHealth health;
  Metrics metrics;
  StillClock clock;
  Config config = make_config();
  api::Nouns nouns;
  std::optional<api::Router> router;
  std::ostringstream logged;
  api::Request request;
  api::Trace trace;
};

inline boost::json::object document(const api::Response& response) {
  return boost::json::parse(response.body).as_object();
}

/// The last part of a problem's type, "line-busy".
inline std::string problem(const api::Response& response) {
  BOOST_TEST(response.content_type == "application/problem+json", response.body);
  const std::string type(document(response).at("type").as_string());
  return type.substr(type.rfind('/') + 1);
}

/// The names in invalidParams, "a b".
inline std::string invalid(const api::Response& response) {
  std::string names;
  const boost::json::object whole = document(response);
  for (const boost::json::value& item : whole.at("invalidParams").as_array()) {
    names += (names.empty() ? "" : " ") + std::string(item.at("name").as_string());
  }
  return names;
}

inline bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace cc::test
