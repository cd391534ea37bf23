// What befalls a fleet while it polls: daemons are killed and stopped, Redis and PostgreSQL are
// killed, the gateway is restarted, forgets, expires guids, answers nonsense or nothing. One after
// the other, in an order drawn by the seed.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "polling_fleet.hpp"

namespace cc::test {

using Instant = std::int64_t;  // epoch ms

Instant now_ms();

struct PollingStrike {
  std::string what;  // "kill", "stop", "redis", …
  Instant from = 0, to = 0;
  bool polls_away = false;  // no agent could poll
};

class PollingStrikes {
 public:
  PollingStrikes(PollingFleet& fleet, std::uint64_t seed, bool long_form);

  std::vector<PollingStrike> run();

 private:
  PollingStrike strike(const std::string& what);
  void outage(const std::string& kind, const std::string& functions, Millis time);
  void control(const std::string& method, const std::string& path, const std::string& body);
  long between(long least, long most);
  std::string one_fault();
  static void pause(Millis time);

  PollingFleet& fleet_;
  std::mt19937_64 random_;
  const bool long_form_;
  std::vector<std::string> plan_;
};

}  // namespace cc::test
