// An ApiServer on a thread of its own, with fakes behind it.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include "api/key_ring.hpp"
#include "api/server.hpp"
#include "client.hpp"
#include "fake_calls.hpp"
#include "text.hpp"

namespace cc::test {

/// Tenant acme with keys caller, reader, full, admin, root (each key's text is its id + "-key") and
/// tenant other with key stranger.
inline Config make_config() {
  Config config;
  config.http.listen = {"127.0.0.1:0"};
  const auto add = [&](const std::string& tenant, const std::string& id,
                       const std::set<std::string>& scopes) {
    config.tenants[tenant].name = tenant;
    config.tenants[tenant].keys.push_back({id, {{to_hex(api::sha256(id + "-key"))}}, scopes, {}});
  };
  add("acme", "caller", {"call"});
  add("acme", "reader", {"read"});
  add("acme", "full", {"call", "read", "numbers"});
  add("acme", "admin", {"read", "admin"});
  add("acme", "root", {"call", "read", "numbers", "admin"});
  add("other", "stranger", {"call", "read", "numbers", "admin"});
  return config;
}

class Rig {
 public:
  explicit Rig(Config config = make_config(), api::Nouns nouns = {}) {
    server = std::make_unique<api::ApiServer>(
        loop.get_executor(), config, calls, health, metrics, clock,
        [this](const api::AccessEntry& entry) {
          const std::lock_guard lock(mutex_);
          log_.push_back(entry);
        },
        nouns);
    server->start();
    address = server->bound_addresses().front();
    thread_ = std::thread([this] { loop.run(); });
  }
  ~Rig() {
    on_loop([this] { server.reset(); });
    work_.reset();
    loop.stop();
    thread_.join();
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  void on_loop(const std::function<void()>& what) {
    std::promise<void> done;
    asio::post(loop, [&] {
      what();
      done.set_value();
    });
    done.get_future().get();
  }
  std::future<void> drain(std::chrono::milliseconds limit) {
    return asio::co_spawn(loop, server->drain(limit), asio::use_future);
  }
  std::size_t connections() {
    std::size_t count = 0;
    on_loop([&] { count = server->connections(); });
    return count;
  }
  std::vector<api::AccessEntry> log() const {
    const std::lock_guard lock(mutex_);
    return log_;
  }

  /// One request on a connection of its own, with a key's id.
  Reply ask(std::string_view method, std::string_view target, const std::string& key = "full",
            std::string_view body = {}, std::string headers = {}) {
    Client client(address);
    if (!key.empty()) headers += "Authorization: Bearer " + key + "-key\r\n";
    client.send(request_text(method, target, headers, body));
    return client.receive(method == "HEAD");
  }
  Reply post(std::string_view body, std::string headers = {}, const std::string& key = "full") {
    return ask("POST", "/v1/calls", key, body, std::move(headers));
  }

  asio::io_context loop{1};
  FakeCalls calls;
  FakeHealth health;
  Metrics metrics;
  StillClock clock;
  std::unique_ptr<api::ApiServer> server;
  std::string address;

 private:
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop.get_executor()};
  mutable std::mutex mutex_;
  std::vector<api::AccessEntry> log_;
  std::thread thread_;
};

inline const std::string good_body = R"({"called":"13812345678","agent":"13900001111"})";

}  // namespace cc::test
