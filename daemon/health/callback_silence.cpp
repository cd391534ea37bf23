#include "health/callback_silence.hpp"

#include <algorithm>

namespace cc {
namespace {

/// Of sorted values; nothing where there are too few to tell.
std::optional<std::int64_t> percentile(const std::vector<std::int64_t>& sorted, int percent) {
  constexpr std::size_t enough = 5;
  if (sorted.size() < enough) return std::nullopt;
  const std::size_t rank = (sorted.size() * static_cast<std::size_t>(percent) + 99) / 100;
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

}  // namespace

Millis overdue_after(const CallbackSilence& now, const SilenceLimits& limits) noexcept {
  if (!now.p99_ms) return std::max(limits.least, limits.unknown);
  return std::max(limits.least, Millis{3 * std::clamp<std::int64_t>(*now.p99_ms, 0, 3'600'000)});
}

CallbackSilence judge_callback_silence(const CallbackSilence& now,
                                       const std::vector<HeardCall>& calls, std::int64_t drained_ms,
                                       std::int64_t now_ms, const SilenceLimits& limits) {
  CallbackSilence next = now;
  const std::int64_t overdue_ms = overdue_after(now, limits).count();
  std::vector<const HeardCall*> due;  // those that should have been heard of
  std::vector<std::int64_t> delays;
  std::int64_t last_event_ms = 0;
  next.missing = 0;
  for (const HeardCall& call : calls) {
    if (call.last_event_ms) last_event_ms = std::max(last_event_ms, *call.last_event_ms);
    if (call.first_event_ms) {
      // An event may overtake the channel's answer.
      delays.push_back(std::max<std::int64_t>(0, *call.first_event_ms - call.accepted_ms));
    }
    if (call.accepted_ms + overdue_ms > drained_ms) continue;
    if (!call.first_event_ms) ++next.missing;
    if (call.accepted_ms > now.over_ms) due.push_back(&call);
  }
  std::sort(due.begin(), due.end(),
            [](const HeardCall* a, const HeardCall* b) { return a->accepted_ms > b->accepted_ms; });
  const std::size_t looked_at = std::min(due.size(), limits.in_a_row);
  const bool newest_silent =
      std::all_of(due.begin(), due.begin() + static_cast<std::ptrdiff_t>(looked_at),
                  [](const HeardCall* call) { return !call->first_event_ms; });
  // Any word of the channel after the newest of them was due shows that its callbacks come.
  const bool heard_since = !due.empty() && last_event_ms > due.front()->accepted_ms + overdue_ms;
  const bool silent = due.size() >= limits.in_a_row && newest_silent && !heard_since;

  if (!now.since_ms) {
    std::sort(delays.begin(), delays.end());
    if (const auto p50 = percentile(delays, 50)) next.p50_ms = p50;
    if (const auto p99 = percentile(delays, 99)) next.p99_ms = p99;
    if (!silent) return next;
    next.since_ms = now_ms;
    next.pause_ms = limits.pause.count();
    next.next_trial_ms = now_ms + next.pause_ms;
    next.why = "accepted calls bring no callback: the last " + std::to_string(limits.in_a_row) +
               " were not heard of within " + std::to_string(overdue_ms / 1000) + " s";
    return next;
  }
  if (last_event_ms > *now.since_ms) {
    next.since_ms.reset();
    next.why.clear();
    next.pause_ms = next.next_trial_ms = 0;
    next.over_ms = now_ms;
    return next;
  }
  return next;
}

}  // namespace cc
