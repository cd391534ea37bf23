// What is drawn for a schedule: channels and their faults, agents, calls, hang-ups, deaths,
// outages.
#pragma once

#include <cstdint>
#include <string>

#include "mutant.hpp"

namespace model {

struct Outcome {
  std::string violation;  // empty: all rules held
  std::size_t calls = 0, attempts = 0, steps = 0, rung = 0, superseded = 0, abandoned = 0,
              late_life = 0, reaped = 0, unknown = 0;
};

/// One in so many schedules is a channel's failing and recovery under a steady load of calls.
inline constexpr std::uint64_t recovery_every = 1'000;

Outcome run_schedule(std::uint64_t seed, std::uint64_t number, Mutant mutant, bool tracing);

}  // namespace model
