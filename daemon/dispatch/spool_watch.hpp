// What NGINX holds back in its spool: deliveries that are older than anything in a stream. Asked of
// each NGINX's cc_status, as only it can see its disk.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "config.hpp"
#include "io/clock.hpp"
#include "io/http_client.hpp"

namespace cc {

/// What a status page says of the spool. Pure, for tests.
/// Errors: no JSON, no such member; names what is wrong.
struct SpoolState {
  std::int64_t oldest_ms = 0;  // received-ms of the oldest spooled delivery; 0: the spool is empty
};
Result<SpoolState> read_spool_state(const std::string& status_json);

class SpoolWatch {
 public:
  SpoolWatch(const Config& config, HttpClient& http, Clock& clock)
      : config_(config), http_(http), clock_(clock) {}

  /// Asks every NGINX that the configuration names. One pass; never throws for what they answer.
  asio::awaitable<void> look();

  /// All that was received before has left the spools, as far as is known: what an NGINX that can't
  /// be asked has taken since is not. 0 before each has answered once; `now_ms` where none is
  /// configured.
  std::int64_t clear_until_ms(std::int64_t now_ms) const;

  /// For health: empty where all is well.
  std::string problem() const;

 private:
  struct View {
    std::int64_t clear_until_ms = 0;
    std::string problem;
  };

  const Config& config_;
  HttpClient& http_;
  Clock& clock_;
  std::map<std::string, View> views_;  // by URL
};

}  // namespace cc
