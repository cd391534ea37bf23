// Canaries (rules.md, "Health"): one daemon of the fleet posts to each configured callback location
// in turn; whichever drains the stream notes the arrival; all of them judge by table `canary`.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "health.hpp"
#include "health/log_health.hpp"
#include "io/http_client.hpp"
#include "parts.hpp"

namespace cc {

class Canaries {
 public:
  Canaries(Parts parts, HttpClient& http) : parts_(parts), http_(http) {}

  /// Posts where it is time and nobody else does, then reads how all of them fare. One pass, for
  /// each second; posts go on after it. Throws pg::Failure.
  asio::awaitable<void> look();

  /// No further posts: the daemon stops.
  void stop() noexcept { stopping_ = true; }

  /// A part "canary <location>" for each. None is vital.
  std::vector<PartHealth> parts() const;

 private:
  struct View {
    std::chrono::steady_clock::time_point watched_since{}, read{};
    CanaryState state;
  };
  asio::awaitable<void> send_due(Config::Canary canary);
  asio::awaitable<void> post(Config::Canary canary, std::string id, CanaryBody body);
  asio::awaitable<void> read_all();

  Parts parts_;
  HttpClient& http_;
  bool stopping_ = false;
  std::map<std::string, View> views_;  // by location
};

}  // namespace cc
