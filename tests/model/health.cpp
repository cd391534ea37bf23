// Mirrors daemon/health/channel_health.cpp: what is told of channels, and the one state of each.
#include <algorithm>

#include "health/breaker.hpp"
#include "health/callback_silence.hpp"
#include "world.hpp"

namespace model {

namespace {
constexpr Ms flush_every_ms = 50, look_every_ms = 1'000, remembered_ms = 3'600'000;
}

void Fleet::told(Daemon& daemon, Key key, std::optional<cc::ChannelVerdict> taken,
                 std::optional<cc::ChannelVerdict> final) {
  Daemon::Told& word = daemon.told[key];
  if (taken && !word.taken) word.taken = taken;
  if (final) word.final = final;
  word.at_ms = world_.now;
  if (std::exchange(daemon.flushing, true)) return;
  at(daemon.id, world_.now + world_.draw.between(1, flush_every_ms),
     [this](Daemon& self) { flush(self); });
}

void Fleet::ended(int id, Key key, cc::ChannelVerdict verdict) {
  if (id < 0) return;
  // That calls end well is only of interest while their channel is being tried.
  const std::string& channel = world_.store.attempts.at(key).channel;
  const bool closed = world_.store.states[channel].breaker.phase == cc::Breaker::Phase::closed;
  if (closed && verdict == cc::ChannelVerdict::well) return;
  told(daemons[static_cast<std::size_t>(id)], key, std::nullopt, verdict);
}

void Fleet::flush(Daemon& daemon) {
  if (commit_fate() == Fate::failed) {
    at(daemon.id, world_.now + flush_every_ms, [this](Daemon& self) { flush(self); });
    return;
  }
  daemon.flushing = false;
  std::set<std::string> concerned;
  for (const auto& [key, word] : std::exchange(daemon.told, {})) {
    const AttemptRow& attempt = world_.store.attempts.at(key);
    VerdictRow& row = world_.store.verdicts[key];
    row.channel = attempt.channel;
    if (row.judged_ms == 0) row.judged.begun_ms = attempt.sent.value_or(word.at_ms);
    if (word.taken && !row.judged.taken) {
      row.judged.taken = word.taken;
      row.judged.taken_ms = word.at_ms;
    }
    if (word.final) {
      row.judged.final = word.final;
      row.judged.final_ms = word.at_ms;
    }
    row.judged_ms = word.at_ms;
    concerned.insert(attempt.channel);
  }
  for (const std::string& channel : concerned) judge(channel, false);
}

void Fleet::look() {
  if (world_.now < world_.away_until || world_.now - looked_ < look_every_ms) return;
  looked_ = world_.now;
  for (const Vendor& vendor : world_.vendors.all) judge(vendor.code, true);
}

void Fleet::judge(const std::string& channel, bool looks) {
  const Ms now = world_.now;
  cc::BreakerLimits limits;
  limits.open = world_.config.health.open;
  limits.open_most = world_.config.health.open_most;
  std::vector<cc::Judged> recent;
  std::vector<cc::HeardCall> heard;
  for (const auto& [key, row] : world_.store.verdicts) {
    if (row.channel != channel || row.judged_ms <= now - remembered_ms) continue;
    recent.push_back(row.judged);
    if (!looks || row.judged.taken != cc::ChannelVerdict::well) continue;
    if (world_.store.attempts.at(key).state != "accepted") continue;
    cc::HeardCall call;
    call.accepted_ms = row.judged.taken_ms;
    for (const cc::Event& event : world_.store.records.at(key.first).events) {
      if (event.source == cc::Source::cc || event.attempt != key.second) continue;
      call.first_event_ms =
          std::min(call.first_event_ms.value_or(event.received_ms), event.received_ms);
      call.last_event_ms = std::max(call.last_event_ms.value_or(0), event.received_ms);
    }
    heard.push_back(call);
  }
  cc::ChannelState& state = world_.store.states[channel];
  const auto changed = cc::judge_breaker(state.breaker, recent, now, limits, world_.draw.unit());
  const bool given_again = changed && changed->phase == state.breaker.phase;
  if (changed && !(given_again && world_.mutant == Mutant::trials_not_given_out_again)) {
    if (!given_again) {
      world_.note("channel ", channel, ": ", cc::to_text(state.breaker.phase), " -> ",
                  cc::to_text(changed->phase), " ", changed->why);
    }
    state.breaker = *changed;
  }
  const Vendor& vendor =
      world_.vendors.all[static_cast<std::size_t>(world_.vendors.index_of(channel))];
  if (!looks || vendor.seats) return;
  cc::SilenceLimits silence;
  silence.least = world_.config.health.overdue;
  silence.unknown = 3 * world_.config.health.overdue;
  silence.pause = limits.open;
  silence.pause_most = limits.open_most;
  const bool was_silent = state.silence.since_ms.has_value();
  state.silence =
      cc::judge_callback_silence(state.silence, heard, world_.stream.drained_ms(), now, silence);
  if (was_silent != state.silence.since_ms.has_value()) {
    world_.note("channel ", channel, was_silent ? " is heard of again" : " has fallen silent");
  }
  const bool closed = state.breaker.phase == cc::Breaker::Phase::closed;
  if (closed && state.silence.since_ms && now >= state.silence.next_trial_ms) {
    state.breaker.trials = 1;
    state.breaker.trial_at_ms = now;
    state.silence.pause_ms = std::min<Ms>(state.silence.pause_ms * 2, silence.pause_most.count());
    state.silence.next_trial_ms = now + state.silence.pause_ms;
  } else if (closed && !state.silence.since_ms) {
    state.breaker.trials = 0;
  }
}

}  // namespace model
