#include "store.hpp"

#include <algorithm>

#include "fold.hpp"
#include "world.hpp"

namespace model {
using cc::EventName;
using cc::Source;

AttemptRow* Store::latest(std::int64_t call) {
  AttemptRow* found = nullptr;
  for (auto at = attempts.lower_bound({call, 0}); at != attempts.end() && at->first.first == call;
       ++at) {
    found = &at->second;
  }
  return found;
}

AttemptRow* Store::current(std::int64_t call) {
  AttemptRow* row = latest(call);
  return row != nullptr && !row->superseded ? row : nullptr;
}

// --- claims

bool Store::held(bool line, const std::string& resource, Ms now) const {
  return std::any_of(claims.begin(), claims.end(), [&](const ClaimRow& claim) {
    return claim.line == line && claim.resource == resource &&
           (!claim.release_at || *claim.release_at > now);
  });
}

bool Store::insert_claim(bool line, const std::string& resource, std::int64_t call, int attempt) {
  const bool taken = std::any_of(claims.begin(), claims.end(), [&](const ClaimRow& claim) {
    return claim.line == line && claim.resource == resource;
  });
  if (taken) return false;
  claims.push_back({line, resource, call, attempt, std::nullopt});
  return true;
}

void Store::release_due_of(const cc::Line& line) {
  std::erase_if(claims, [&](const ClaimRow& claim) {
    return claim.resource == (claim.line ? line.line_resource() : line.handset) &&
           claim.release_at && *claim.release_at <= world_.now;
  });
}

bool Store::take_line(const cc::Line& line, std::int64_t call, int attempt) {
  const std::vector<ClaimRow> savepoint = claims;
  cc::Breaker& breaker = states[line.channel].breaker;
  const cc::Breaker before = breaker;
  if (line.trial) {
    if (breaker.trials <= 0 && world_.mutant != Mutant::trial_taken_without_compare) return false;
    --breaker.trials;
    breaker.trial_at_ms = world_.now;
  }
  release_due_of(line);
  const bool handset =
      world_.mutant == Mutant::no_handset_claim || insert_claim(false, line.handset, call, attempt);
  if (handset && insert_claim(true, line.line_resource(), call, attempt)) {
    world_.checks.taken(call, line);
    return true;
  }
  claims = savepoint;
  breaker = before;
  return false;
}

void Store::write_attempt(AttemptRow row) {
  for (AgentRow& agent : agents) {
    if (agent.channel == row.channel && agent.agent == row.agent) agent.last_used = world_.now;
  }
  world_.checks.planned(row);
  const Key key{row.call, row.attempt};
  attempts[key] = std::move(row);
}

void Store::release(std::int64_t call, int attempt) {
  std::erase_if(claims, [&](const ClaimRow& claim) {
    return claim.call == call && (attempt == 0 || claim.attempt == attempt);
  });
}

void Store::release_due() {
  std::erase_if(claims, [&](const ClaimRow& claim) {
    return claim.release_at && *claim.release_at <= world_.now;
  });
}

// --- events and the fold

namespace {

bool closed_by_our_clock(const RecordRow& row, const std::set<int>& superseded, Mutant mutant) {
  if (row.folded.state != "close" || row.folded.close_source != "cc") return false;
  bool clock = false;
  for (const cc::Event& event : row.events) {
    clock |= event.name == EventName::reaped || event.name == EventName::hangup_closed;
    const bool counts =
        mutant == Mutant::old_refusal_ends_hold || !superseded.contains(event.attempt);
    if (event.name == EventName::attempt_refused && counts) return false;
  }
  return clock;
}

bool lingers(const std::vector<cc::Event>& history) {
  bool engaged = false, on_hook = false;
  for (const cc::Event& event : history) {
    engaged |= event.facts.engaged_on;
    on_hook |= event.facts.on_hook;
  }
  return engaged && !on_hook;
}

}  // namespace

Store::Folding Store::fold_events(std::int64_t call, std::vector<cc::NewEvent> events) {
  RecordRow& row = records.at(call);
  const Ms now = world_.now;
  Folding report;
  restless.insert(call);
  for (const cc::NewEvent& item : events) {
    const auto there = std::find_if(row.events.begin(), row.events.end(),
                                    [&](const auto& event) { return event.key == item.event.key; });
    if (there == row.events.end()) {
      row.events.push_back(item.event);
    } else {
      there->received_ms = std::min(there->received_ms, item.event.received_ms);
    }
  }
  const cc::Folded before = row.folded;
  const bool first = row.version == 0;
  cc::Folded after = cc::fold(row.constants, row.events);

  // Attempts that were given up and show life.
  std::set<int> superseded;
  for (const cc::Event& event : row.events) {
    if (event.name == EventName::attempt_superseded) superseded.insert(event.attempt);
  }
  std::vector<int> abandoned;
  for (const int attempt : superseded) {
    const bool lives = std::any_of(events.begin(), events.end(), [&](const cc::NewEvent& item) {
      const cc::Event& event = item.event;
      return event.attempt == attempt && event.source != Source::cc &&
             event.received_ms > now - cc::action_age_ms && event.name != EventName::closed &&
             event.name != EventName::recorded && !is_trailing(event);
    });
    const bool over = std::any_of(row.events.begin(), row.events.end(), [&](const auto& event) {
      return event.attempt == attempt && event.source != Source::cc &&
             event.name == EventName::closed;
    });
    if (lives && !over) abandoned.push_back(attempt);
  }

  update_attempts(call, events);
  for (const int attempt : abandoned) {
    ++alarms_abandoned;
    AttemptRow& given_up = attempts.at({call, attempt});
    if (given_up.hangup_accepted || world_.mutant == Mutant::abandoned_not_hung_up) continue;
    given_up.hangup_asked = given_up.hangup_asked.value_or(now);
    given_up.hangup_ever_asked = true;
  }
  if (!first && after == before) return report;
  row.folded = std::move(after);
  ++row.version;
  if (row.folded.late_life && !before.late_life) ++alarms_late_life;
  const bool young = std::any_of(events.begin(), events.end(), [&](const cc::NewEvent& item) {
    return item.event.source != Source::cc && item.event.received_ms > now - cc::action_age_ms;
  });
  const bool closed = row.folded.state == "close" && before.state != "close";
  const bool met = row.folded.state == "conn" && before.state == "init";
  if (young && (closed || met) && !(closed && row.folded.close_source == "cc")) {
    report.judged_failed = closed && (row.folded.close_type == "6" || row.folded.close_type == "7");
    report.judged_attempt = latest(call)->attempt;
  }
  world_.checks.folded(row, before, superseded);

  // What becomes of the claims.
  const bool own_clock = closed_by_our_clock(row, superseded, world_.mutant);
  const bool is_closed = row.folded.state == "close", was_closed = before.state == "close";
  const auto each_claim = [&](auto&& change) {
    for (ClaimRow& claim : claims) {
      if (claim.call == call) change(claim);
    }
  };
  if (is_closed && !own_clock && lingers(row.events)) {
    each_claim([&](ClaimRow& claim) {
      const Ms at = now + cc::line_linger_ms;
      claim.release_at = std::min(claim.release_at.value_or(at), at);
    });
  } else if (is_closed && !own_clock) {
    if (world_.mutant != Mutant::claims_stay_after_refusal || row.folded.close_source != "cc") {
      release(call);
    }
  } else if (was_closed && (!is_closed || (row.folded.late_life && !before.late_life))) {
    if (world_.mutant == Mutant::late_life_forgotten) return report;
    each_claim([](ClaimRow& claim) { claim.release_at.reset(); });
    AttemptRow* attempt = current(call);
    if (attempt == nullptr) return report;
    for (const bool line : {false, true}) {
      const bool has = std::any_of(claims.begin(), claims.end(), [&](const ClaimRow& claim) {
        return claim.call == call && claim.line == line;
      });
      if (has) continue;
      const std::string resource =
          line ? attempt->channel + "/" + attempt->agent : attempt->handset;
      if (!insert_claim(line, resource, call, attempt->attempt)) attempt->retake_failed = true;
    }
    // Nobody else will free them if the channel says nothing more: it is asked (again).
    if (attempt->channel_call_id && world_.mutant != Mutant::late_life_not_asked_about) {
      attempt->query_due = attempt->query_due.value_or(now);
      attempt->given_up = false;
    }
  } else if (is_closed && !was_closed) {
    each_claim([&](ClaimRow& claim) {
      if (claim.release_at) return;
      const AttemptRow& holder = attempts.at({call, claim.attempt});
      claim.release_at = std::max(now, holder.sent.value_or(0) + cc::own_close_hold_ms);
      if (world_.mutant == Mutant::no_hold) claim.release_at = now;
    });
  }
  return report;
}

/// An event that carries our id or the channel's is the channel's word that it took the call.
void Store::update_attempts(std::int64_t call, const std::vector<cc::NewEvent>& events) {
  for (const cc::NewEvent& item : events) {
    if (item.event.source == Source::cc || item.event.attempt == 0) continue;
    if (item.channel_call_id.empty()) continue;
    const auto at = attempts.find({call, item.event.attempt});
    if (at == attempts.end()) continue;
    AttemptRow& row = at->second;
    if (!row.channel_call_id) row.channel_call_id = item.channel_call_id;
    if (row.state == "sending" || row.state == "unknown") {
      row.state = "accepted";
      row.was_settled = true;
    }
  }
}

}  // namespace model
