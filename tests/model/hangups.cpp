// Mirrors daemon/call/hangups.cpp: a wish until the channel has taken it.
#include <algorithm>

#include "world.hpp"

namespace model {
using cc::EventName;

namespace {
constexpr Ms patience_ms = 30'000, grace_ms = 300'000, first_pause_ms = 2'000,
             longest_pause_ms = 60'000;
}  // namespace

bool Fleet::hang_up_done(const AttemptRow& row, const RecordRow& record) const {
  const bool closed_by_channel =
      std::any_of(record.events.begin(), record.events.end(), [&](const cc::Event& event) {
        return event.attempt == row.attempt && event.source != cc::Source::cc &&
               event.name == EventName::closed;
      });
  if (row.superseded) return row.hangup_accepted || closed_by_channel;
  return record.folded.state == "close" &&
         (row.state == "refused" || record.folded.close_source != "cc" || row.hangup_accepted);
}

/// When pursue() has something to do with this wish; nothing where the channel's id is awaited.
OptMs Fleet::hang_up_due(const AttemptRow& row, const RecordRow& record) const {
  if (!row.hangup_asked) return std::nullopt;
  if (hang_up_done(row, record)) return world_.now;
  const Ms longest = *row.hangup_asked + Ms{record.constants.max_duration} * 1000 + grace_ms + 1;
  if (row.hangup_accepted) return std::min(longest, *row.hangup_accepted + patience_ms);
  if (!row.channel_call_id) return longest;
  if (!row.hangup_sent) return world_.now;
  const Ms pause =
      std::clamp((world_.now - *row.hangup_asked) / 2, first_pause_ms, longest_pause_ms);
  return std::min(longest, *row.hangup_sent + pause);
}

void Fleet::ask_hang_up(std::int64_t call) {
  const auto record = world_.store.records.find(call);
  if (record == world_.store.records.end() || any_awake() < 0) return;
  if (commit_fate() == Fate::failed || record->second.folded.state == "close") return;
  world_.note("the application hangs up call ", call % 1000);
  AttemptRow* row = world_.store.current(call);
  std::vector<cc::NewEvent> events;
  events.push_back(cc::own_event(call, row->attempt, EventName::hangup_requested, world_.now));
  row->hangup_asked = row->hangup_asked.value_or(world_.now);
  row->hangup_ever_asked = true;
  if (row->state == "planned") {
    row->state = "refused";
    cc::Facts facts;
    facts.close = cc::CloseFact{"255", "cancelled", "app"};
    facts.never_connected = true;
    events.push_back(
        cc::own_event(call, row->attempt, EventName::attempt_refused, world_.now, facts));
  }
  world_.store.fold_events(call, std::move(events));
}

void Fleet::pursue(Daemon& daemon) {
  const std::vector<std::int64_t> calls(world_.store.restless.begin(), world_.store.restless.end());
  for (const std::int64_t call : calls) {
    const RecordRow& record = world_.store.records.at(call);
    for (auto at = world_.store.attempts.lower_bound({call, 0});
         at != world_.store.attempts.end() && at->first.first == call; ++at) {
      AttemptRow& row = at->second;
      if (!row.hangup_asked) continue;
      if (*hang_up_due(row, record) > world_.now) continue;
      const Ms longest = Ms{record.constants.max_duration} * 1000 + grace_ms;
      if (hang_up_done(row, record) || world_.now - *row.hangup_asked > longest) {
        row.hangup_asked.reset();
        continue;
      }
      if (row.hangup_accepted) {
        if (commit_fate() == Fate::failed) continue;
        const bool connected = record.folded.state == "conn";
        cc::Facts facts;
        facts.close = connected ? cc::CloseFact{"0", "normal", "app"}
                                : cc::CloseFact{"255", "cancelled", "app"};
        row.hangup_asked.reset();
        settle(at->first, EventName::hangup_closed, facts);
        continue;
      }
      if (commit_fate() == Fate::failed) continue;
      row.hangup_sent = world_.now;
      this->at(daemon.id, world_.now + world_.draw.between(5, 500),
               [this, key = at->first](Daemon& self) { tell_hang_up(self, key); });
    }
  }
}

void Fleet::tell_hang_up(Daemon& daemon, Key key) {
  AttemptRow& row = world_.store.attempts.at(key);
  const bool accepted = world_.vendors.hang_up(row.channel, *row.channel_call_id);
  if (!accepted || crash_point(daemon) || commit_fate() == Fate::failed) return;
  if (row.hangup_accepted) return;
  row.hangup_accepted = world_.now;
  settle(key, EventName::hangup_accepted, {});
}

}  // namespace model
