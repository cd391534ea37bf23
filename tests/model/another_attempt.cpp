// Mirrors daemon/call/another_attempt.cpp: a refusal is stored, and closes the call or plans the
// next attempt, in one transaction.
#include "call/display.hpp"
#include "call/failover.hpp"
#include "call/wish.hpp"
#include "world.hpp"

namespace model {
using cc::EventName;

std::optional<int> Fleet::store_refusal(Daemon& daemon, Key key,
                                        const cc::OriginateAnswer& answer) {
  Store& store = world_.store;
  AttemptRow& row = store.attempts.at(key);
  const RecordRow& record = store.records.at(key.first);
  const Mutant mutant = world_.mutant;
  const Ms created = record.constants.created;

  cc::NewCall request = world_.asked.at(key.first).request;
  cc::apply_wish(row.wish, request);
  cc::FailedAttempt failed;
  failed.attempt = key.second;
  failed.channel = row.channel;
  failed.agent = row.agent;
  failed.refused = true;
  failed.never_dialled = answer.never_dialled || mutant == Mutant::fails_over_on_any_code;
  failed.line_fault = answer.line_fault;
  failed.ours = row.state == "sending" && row.owner == daemon.id && row.epoch == daemon.epoch &&
                daemon.unconfirmed_until <= world_.now;
  if (mutant == Mutant::late_refusal_fails_over) failed.ours = row.state != "refused";
  failed.hangup_asked = row.hangup_asked || record.folded.state == "close";
  if (mutant == Mutant::hung_up_fails_over) failed.hangup_asked = false;
  failed.words = answer.code;
  if (mutant == Mutant::leaves_named_channel) request.channel.reset();
  cc::Failover decision = cc::after_failure(failed, request.agent.has_value(),
                                            request.channel.has_value(), created, world_.now);

  if (row.state == "sending" || row.state == "unknown") row.state = "refused";
  row.line_fault = answer.line_fault;
  std::optional<cc::Line> line;
  if (decision.next) {
    const std::vector<ClaimRow> savepoint = store.claims;
    store.release(key.first, key.second);
    std::set<std::string> channels, lines;
    for (const auto& [other, tried] : store.attempts) {
      if (other.first != key.first) continue;
      lines.insert(tried.channel + "/" + tried.agent);
      if (!tried.line_fault) channels.insert(tried.channel);
    }
    const cc::Needs needs =
        cc::needs_of(request, cc::display_from_text(record.constants.display_requested));
    auto found = find_lines(request, needs, std::move(channels), std::move(lines));
    if (auto* choice = std::get_if<std::vector<cc::Line>>(&found)) {
      for (const cc::Line& each : *choice) {
        if (!store.take_line(each, key.first, key.second + 1)) continue;
        line = each;
        break;
      }
    }
    if (!line) {
      store.claims = savepoint;
      decision.reason = "no other line can make the call";
    }
  }

  cc::Facts facts;
  facts.code = answer.code;
  facts.close = answer.close;
  facts.never_connected = true;
  std::vector<cc::NewEvent> events;
  if (!line) {
    facts.reason = "not tried elsewhere: " + decision.reason;
    world_.note("call ", key.first % 1000, ".", key.second, " is refused (", answer.code, "), ",
                *facts.reason);
    events.push_back(
        cc::own_event(key.first, key.second, EventName::attempt_refused, world_.now, facts));
    store.fold_events(key.first, std::move(events));
    return std::nullopt;
  }
  world_.note("call ", key.first % 1000, ".", key.second, " is superseded, next ",
              line->line_resource(), ": ", decision.reason);
  cc::Facts planned;
  planned.channel = line->channel;
  planned.agent = line->agent;
  planned.reason = line->reason;
  events.push_back(
      cc::own_event(key.first, key.second, EventName::attempt_refused, world_.now, facts));
  events.push_back(cc::own_event(key.first, key.second, EventName::attempt_superseded, world_.now));
  events.push_back(
      cc::own_event(key.first, key.second + 1, EventName::attempt_planned, world_.now, planned));
  row.superseded = true;
  AttemptRow next;
  next.call = key.first;
  next.attempt = key.second + 1;
  next.channel = line->channel;
  next.agent = line->agent;
  next.handset = line->handset;
  next.wish = row.wish;
  next.created = world_.now;
  next.send_by = created + cc::attempt_window_ms;
  store.write_attempt(std::move(next));
  store.records.at(key.first).constants.caller = line->handset;
  store.fold_events(key.first, std::move(events));
  return key.second + 1;
}

}  // namespace model
