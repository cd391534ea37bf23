// Mirrors daemon/call/reaper.cpp and reconciliation.cpp: ends that nobody reports. And when a sweep
// has something to do next.
#include "call/reaper.hpp"

#include <algorithm>

#include "call/reconciliation.hpp"
#include "world.hpp"

namespace model {
using cc::EventName;

namespace {

constexpr Ms minute_ms = 60'000;

Ms next_reconciliation(Ms created) {
  // At half past three in UTC+8 of the day after the call's.
  const Ms day = cc::Day::of(created).end_ms() + (3 * 60 + 30) * minute_ms;
  return day;
}

}  // namespace

/// When an open call counts as silent; `base`: of the last thing heard, else of its sending.
OptMs Fleet::silence_due(std::int64_t call, Ms& base) {
  const RecordRow& record = world_.store.records.at(call);
  const AttemptRow* row = world_.store.current(call);
  if (record.folded.state == "close" || row == nullptr || !row->sent) return std::nullopt;
  cc::Silence silence;
  silence.sent = row->sent;
  for (const cc::Event& event : record.events) {
    if (event.source == cc::Source::cc) continue;
    if (event.source == cc::Source::poll && event.name == EventName::other &&
        !event.facts.channel_call_id) {
      continue;
    }
    silence.last_event = std::max(silence.last_event.value_or(0), event.received_ms);
  }
  const cc::Folded& folded = record.folded;
  silence.sign_of_b = folded.b_call_time || folded.b_offhook_time || folded.state == "conn" ||
                      folded.progress == "b_ringing" || folded.progress == "talking";
  silence.max_duration = record.constants.max_duration;
  base = silence.last_event.value_or(*silence.sent);
  return cc::silence_deadline_ms(silence, world_.config.reaper) + call % 10'000;
}

void Fleet::reap() {
  const Ms drained =
      world_.mutant == Mutant::reaps_by_the_clock ? world_.now : world_.stream.drained_ms();
  const std::vector<std::int64_t> calls(world_.store.restless.begin(), world_.store.restless.end());
  for (const std::int64_t call : calls) {
    Ms base = 0;
    const OptMs deadline = silence_due(call, base);
    if (!deadline || drained < *deadline || commit_fate() == Fate::failed) continue;
    AttemptRow* row = world_.store.current(call);
    world_.checks.reaped(call, base);
    if (row->channel_call_id) row->query_due = world_.now;
    const bool unknown = row->state == "unknown" && base == *row->sent;
    cc::Facts facts;
    facts.close = unknown ? cc::CloseFact{"7", "outcome_unknown", "cc"}
                          : cc::CloseFact{"255", "no_final_event", "cc"};
    settle({call, row->attempt}, EventName::reaped, facts);
  }
}

void Fleet::query() {
  for (const std::int64_t call :
       std::vector<std::int64_t>(world_.store.restless.begin(), world_.store.restless.end())) {
    AttemptRow* row = world_.store.current(call);
    if (row == nullptr || !row->query_due) continue;
    const RecordRow& record = world_.store.records.at(call);
    if (record.folded.close_source != "cc") {
      row->query_due.reset();
      continue;
    }
    if (*row->query_due > world_.now) continue;
    const Ms give_up = world_.config.reaper.give_up.count();
    const bool over = world_.now - row->created > give_up;
    const Vendors::Query reply =
        over ? Vendors::Query::unknown : world_.vendors.query(row->channel, *row->channel_call_id);
    if (reply == Vendors::Query::unknown) {
      world_.note("call ", call % 1000, ": the channel will not say how it ended");
      row->query_due.reset();
      row->given_up = true;
      if (record.folded.state == "close") world_.store.release(call);
      continue;
    }
    row->query_due =
        world_.now + std::min<Ms>(60 * minute_ms, minute_ms << std::min(row->query_tries, 10));
    ++row->query_tries;
  }
}

/// Once a day what the channels still owe is asked for again.
void Fleet::reconcile() {
  for (const std::int64_t call : world_.store.restless) {
    AttemptRow* row = world_.store.current(call);
    const cc::Folded& folded = world_.store.records.at(call).folded;
    if (row == nullptr || folded.state != "close" || folded.close_source != "cc") continue;
    if (row->state == "refused" || !row->channel_call_id || row->query_due || row->given_up) {
      continue;
    }
    if (next_reconciliation(row->created) <= world_.now) row->query_due = world_.now;
  }
}

OptMs Fleet::due_of(std::int64_t call) {
  Store& store = world_.store;
  OptMs due;
  const auto by = [&](Ms when) { due = std::min(due.value_or(when), when); };
  const RecordRow& record = store.records.at(call);
  AttemptRow* row = store.latest(call);
  const Key key{call, row->attempt};
  bool in_hand = false;
  for (const Daemon& daemon : daemons) in_hand |= daemon.alive && daemon.in_hand.contains(key);
  if (row->state == "planned") {
    if (!in_hand) by(std::max(row->created + 1'001, world_.now + 200));
  } else if (row->state == "sending") {
    const DaemonRow& owner = store.daemons[static_cast<std::size_t>(row->owner)];
    if (owner.epoch != row->epoch || !in_hand) {
      by(owner.epoch != row->epoch ? world_.now : std::max(world_.now, owner.seen + 6'000));
    } else {  // in the hand of one who may be stopped
      const Daemon& holder = daemons[static_cast<std::size_t>(row->owner)];
      if (!awake(holder) && owner.seen + 6'000 < holder.paused_until) {
        by(std::max(world_.now, owner.seen + 6'000));
      }
    }
  }
  for (auto at = store.attempts.lower_bound({call, 0});
       at != store.attempts.end() && at->first.first == call; ++at) {
    const AttemptRow& each = at->second;
    if (each.query_due) by(*each.query_due);
    if (const OptMs when = hang_up_due(each, record)) by(*when);
  }
  Ms base = 0;
  if (const OptMs silent = silence_due(call, base)) {
    // While the stream stands it is for the drain to go on first.
    if (*silent > world_.now || world_.stream.idle()) by(*silent);
    if (world_.mutant == Mutant::reaps_by_the_clock) by(*silent);
  }
  for (const ClaimRow& claim : store.claims) {
    if (claim.call == call && claim.release_at) by(*claim.release_at);
  }
  if (!due && record.folded.state == "close" && record.folded.close_source == "cc" &&
      row->state != "refused" && row->channel_call_id && !row->query_due && !row->given_up) {
    const bool holds = std::any_of(store.claims.begin(), store.claims.end(),
                                   [&](const ClaimRow& claim) { return claim.call == call; });
    if (holds) by(next_reconciliation(row->created));
  }
  return due;
}

OptMs Fleet::due() {
  OptMs due;
  const auto by = [&](Ms when) { due = std::min(due.value_or(when), when); };
  for (auto at = world_.store.restless.begin(); at != world_.store.restless.end();) {
    const OptMs when = due_of(*at);
    if (when) by(*when);
    const bool open = world_.store.records.at(*at).folded.state != "close";
    at = when || open ? std::next(at) : world_.store.restless.erase(at);
  }
  if (!world_.stream.waiting().empty()) by(world_.now + 1'000);
  if (!due) return due;
  if (world_.now < world_.away_until) due = std::max(*due, world_.away_until);
  // Nobody can do it now: whoever wakes first.
  const bool nobody = std::none_of(daemons.begin(), daemons.end(),
                                   [&](const Daemon& daemon) { return awake(daemon); });
  if (nobody) due = std::max(*due, world_.now + 500);
  return due;
}

}  // namespace model
