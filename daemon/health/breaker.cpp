#include "health/breaker.hpp"

#include <algorithm>

namespace cc {
namespace {

std::string seconds(std::int64_t ms) {
  return std::to_string((ms + 500) / 1000) + " s";
}

/// For how long it is left alone now that it fails (again).
std::int64_t next_open_ms(const Breaker& now, std::int64_t now_ms, const BreakerLimits& limits) {
  const bool calm = now.phase == Breaker::Phase::closed &&
                    (now.open_ms == 0 || now_ms - now.since_ms >= limits.calm.count());
  if (calm) return limits.open.count();
  return std::clamp(now.open_ms * 2, limits.open.count(), limits.open_most.count());
}

Breaker open(const Breaker& now, std::int64_t now_ms, const BreakerLimits& limits, double jitter,
             std::string why, bool by_finals) {
  Breaker next;
  next.phase = Breaker::Phase::open;
  next.since_ms = now_ms;
  next.open_ms = next_open_ms(now, now_ms, limits);
  next.next_trial_ms = now_ms + next.open_ms +
                       static_cast<std::int64_t>(static_cast<double>(next.open_ms) * jitter / 10);
  next.by_finals = by_finals;
  next.why = std::move(why);
  return next;
}

/// The newest originates: all unreachable, and none begun since the first of them went well.
bool unreachable_in_a_row(const std::vector<Judged>& recent, std::size_t wanted) {
  std::vector<const Judged*> taken;
  for (const Judged& judged : recent) {
    if (judged.taken) taken.push_back(&judged);
  }
  if (wanted == 0 || taken.size() < wanted) return false;
  std::sort(taken.begin(), taken.end(),
            [](const Judged* a, const Judged* b) { return a->taken_ms > b->taken_ms; });
  std::int64_t first_begun = taken.front()->begun_ms;
  for (std::size_t i = 0; i < wanted; ++i) {
    if (*taken[i]->taken != ChannelVerdict::unreachable) return false;
    first_begun = std::min(first_begun, taken[i]->begun_ms);
  }
  return std::none_of(taken.begin(), taken.end(), [&](const Judged* judged) {
    return *judged->taken == ChannelVerdict::well && judged->begun_ms >= first_begun;
  });
}

std::optional<Breaker> judge_closed(const Breaker& now, const std::vector<Judged>& recent,
                                    std::int64_t now_ms, const BreakerLimits& limits,
                                    double jitter) {
  // What was judged before it closed has had its effect.
  std::vector<Judged> counted;
  for (const Judged& judged : recent) {
    if (judged.begun_ms >= now.since_ms) counted.push_back(judged);
  }
  if (unreachable_in_a_row(counted, limits.in_a_row)) {
    return open(now, now_ms, limits, jitter,
                "the last " + std::to_string(limits.in_a_row) +
                    " originates could not reach it or got no answer in time",
                false);
  }
  std::size_t calls = 0, failed = 0, finals = 0;
  for (const Judged& judged : counted) {
    // By when the channel took the call: that calls end well is not always told, so the share of
    // those that end badly would be taken of too few.
    const std::int64_t at_ms = judged.taken ? judged.taken_ms : judged.final_ms;
    if (at_ms <= now_ms - limits.window.count()) continue;
    ++calls;
    if (!judged.failed()) continue;
    ++failed;
    if (!judged.taken || *judged.taken == ChannelVerdict::well) ++finals;
  }
  if (calls < limits.least || failed * 100 < calls * static_cast<std::size_t>(limits.percent)) {
    return std::nullopt;
  }
  return open(now, now_ms, limits, jitter,
              std::to_string(failed) + " of " + std::to_string(calls) + " calls failed within " +
                  seconds(limits.window.count()),
              finals * 2 > failed);
}

std::optional<Breaker> judge_trials(const Breaker& now, const std::vector<Judged>& recent,
                                    std::int64_t now_ms, const BreakerLimits& limits,
                                    double jitter) {
  int well = 0;
  for (const Judged& judged : recent) {
    if (judged.begun_ms < now.since_ms) continue;
    if (judged.failed()) {
      constexpr std::string_view mark = "a trial call failed; before: ";
      std::string why = now.why.starts_with(mark) ? now.why : std::string(mark) + now.why;
      return open(now, now_ms, limits, jitter, std::move(why), now.by_finals);
    }
    // Where calls were accepted and then failed, being accepted proves nothing.
    const bool proves = now.by_finals ? judged.final.has_value() : judged.taken.has_value();
    if (proves) ++well;
  }
  Breaker next = now;
  if (well >= limits.trials) {
    next = Breaker{};
    next.since_ms = now_ms;
    next.open_ms = now.open_ms;
    return next;
  }
  // Trials whose daemon died, or that nobody took up: given out again.
  const Millis patience = now.by_finals ? limits.window : limits.trial_patience;
  if (now.trials == 0 && now_ms - now.trial_at_ms >= patience.count()) {
    next.trials = limits.trials - well;
    next.trial_at_ms = now_ms;
    return next;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_text(Breaker::Phase phase) noexcept {
  switch (phase) {
    case Breaker::Phase::closed:
      return "closed";
    case Breaker::Phase::open:
      return "open";
    case Breaker::Phase::half_open:
      return "half_open";
  }
  return "closed";
}

std::optional<Breaker> judge_breaker(const Breaker& now, const std::vector<Judged>& recent,
                                     std::int64_t now_ms, const BreakerLimits& limits,
                                     double jitter) {
  switch (now.phase) {
    case Breaker::Phase::closed:
      return judge_closed(now, recent, now_ms, limits, jitter);
    case Breaker::Phase::half_open:
      return judge_trials(now, recent, now_ms, limits, jitter);
    case Breaker::Phase::open:
      break;
  }
  if (now_ms < now.next_trial_ms) return std::nullopt;
  Breaker next = now;
  next.phase = Breaker::Phase::half_open;
  next.since_ms = now_ms;
  next.next_trial_ms = 0;
  next.trials = limits.trials;
  next.trial_at_ms = now_ms;
  return next;
}

}  // namespace cc
