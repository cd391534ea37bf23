#include "checks.hpp"

#include <algorithm>

#include "call/failover.hpp"
#include "vendor.hpp"
#include "world.hpp"

namespace model {
using cc::EventName;

void Checks::require(bool holds, const std::string& what) const {
  if (holds) return;
  world_.note("VIOLATION: ", what);
  throw Violation(what);
}

namespace {

std::string name(std::int64_t call, int attempt = 0) {
  std::string text = "call " + std::to_string(call % 1000);
  if (attempt > 0) text += "." + std::to_string(attempt);
  return text;
}

/// By the table of rules.md: what allows another attempt.
bool never_dialled(Act act) {
  switch (act) {
    case Act::refuses_connection:
    case Act::connect_timeout:
    case Act::coded_500:
    case Act::never_dialled:
    case Act::line_fault:
    case Act::lies:
      return true;
    default:
      return false;
  }
}

/// When our own clock closed it; else nothing.
OptMs own_clock_close(const RecordRow& record) {
  OptMs at;
  for (const cc::Event& event : record.events) {
    if (event.name == EventName::reaped || event.name == EventName::hangup_closed) {
      at = std::min(at.value_or(event.received_ms), event.received_ms);
    }
  }
  return at;
}

}  // namespace

/// A phone that rings or talks for another call is not to be had. Unless CC could not know: nobody
/// told it of that call's end for minutes, or the channel lied.
void Checks::no_other_call_on(const std::string& handset, std::int64_t call) const {
  for (const VendorCall& other : world_.vendors.calls) {
    if (other.over || other.lied || other.call == call || other.handset != handset) continue;
    const RecordRow& record = world_.store.records.at(other.call);
    const AttemptRow& row = world_.store.attempts.at({other.call, other.attempt});
    if (const OptMs closed = own_clock_close(record)) {
      const Ms hold = std::max(*closed, row.sent.value_or(0) + cc::own_close_hold_ms);
      if (world_.now >= hold && (!record.folded.late_life || row.retake_failed)) continue;
    }
    require(false, name(call) + " takes phone " + handset + ", which is in " +
                       name(other.call, other.attempt));
  }
}

void Checks::taken(std::int64_t call, const cc::Line& line) {
  no_other_call_on(line.handset, call);
}

void Checks::planned(const AttemptRow& row) {
  const Asked& asked = world_.asked.at(row.call);
  const Ms created =
      row.attempt == 1 ? row.created : world_.store.records.at(row.call).constants.created;
  require(row.attempt <= cc::most_attempts, name(row.call) + " has more than 3 attempts");
  require(row.send_by - created <= cc::attempt_window_ms, name(row.call) + " may be sent too late");
  const auto& request = asked.request;
  require(!request.channel || *request.channel == row.channel,
          name(row.call, row.attempt) + " leaves the channel that the request names");
  require(!request.agent || *request.agent == row.agent,
          name(row.call, row.attempt) + " leaves the agent that the request names");
  if (row.attempt == 1) return;
  const AttemptRow& before = world_.store.attempts.at({row.call, row.attempt - 1});
  require(!before.was_settled, name(row.call, row.attempt) + " follows a late refusal");
  require(!before.hangup_asked, name(row.call, row.attempt) + " is made though it was hung up");
  const auto act = world_.vendors.acts.find({before.call, before.attempt});
  const bool proven = act == world_.vendors.acts.end() || never_dialled(act->second);
  require(proven, name(row.call, row.attempt) + " follows what does not prove that nothing rang");
  for (const VendorCall& rung : world_.vendors.calls) {
    require(rung.call != row.call || rung.lied, name(row.call, row.attempt) +
                                                    " is planned though " +
                                                    name(rung.call, rung.attempt) + " was dialled");
  }
}

void Checks::sent(const Request& request) {
  const Asked& asked = world_.asked.at(request.call);
  const AttemptRow& row = world_.store.attempts.at({request.call, request.attempt});
  require(++originates_[{request.call, request.attempt}] == 1,
          name(request.call, request.attempt) + " is sent twice");
  require(
      world_.now - world_.store.records.at(request.call).constants.created < cc::attempt_window_ms,
      name(request.call, request.attempt) + " is sent after 15 s");
  const cc::Capabilities& can = world_.config.channels.at(request.channel).can;
  if (asked.display.hide_customer) {
    require(can.hide_customer && !request.show_a.empty(),
            name(request.call) + " shows the customer's number to A");
  }
  if (asked.display.hide_agent) {
    require(can.hide_agent && !request.show_b.empty(),
            name(request.call) + " shows the agent's number to B");
  }
  require(row.sent.has_value() && !row.superseded,
          name(request.call, request.attempt) + " is sent though it never began");
}

void Checks::dialled(const VendorCall& fresh) {
  no_other_call_on(fresh.handset, fresh.call);
  const AttemptRow& row = world_.store.attempts.at({fresh.call, fresh.attempt});
  require(row.state != "refused",
          name(fresh.call, fresh.attempt) + " rings though it counts as refused");
  for (const VendorCall& other : world_.vendors.calls) {
    if (&other == &fresh || other.call != fresh.call) continue;
    require(other.lied, name(fresh.call) + " rings twice");
  }
  // The phone is held for it, or its time is long over.
  const std::string line = row.channel + "/" + row.agent;
  const auto holds = [&](bool is_line, const std::string& resource) {
    return std::any_of(
        world_.store.claims.begin(), world_.store.claims.end(), [&](const ClaimRow& claim) {
          return claim.line == is_line && claim.resource == resource && claim.call == fresh.call;
        });
  };
  const bool holds_handset = holds(false, row.handset);
  require((holds(true, line) && holds_handset) || world_.now > *row.sent + cc::own_close_hold_ms,
          name(fresh.call) + " rings a phone that it does not hold");
}

void Checks::folded(const RecordRow& row, const cc::Folded& before,
                    const std::set<int>& superseded) {
  const std::int64_t call = row.constants.id;
  if (row.folded.state == "close") {
    const bool closes = std::any_of(row.events.begin(), row.events.end(), [&](const auto& event) {
      const bool end = event.name == EventName::closed ||
                       event.name == EventName::attempt_refused ||
                       event.name == EventName::reaped || event.name == EventName::hangup_closed;
      return end && !superseded.contains(event.attempt);
    });
    require(closes, name(call) + " is closed by a superseded attempt");
  }
  const AttemptRow* latest = world_.store.latest(call);
  require(before.state != "close" || latest == nullptr || latest->state != "planned" ||
              row.folded.state == "close",
          name(call) + " is opened again by an attempt that nobody has sent");
}

void Checks::reaped(std::int64_t call, Ms base) {
  require(world_.now - base >= world_.config.reaper.silence.count(),
          name(call) + " is reaped before it was silent for 3 min");
  for (const auto& [received, of] : world_.stream.pending()) {
    require(of != call || received > base + world_.config.reaper.silence.count(),
            name(call) + " is reaped though its word is on its way");
  }
}

void Checks::life_of_superseded(std::int64_t call, int attempt) {
  // What tells of its beginning after its end is nothing to hang up.
  const RecordRow& record = world_.store.records.at(call);
  const bool over =
      std::any_of(record.events.begin(), record.events.end(), [&](const cc::Event& event) {
        return event.attempt == attempt && event.name == EventName::closed;
      });
  if (!over) lives_.insert({call, attempt});
}

/// After every step: words are only made where something is wrong.
void Checks::step() {
  const auto& claims = world_.store.claims;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (claims[i].line != claims[j].line || claims[i].resource != claims[j].resource) continue;
      require(false, claims[i].resource + " is claimed twice");
    }
  }
  for (const auto& [channel, state] : world_.store.states) {
    if (state.breaker.trials >= 0) continue;
    require(false, channel + " has given out more trial calls than it had");
  }
}

void Checks::at_rest() {
  for (const auto& [call, record] : world_.store.records) {
    require(record.folded.state == "close", name(call) + " never ends");
  }
  for (const auto& [key, row] : world_.store.attempts) {
    require(row.state != "planned" && row.state != "sending",
            name(key.first, key.second) + " is left " + row.state);
  }
  for (const ClaimRow& claim : world_.store.claims) {
    require(false, claim.resource + " is never released by " + name(claim.call, claim.attempt));
  }
  for (const Key& key : lives_) {
    require(world_.store.alarms_abandoned > 0, name(key.first, key.second) + ": no alarm");
    require(world_.store.attempts.at(key).hangup_ever_asked,
            name(key.first, key.second) + " was given up, lives, and is not hung up");
  }
}

}  // namespace model
