// Whether a channel's callbacks come: accepted calls whose first event is overdue (rules.md,
// "Health"). Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cc {

using Millis = std::chrono::milliseconds;

/// An accepted call, as the log has it.
struct HeardCall {
  std::int64_t accepted_ms = 0;
  std::optional<std::int64_t> first_event_ms, last_event_ms;  // received-ms
};

struct CallbackSilence {
  std::optional<std::int64_t> since_ms;  // degraded since then
  std::string why;
  std::int64_t pause_ms = 0;       // for how long it was left alone last; grows
  std::int64_t next_trial_ms = 0;  // one call may be tried from then on
  std::int64_t over_ms =
      0;  // when it was heard of again last: calls before that have had their effect
  std::optional<std::int64_t> p50_ms, p99_ms;  // from acceptance to the first event; p99: the usual
  std::int64_t missing = 0;                    // calls whose first event is overdue
  bool operator==(const CallbackSilence&) const = default;
};

struct SilenceLimits {
  Millis least{10'000};      // no call is overdue before this, however quick the channel usually is
  Millis unknown{30'000};    // overdue where the usual delay is not known yet
  std::size_t in_a_row = 3;  // of the newest overdue ones, all silent
  Millis pause{15'000}, pause_most{600'000};
};

/// When a call accepted just now would be overdue.
Millis overdue_after(const CallbackSilence& now, const SilenceLimits& limits) noexcept;

/// The new state. `calls`: the newest accepted ones, any order; `drained_ms`: everything received
/// before is in the log.
CallbackSilence judge_callback_silence(const CallbackSilence& now,
                                       const std::vector<HeardCall>& calls, std::int64_t drained_ms,
                                       std::int64_t now_ms, const SilenceLimits& limits);

}  // namespace cc
