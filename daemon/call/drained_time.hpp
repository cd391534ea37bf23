// The time up to which all that channels said is in the records (rules.md, "Ends that nobody
// reports"): silence is measured in it, so that no outage of ours makes living calls look dead.
// Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace cc {

class DrainedTime {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  /// What to go by now. `drained_ms`: the least of all streams and spools, 0 = some was never
  /// drained. Nothing while nobody can be called silent. Where it has not moved for `standstill`
  /// time goes on without it, that much behind `now_ms`: an outage must not keep lines engaged for
  /// ever. Being far behind alone is no standstill, after an outage it catches up; nor is a time in
  /// which nobody could look, such as one without PostgreSQL.
  std::optional<std::int64_t> judge(std::int64_t drained_ms, std::int64_t now_ms, Steady now,
                                    std::chrono::milliseconds standstill);

  /// Whether the last judgement went on without it: an alarm.
  bool gone_on() const noexcept { return gone_on_; }
  /// For how long it had not moved then: an alarm long before.
  std::chrono::milliseconds standing() const noexcept { return standing_; }

 private:
  std::int64_t last_ms_ = -1;
  Steady moved_{}, judged_{};
  bool gone_on_ = false;
  std::chrono::milliseconds standing_{0};
};

}  // namespace cc
