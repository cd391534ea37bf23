// What each NGINX says of itself on its cc_status: its workers' links to Redis, and what it holds
// back in its spool, deliveries that are older than anything in a stream. Only it can see its disk.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "config.hpp"
#include "health.hpp"
#include "health/log_health.hpp"
#include "io/clock.hpp"
#include "io/http_client.hpp"

namespace cc {

/// What a status page says of the spool. Pure, for tests.
/// Errors: no JSON, no such member, a spool that NGINX cannot read; names what is wrong.
struct SpoolState {
  std::int64_t oldest_ms = 0;  // received-ms of the oldest spooled delivery; 0: the spool is empty
};
Result<SpoolState> read_spool_state(const std::string& status_json);

class NginxWatch {
 public:
  NginxWatch(const Config& config, HttpClient& http, Clock& clock)
      : config_(config), http_(http), clock_(clock) {}

  /// Asks every NGINX that the configuration names. One pass; never throws for what they answer.
  asio::awaitable<void> look();

  /// All that was received before has left the spools, as far as is known: what an NGINX that can't
  /// be asked has taken since is not. 0 before each has answered once; `now_ms` where none is
  /// configured.
  std::int64_t clear_until_ms(std::int64_t now_ms) const;

  /// Why what the spools hold is not known; empty where it is.
  std::string problem() const;

  /// A part "nginx <host>/<path>" for each.
  std::vector<PartHealth> parts() const;

 private:
  struct View {
    std::int64_t clear_until_ms = 0;
    bool asked = false;
    std::string problem;
    NginxState state;                                // as it answered last
    std::chrono::steady_clock::time_point failed{};  // when `state.failed` grew last
  };
  void take(View& view, const std::string& body, std::int64_t asked_ms);

  const Config& config_;
  HttpClient& http_;
  Clock& clock_;
  std::map<std::string, View> views_;  // by URL
};

}  // namespace cc
