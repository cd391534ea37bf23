// The HTTP API of ccd: listens, serves, drains. One thread; plain HTTP, TLS is NGINX's.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "call/calls.hpp"
#include "config.hpp"
#include "health.hpp"
#include "io/clock.hpp"
#include "message.hpp"
#include "metrics.hpp"
#include "nouns.hpp"

namespace cc::api {

/// A line of the access log: no number, no query string, no key. `route` is a pattern.
struct AccessEntry {
  std::string request_id, method, route, tenant, key, call;  // empty where not known
  std::string_view problem{};                                // its name; empty = none
  unsigned status = 0;
  std::chrono::microseconds took{0};
  std::size_t received = 0, sent = 0;  // bytes of body
  bool whole = true;                   // false: the answer was cut
};
using AccessLog = std::function<void(const AccessEntry&)>;

/// The access log as a line of the daemon's log.
void log_access(const AccessEntry& entry);

class ApiServer {
 public:
  /// Everything by reference or pointer must outlive the io_context's last run.
  ApiServer(asio::any_io_executor executor, const Config& config, Calls& calls,
            const Health& health, Metrics& metrics, const Clock& clock,
            AccessLog access_log = log_access, Nouns nouns = {});
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  /// Listens on all addresses or throws std::runtime_error, which names the address and the remedy.
  /// A unix socket's file that nobody answers on is replaced; its mode becomes 0660.
  void start();

  /// As configured, with the port that was given for port 0.
  std::vector<std::string> bound_addresses() const;

  /// Keys, tenants, limits and deadlines of a new configuration; not its addresses.
  void reconfigure(const Config& config);

  /// Stops accepting, ends waits (Calls::end_waits), closes idle connections, finishes requests
  /// under way. What has not ended after `limit` is cut.
  asio::awaitable<void> drain(std::chrono::milliseconds limit);

  std::size_t connections() const noexcept;

  /// For tests: answers in place of the routes.
  void answer_by(std::function<asio::awaitable<Answer>(const Request&)> answer);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace cc::api
