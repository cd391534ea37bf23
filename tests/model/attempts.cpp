// Mirrors daemon/call/attempts.cpp: planned → sending → accepted | refused | unknown.
#include <algorithm>

#include "call/display.hpp"
#include "world.hpp"

namespace model {
using cc::EventName;
using Outcome = cc::OriginateAnswer::Outcome;

void Fleet::send(Daemon& daemon, Key key) {
  if (!daemon.in_hand.insert(key).second) return;
  at(daemon.id, world_.now + world_.draw.between(0, 20),
     [this, key](Daemon& self) { begin(self, key); });
}

void Fleet::begin(Daemon& daemon, Key key) {
  if (crash_point(daemon)) return;
  AttemptRow& row = world_.store.attempts.at(key);
  const Fate fate = commit_fate();
  bool may = row.state == "planned" || world_.mutant == Mutant::begins_without_compare;
  if (world_.mutant != Mutant::no_deadline) may = may && row.send_by > world_.now;
  for (const AgentRow& agent : world_.store.agents) {
    if (agent.channel != row.channel || agent.agent != row.agent) continue;
    const Vendor& vendor =
        world_.vendors.all[static_cast<std::size_t>(world_.vendors.index_of(row.channel))];
    if (vendor.seats && (agent.owner != daemon.id || agent.epoch != daemon.epoch)) may = false;
  }
  if (fate == Fate::failed || !may) {
    daemon.in_hand.erase(key);
    return;
  }
  row.state = "sending";
  row.owner = daemon.id;
  row.epoch = daemon.epoch;
  row.sent = world_.now;
  world_.store.fold_events(
      key.first, {cc::own_event(key.first, key.second, EventName::attempt_sent, world_.now)});
  world_.note("daemon ", daemon.id, " begins ", key.first % 1000, ".", key.second);
  if (crash_point(daemon)) return;
  if (fate == Fate::answer_lost) {
    daemon.in_hand.erase(key);
    return;
  }
  const RecordRow& record = world_.store.records.at(key.first);
  const cc::Display display = cc::display_from_text(record.constants.display_requested);
  Request request;
  request.call = key.first;
  request.attempt = key.second;
  request.channel = row.channel;
  request.agent = row.agent;
  request.handset = row.handset;
  request.called = record.constants.called.value_or("");
  if (display.hide_customer) request.show_a = record.constants.main_num.value_or("");
  if (display.hide_agent) request.show_b = record.constants.main_num.value_or("");
  const Ms stall =
      world_.draw.chance(970) ? world_.draw.between(0, 20) : world_.draw.between(20, 20'000);
  at(daemon.id, world_.now + stall, [this, key, request, deadline = row.send_by](Daemon& self) {
    first_byte(self, key, request, deadline);
  });
}

void Fleet::first_byte(Daemon& daemon, Key key, Request request, Ms deadline) {
  if (crash_point(daemon)) return;
  if (world_.now >= deadline && world_.mutant != Mutant::no_deadline) {
    cc::OriginateAnswer withheld;
    withheld.outcome = Outcome::refused;
    withheld.code = "withheld";
    withheld.never_dialled = true;
    withheld.close = {"255", "not_sent", "cc"};
    return answered(daemon, key, withheld);
  }
  // Whoever calls next goes elsewhere, though this one is waited for much longer.
  auto answered_already = std::make_shared<bool>(false);
  at(daemon.id, world_.now + world_.config.health.slow.count(),
     [this, key, answered_already](Daemon& self) {
       if (!*answered_already) told(self, key, cc::ChannelVerdict::unreachable, std::nullopt);
     });
  const std::uint64_t incarnation = daemon.incarnation;
  world_.vendors.originate(
      request, [this, key, id = daemon.id, incarnation, answered_already](auto answer) {
        Daemon& self = daemons[static_cast<std::size_t>(id)];
        if (self.incarnation != incarnation) return;  // nobody hears it
        at(id, world_.now, [this, key, answer, answered_already](Daemon& awake) {
          *answered_already = true;
          answered(awake, key, answer);
        });
      });
  crash_point(daemon);
}

void Fleet::answered(Daemon& daemon, Key key, const cc::OriginateAnswer& answer) {
  if (crash_point(daemon)) return;
  if (answer.verdict) told(daemon, key, answer.verdict, std::nullopt);
  store_outcome(daemon, key, answer, 0);
}

void Fleet::store_outcome(Daemon& daemon, Key key, const cc::OriginateAnswer& answer, int tries) {
  if (crash_point(daemon)) return;
  const Fate fate = commit_fate();
  const auto again = [&] {
    const Ms pause = std::min<Ms>(5'000, Ms{100} << std::min(tries, 6));
    at(daemon.id, world_.now + pause,
       [this, key, answer, tries](Daemon& self) { store_outcome(self, key, answer, tries + 1); });
  };
  if (fate == Fate::failed) return again();
  const bool taken_for_refusal =
      answer.outcome == Outcome::unknown && world_.mutant == Mutant::fails_over_on_unknown;
  std::optional<int> next;
  if (answer.outcome == Outcome::refused || taken_for_refusal) {
    cc::OriginateAnswer refusal = answer;
    refusal.never_dialled |= taken_for_refusal;
    next = store_refusal(daemon, key, refusal);
  } else {
    AttemptRow& row = world_.store.attempts.at(key);
    const bool accepted = answer.outcome == Outcome::accepted;
    if (row.state == "sending" || row.state == "unknown") {
      row.state = accepted ? "accepted" : "unknown";
      row.was_settled = true;
    }
    if (accepted && !row.channel_call_id) row.channel_call_id = answer.channel_call_id;
    cc::Facts facts;
    facts.code = answer.code;
    if (accepted) facts.channel_call_id = answer.channel_call_id;
    settle(key, accepted ? EventName::attempt_accepted : EventName::attempt_unknown, facts);
  }
  if (fate == Fate::answer_lost) return again();
  daemon.in_hand.erase(key);
  if (next && !crash_point(daemon)) send(daemon, {key.first, *next});
}

void Fleet::settle(Key key, EventName name, cc::Facts facts) {
  world_.note("call ", key.first % 1000, ".", key.second, ": ", cc::to_text(name));
  world_.store.fold_events(key.first,
                           {cc::own_event(key.first, key.second, name, world_.now, facts)});
}

void Fleet::adopt(Daemon& daemon) {
  const std::vector<std::int64_t> calls(world_.store.restless.begin(), world_.store.restless.end());
  for (const std::int64_t call : calls) {
    AttemptRow* row = world_.store.latest(call);
    if (row == nullptr) continue;
    const Key key{call, row->attempt};
    if (daemon.in_hand.contains(key)) continue;
    cc::Facts facts;
    facts.never_connected = true;
    if (row->state == "planned") {
      if (row->send_by > world_.now) {
        if (row->created < world_.now - 1'000) send(daemon, key);
        continue;
      }
      if (world_.mutant == Mutant::no_deadline) {
        send(daemon, key);
        continue;
      }
      if (commit_fate() == Fate::failed) continue;
      row->state = "refused";
      facts.close = cc::CloseFact{"255", "not_sent", "cc"};
      settle(key, EventName::attempt_refused, facts);
    } else if (row->state == "sending" && row->owner == daemon.id && row->epoch == daemon.epoch) {
      // The answer to its COMMIT was lost, so nothing was sent.
      if (commit_fate() == Fate::failed) continue;
      row->state = "refused";
      facts.close = cc::CloseFact{"255", "not_sent", "cc"};
      settle(key, EventName::attempt_refused, facts);
    } else if (row->state == "sending" && dead_owner(row->owner, row->epoch)) {
      if (commit_fate() == Fate::failed) continue;
      if (world_.mutant == Mutant::dead_owner_sends_again && row->send_by > world_.now) {
        row->state = "planned";
        send(daemon, key);
        continue;
      }
      row->state = "unknown";
      row->was_settled = true;
      facts.never_connected = false;
      settle(key, EventName::attempt_unknown, facts);
    }
  }
}

}  // namespace model
