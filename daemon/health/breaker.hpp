// Whether a channel is called at all: the circuit breaker of rules.md, "Health". Pure: what is
// known of the last minute goes in, the new state comes out.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cc {

using Millis = std::chrono::milliseconds;

/// How an attempt spoke of its channel. A person's decision is `well`; what says nothing of the
/// channel (cancelled, not sent, the line's session) is no verdict at all.
enum class ChannelVerdict : std::uint8_t {
  well = 0,
  failed = 1,       // 5xx, broken, a never-dialled code, a final 6 or 7
  unreachable = 2,  // connect, DNS, TLS, or no answer in time
};

/// One attempt, as far as it has been judged. Times are the fleet's, epoch ms.
struct Judged {
  std::int64_t begun_ms = 0;
  std::optional<ChannelVerdict> taken;  // how the originate went
  std::int64_t taken_ms = 0;
  std::optional<ChannelVerdict> final;  // how the call ended or that it was answered
  std::int64_t final_ms = 0;

  bool failed() const noexcept {
    return (taken && *taken != ChannelVerdict::well) || (final && *final != ChannelVerdict::well);
  }
};

struct Breaker {
  enum class Phase : std::uint8_t { closed, open, half_open };
  Phase phase = Phase::closed;
  std::int64_t since_ms = 0;       // when it became that
  std::int64_t open_ms = 0;        // for how long it was opened last; grows with each failed trial
  std::int64_t next_trial_ms = 0;  // open: half-open from then on
  bool by_finals = false;        // opened by how calls ended: only ends prove that it is well again
  int trials = 0;                // half-open: calls that may still be tried
  std::int64_t trial_at_ms = 0;  // when the last one was given out
  std::string why;               // it is not closed; in words, for people
  bool operator==(const Breaker&) const = default;
};

std::string_view to_text(Breaker::Phase phase) noexcept;  // closed, open, half_open

struct BreakerLimits {
  Millis window{60'000};     // the share of failures is taken over this time
  std::size_t least = 10;    // of so many calls at least
  int percent = 50;          // opens it
  std::size_t in_a_row = 5;  // originates that were all unreachable: opens it at once
  Millis open{15'000};       // the first time; doubles with each failed trial
  Millis open_most{240'000};
  int trials = 3;                 // that must all go well to close it
  Millis calm{600'000};           // closed for so long: the next time counts as the first again
  Millis trial_patience{15'000};  // trials that nobody judged are given out again after this
};

/// The state after `recent` (any order; those judged within the window suffice), or nothing where
/// it stays as it is. `jitter` in [0, 1) spreads the end of an opening by a tenth.
std::optional<Breaker> judge_breaker(const Breaker& now, const std::vector<Judged>& recent,
                                     std::int64_t now_ms, const BreakerLimits& limits,
                                     double jitter);

}  // namespace cc
