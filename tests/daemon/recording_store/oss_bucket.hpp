// A bucket of tests/oss, and an OSS store that is set against it.
#pragma once

#include <climits>
#include <functional>

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "fixture.hpp"
#include "io/http_client.hpp"
#include "recording/oss_store.hpp"

namespace cc::test {

namespace json = boost::json;

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct OssBucket {
  static constexpr std::size_t part = 102'400;  // OSS's least
  std::string name = "tenant_1/2026/11/23/7260123456789.mp3";

  OssBucket() { start({}); }

  void start(const std::vector<std::string>& options) {
    process.reset();
    const std::string output = folder.file("output" + std::to_string(++starts));
    Launch launch;
    launch.command = {"/usr/bin/env",
                      "node",
                      CC_OSS_SIMULATOR,
                      "--port",
                      "0",
                      "--data",
                      folder.path(),
                      "--bucket",
                      "calls",
                      "--region",
                      "cn-hangzhou",
                      "--access-key-id",
                      "LTAI-test",
                      "--access-key-secret",
                      "hush-hush"};
    launch.command.insert(launch.command.end(), options.begin(), options.end());
    launch.output = output;
    process.emplace(launch);
    BOOST_REQUIRE(
        eventually([&] { return process->running() && contains(read_file(output), "\n"); }));
    const json::object line = json::parse(read_file(output)).as_object();
    port = std::to_string(line.at("port").to_number<int>());
    control_port = std::to_string(line.at("control").to_number<int>());
    account.endpoint = "http://127.0.0.1:" + port;
    account.bucket = "calls";
    account.region = "cn-hangzhou";
    account.prefix = "cc/";
    account.path_style = true;
    account.access_key_id = "LTAI-test";
    account.access_key_secret = "hush-hush";
    account.part = part;
    store.reset();
  }

  OssStore& the_store() {
    if (!store) store.emplace(account, std::chrono::seconds{20}, http, clock);
    return *store;
  }

  // What is asked of the simulator itself.
  json::object control(const std::string& method, const std::string& path,
                       const json::object& body = {}) {
    HttpRequest request;
    request.method = method;
    request.url = "http://127.0.0.1:" + control_port + "/_control/" + path;
    if (!body.empty()) request.body = json::serialize(body);
    const HttpExchange exchange = perform(std::move(request));
    BOOST_REQUIRE_MESSAGE(exchange.status == 200, exchange.problem + exchange.body);
    return json::parse(exchange.body).as_object();
  }
  void fault(json::object what) { control("POST", "faults", what); }
  json::array objects() { return control("GET", "objects").at("objects").as_array(); }
  std::size_t uploads() { return control("GET", "uploads").at("uploads").as_array().size(); }
  int operations(const std::string& operation) {
    const json::object counters = control("GET", "counters").at("operations").as_object();
    const auto* const count = counters.if_contains(operation);
    return count == nullptr ? 0 : count->to_number<int>();
  }
  // The one object that there is; its bytes.
  std::string stored_bytes() {
    const json::array all = objects();
    BOOST_REQUIRE(all.size() == 1U);
    BOOST_TEST(all[0].at("name").as_string() == "cc/" + name);
    std::string file(all[0].at("file").as_string());
    if (!file.starts_with('/')) file = folder.file(file);
    return read_file(file);
  }

  HttpExchange perform(HttpRequest request) {
    HttpExchange result;
    const auto work = [&]() -> asio::awaitable<void> {
      result = co_await http.perform(std::move(request));
    };
    run_until_done(io, work());
    return result;
  }
  HttpExchange get(const std::string& url, const std::string& range = "") {
    HttpRequest request;
    request.url = url;
    if (!range.empty()) request.headers.emplace_back("Range", "bytes=" + range);
    return perform(std::move(request));
  }

  PutResult put(const std::string& bytes, std::uint64_t most = UINT64_MAX) {
    TextSource source(bytes);
    return put(source, most);
  }
  PutResult put(ByteSource& source, std::uint64_t most = UINT64_MAX) {
    PutWish wish;
    wish.name = name;
    wish.content_type = "audio/mpeg";
    wish.most = most;
    wish.begun = [this](const std::string& upload) -> asio::awaitable<void> {
      begun.push_back(upload);
      if (begun_throws) throw std::runtime_error("the row is not mine any more");
      co_return;
    };
    wish.may_finish = [this]() -> asio::awaitable<bool> {
      ++asked;
      if (before_finish) before_finish(asked);
      co_return asked < not_ours_from;
    };
    PutResult result;
    const auto work = [&]() -> asio::awaitable<void> {
      result = co_await the_store().put(std::move(wish), source);
    };
    run_until_done(io, work());
    return result;
  }
  std::optional<StoreProblem> remove() {
    std::optional<StoreProblem> problem;
    const auto work = [&]() -> asio::awaitable<void> {
      problem = co_await the_store().remove(name);
    };
    run_until_done(io, work());
    return problem;
  }
  std::optional<StoreProblem> abort(const std::string& upload) {
    std::optional<StoreProblem> problem;
    const auto work = [&]() -> asio::awaitable<void> {
      problem = co_await the_store().abort(name, upload);
    };
    run_until_done(io, work());
    return problem;
  }

  // It is stored, byte by byte, and nothing is left half-done.
  void check_stored(const PutResult& result, const std::string& bytes) {
    BOOST_REQUIRE_MESSAGE(result.stored, result.problem.code + ": " + result.problem.message);
    BOOST_TEST(result.stored->size == bytes.size());
    BOOST_TEST((stored_bytes() == bytes));
    BOOST_TEST(std::to_string(result.stored->crc64) ==
               std::string(objects()[0].at("crc64").as_string()));
    BOOST_TEST(uploads() == 0U);
  }
  // It is not, and nothing is there.
  void check_not_stored(const PutResult& result, const std::string& code, bool refused = false) {
    BOOST_TEST(!result.stored.has_value());
    BOOST_TEST(result.problem.code == code, result.problem.message);
    BOOST_TEST(result.problem.refused == refused);
    BOOST_TEST(!contains(result.problem.message, "hush"));
    BOOST_TEST(objects().empty());
    BOOST_TEST(uploads() == 0U);
  }

  TempDir folder;
  asio::io_context io;
  HttpClient http{io.get_executor()};
  HastyClock clock;
  OssAccount account;
  std::string port, control_port;
  std::vector<std::string> begun;
  bool begun_throws = false;
  int asked = 0, not_ours_from = INT_MAX;  // whether it may be finished
  std::function<void(int)> before_finish;
  std::optional<Process> process;
  std::optional<OssStore> store;
  int starts = 0;
};

}  // namespace cc::test
