// Mirrors daemon/call/create.cpp: a call, its first attempt and its claims in one transaction.
#include "call/create.hpp"

#include "call/display.hpp"
#include "call/failover.hpp"
#include "call/wish.hpp"
#include "world.hpp"

namespace model {

void Fleet::create(int id, const Asked& asked) {
  Daemon& daemon = daemons[static_cast<std::size_t>(id)];
  if (!awake(daemon)) return;  // the application hears 502 and there is no call
  const Fate fate = commit_fate();
  if (fate == Fate::failed) return;
  look();
  auto choice = find_lines(asked.request, cc::needs_of(asked.request, asked.display), {}, {});
  auto* found = std::get_if<std::vector<cc::Line>>(&choice);
  if (found == nullptr) {
    world_.note("refused: ", std::get<cc::Refusal>(choice).detail);
    return;
  }
  std::vector<cc::Line> lines = std::move(*found);
  const std::size_t all = lines.size();
  for (std::size_t i = 0; i < all; ++i) {
    if (!lines[i].trial) continue;
    cc::Line last = lines[i];
    last.trial = false;
    lines.push_back(std::move(last));
  }
  // Others come in between: only their claims and trials hold against them.
  if (!world_.draw.chance(world_.together))
    return take_one(daemon, asked, lines, fate == Fate::answer_lost);
  at(id, world_.now + world_.draw.between(1, 20),
     [this, asked, lines, lost = fate == Fate::answer_lost](Daemon& self) {
       if (world_.now >= world_.away_until) take_one(self, asked, lines, lost);
     });
}

void Fleet::take_one(Daemon& daemon, const Asked& asked, const std::vector<cc::Line>& lines,
                     bool answer_lost) {
  const std::int64_t call = cc::make_call_id(world_.now, ++world_.store.sequence);
  for (const cc::Line& line : lines) {
    // The call is known to the checks before its line is.
    world_.asked[call] = asked;
    if (!world_.store.take_line(line, call, 1)) {
      world_.asked.erase(call);
      continue;
    }
    RecordRow record;
    cc::Constants& constants = record.constants;
    constants.id = call;
    constants.tenant = asked.request.tenant;
    constants.initiator = asked.request.initiator;
    constants.main_num = asked.request.main_num;
    constants.caller = line.handset;
    constants.called = asked.request.called;
    constants.display_requested = cc::to_text(asked.display);
    constants.max_duration = asked.request.max_duration.value_or(3600);
    constants.record = asked.request.record;
    constants.created = world_.now;
    world_.store.records[call] = std::move(record);
    AttemptRow attempt;
    attempt.call = call;
    attempt.channel = line.channel;
    attempt.agent = line.agent;
    attempt.handset = line.handset;
    attempt.wish = cc::wish_of(asked.request);
    attempt.created = world_.now;
    attempt.send_by = world_.now + cc::attempt_window_ms;
    world_.store.write_attempt(std::move(attempt));
    cc::Facts facts;
    facts.channel = line.channel;
    facts.agent = line.agent;
    facts.reason = line.reason;
    world_.store.fold_events(
        call, {cc::own_event(call, 1, cc::EventName::attempt_planned, world_.now, facts)});
    world_.note("call ", call % 1000, " is made by daemon ", daemon.id, ": ", line.line_resource(),
                " (", line.reason, ")");
    if (answer_lost || crash_point(daemon)) return;
    return send(daemon, {call, 1});
  }
  world_.note("refused: busy");
}

}  // namespace model
