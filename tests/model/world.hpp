// One schedule: virtual time, and all who act in it.
#pragma once

#include <functional>
#include <iostream>
#include <map>
#include <queue>
#include <sstream>
#include <string>
#include <vector>

#include "checks.hpp"
#include "config.hpp"
#include "draw.hpp"
#include "fleet.hpp"
#include "mutant.hpp"
#include "store.hpp"
#include "stream.hpp"
#include "vendor.hpp"

namespace model {

class World {
 public:
  World(Draw drawn, Mutant planted, bool traced) : draw(drawn), mutant(planted), tracing(traced) {}
  World(const World&) = delete;

  Draw draw;
  const Mutant mutant;
  const bool tracing;
  static constexpr Ms beginning = 1'780'300'000'000;  // 2026-06-01 15:46 in UTC+8
  Ms now = beginning;
  bool lying = false;     // a channel breaks its documented promise in this schedule
  Ms away_until = 0;      // PostgreSQL
  int commit_faults = 0;  // permille of transactions that fail, or whose answer is lost
  int together = 100;     // permille of calls that others come in between
  int crash_faults = 0;   // permille of steps between which a daemon dies
  cc::Config config;
  std::map<std::int64_t, Asked> asked;  // by call

  Checks checks{*this};
  Store store{*this};
  Stream stream{*this};
  Vendors vendors{*this};
  Fleet fleet{*this};

  void at(Ms when, std::function<void()> step);
  /// Until nothing can happen any more. Throws Violation.
  void run();
  std::size_t steps = 0;

  template <class... Parts>
  void note(const Parts&... parts) const {
    if (!tracing) return;
    std::ostringstream line;
    line << "  +" << static_cast<double>(now - beginning) / 1000 << " s  ";
    (line << ... << parts);
    std::cout << line.str() << "\n";
  }

 private:
  struct Step {
    Ms when;
    std::uint64_t number;
    std::function<void()> run;
    bool operator<(const Step& other) const {
      return std::pair(when, number) > std::pair(other.when, other.number);
    }
  };
  std::priority_queue<Step> queue_;
  std::uint64_t last_number_ = 0;
};

}  // namespace model
