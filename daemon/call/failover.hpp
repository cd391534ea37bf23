// Whether a call whose attempt failed may be tried elsewhere: the table of rules.md, "Attempts".
// Pure.
#pragma once

#include <cstdint>
#include <string>

#include "call/calls.hpp"

namespace cc {

/// All attempts of a call begin within this time of its creation.
inline constexpr std::int64_t attempt_window_ms = 15'000;
inline constexpr int most_attempts = 3;

/// How an attempt ended, and for whom.
struct FailedAttempt {
  int attempt = 1;
  std::string channel, agent;
  bool refused = false;        // false: accepted or unknown
  bool never_dialled = false;  // nothing was sent, or refused with a code that proves it
  bool line_fault = false;     // only this line's (its session): the channel itself may be well
  bool ours = false;           // we sent it, in an epoch that is ours still: we may decide
  bool hangup_asked = false;   // nobody wants the call any more
  std::string words;           // "connect: connection refused", "900122 account abnormal"
};

struct Failover {
  bool next = false;           // try another
  bool same_channel = false;   // on the same channel, another line
  bool other_channel = false;  // on another channel
  std::string reason;          // why that is safe, or why there is no other
};

/// `names_agent`, `names_channel`: the request did, and what it names is never left.
Failover after_failure(const FailedAttempt& failed, bool names_agent, bool names_channel,
                       std::int64_t created_ms, std::int64_t now_ms);

}  // namespace cc
