#include "schedules_oracle.hpp"

#include <algorithm>
#include <sstream>

namespace cc::test {
namespace {

// A daemon notes when a claim is taken or released before it writes it, and may wait for a lock.
constexpr Instant claim_slack_ms = 2000;
// From the last look at the clock to the simulator's line.
constexpr Instant way_ms = 1500;
constexpr Instant window_ms = 15'000;

bool between(const std::string& code, long low, long high) {
  if (code.size() != 6 || code.find_first_not_of("0123456789") != std::string::npos) return false;
  const long number = std::stol(code);
  return number >= low && number <= high;
}

/// By channels.md: the code itself proves that no phone rang, and it is the channel's own fault.
bool proves_never_dialled(const Dial& dial) {
  if (dial.channel != "hw") {
    return between(dial.code, 900000, 900199) || between(dial.code, 900204, 900208) ||
           between(dial.code, 900222, 900223);
  }
  static const std::set<std::string> codes{"000-003", "100-006", "105-005", "105-006", "105-007"};
  return codes.contains(dial.code);
}

std::string told(const Dial& dial) {
  return dial.channel + (dial.agent.empty() ? "" : "/" + dial.agent) +
         (dial.attempt == 0 ? "" : " attempt " + std::to_string(dial.attempt)) + " at " +
         std::to_string(dial.at) + (dial.id.empty() ? "" : " became " + dial.id) +
         (dial.code.empty() ? "" : " refused " + dial.code) + (dial.unsaid ? " unsaid" : "") +
         " rang A " + std::to_string(dial.rings_a) + " B " + std::to_string(dial.rings_b) +
         (dial.over ? " ended " + dial.end : "");
}

std::string told(const KeptRecord& record) {
  std::string text = record.call + " is type " + record.type + " " + record.detail + " by " +
                     record.source + " (" + record.channel + ")";
  for (const KeptAttempt& one : record.attempts) {
    text += "; attempt " + std::to_string(one.number) + " " + one.line() + " " + one.state +
            (one.code.empty() ? "" : " " + one.code) + (one.superseded ? " superseded" : "");
  }
  return text;
}

std::set<long> stored_numbers(const Stack& stack) {
  std::set<long> numbers;
  std::istringstream lines(
      stack.sql("SELECT (regexp_match(convert_from(substring(raw FROM position('\\x0a'::bytea "
                "IN raw) + 1), 'UTF8'), '\"simSeq\":([0-9]+)'))[1] FROM call_event "
                "WHERE source = 'poll'"));
  for (long number = 0; lines >> number;) numbers.insert(number);
  return numbers;
}

}  // namespace

ScheduleOracle::ScheduleOracle(const Stack& stack, std::vector<ScheduleLoad::Made> made,
                               const std::vector<ScheduleStrike>& strikes, Instant jumped)
    : stack_(stack),
      made_(std::move(made)),
      strikes_(strikes),
      jumped_(jumped),
      journals_(stack),
      gateway_(stack.env("CC_GATEWAY_JOURNAL")),
      kept_(stack),
      stored_(stored_numbers(stack)) {}

void ScheduleOracle::complain(std::string what, std::string told, std::string call) {
  complaints_.push_back({std::move(what), std::move(told), std::move(call)});
}

/// A request that nobody answered may still stand in the queue of a frozen daemon, which makes the
/// call when it goes on: after another daemon has said no to its repeat. The application hears no
/// while its phone rings; no key can help, since a refusal leaves none. Such calls are judged as
/// any.
void ScheduleOracle::find_belated() {
  for (ScheduleLoad::Made& made : made_) {
    if (!made.call.empty() || made.unanswered == 0) continue;
    const auto found = kept_.calls.find(std::to_string(made.schedule.number));
    if (found == kept_.calls.end()) continue;
    made.call = found->second;
    ++belated_;
  }
  if (belated_ * 100 > std::ssize(made_))
    complain("too many calls of requests that nobody answered", std::to_string(belated_));
}

void ScheduleOracle::judge() {
  find_belated();
  for (const ScheduleLoad::Made& made : made_) {
    if (!made.call.empty()) called_[made.call] = made.schedule.called;
  }
  judge_requests();
  judge_violations();
  for (const ScheduleLoad::Made& made : made_) {
    const auto found = kept_.records.find(made.call);
    if (found == kept_.records.end()) continue;
    const KeptRecord& record = found->second;
    if (record.attempts.empty()) {
      complain("a record without an attempt", told(record), record.call);
      continue;
    }
    if (record.state != "close") complain("not closed", told(record), record.call);
    ++ends_[record.detail + " by " + record.source];
    our_clock_ += record.our_clock;
    judge_attempts(made, record);
  }
  judge_claims();
  judge_handsets();
}

/// What was taken is there once, what was not taken is not.
void ScheduleOracle::judge_requests() {
  std::set<std::string> known;
  for (const ScheduleLoad::Made& made : made_) {
    ++statuses_[std::to_string(made.status)];
    const std::string number = std::to_string(made.schedule.number);
    const auto [from, to] = kept_.calls.equal_range(number);
    if (made.call.empty()) {
      if (from != to)
        complain("refused, but there is a record",
                 std::to_string(made.status) + " " + made.problem + ": " + from->second,
                 from->second);
      if (!journals_.of(made.schedule.called).empty())
        complain("refused, but dialled", made.problem);
      continue;
    }
    ++forms_[made.schedule.form];
    known.insert(made.call);
    if (std::distance(from, to) != 1 || from->second != made.call)
      complain("accepted, but there is not just its record",
               made.call + ": " + std::to_string(std::distance(from, to)) + " records", made.call);
  }
  for (const auto& [call, record] : kept_.records) {
    if (!known.contains(call)) complain("a record that nobody asked for", told(record), call);
  }
}

void ScheduleOracle::judge_api() {
  for (const ScheduleLoad::Made& made : made_) {
    if (made.call.empty()) continue;
    const Answer answer = stack_.get("/v1/calls/" + made.call);
    const auto record = kept_.records.find(made.call);
    if (answer.status != 200 || record == kept_.records.end()) {
      complain("accepted, but the API does not know it", answer.text, made.call);
    } else if (answer.at("state") != record->second.state ||
               answer.at("closeType") != record->second.type ||
               answer.at("channel") != record->second.channel) {
      complain("the API says otherwise", answer.text, made.call);
    }
  }
}

void ScheduleOracle::judge_violations() {
  for (const json::object& line : journals_.violations()) {
    // Polls of a killed daemon stand at the gateway until they are answered, to nobody.
    const Instant at = std::stoll(text_at(line, "at"));
    const bool to_the_dead = text_at(line, "what") == "poll_too_soon" &&
                             std::ranges::any_of(strikes_, [&](const ScheduleStrike& strike) {
                               return (strike.what == "kill" || strike.what == "freeze") &&
                                      at >= strike.from && at <= strike.to + Site::poll_ms + 1000;
                             });
    // And timers that fell due because the clock was put forward.
    const bool by_jump = text_at(line, "what") == "poll_too_soon" && at >= jumped_;
    if (!to_the_dead && !by_jump)
      complain("violation",
               json::serialize(line) + journals_.seat_lines(text_at(line, "agent"), at));
  }
}

void ScheduleOracle::judge_rings(const KeptRecord& record, const std::vector<const Dial*>& dials) {
  int rings_a = 0, rings_b = 0;
  std::string all;
  for (const Dial* dial : dials) {
    rings_a += dial->rings_a;
    rings_b += dial->rings_b;
    all += "; " + told(*dial);
    if (!dial->call.empty() && dial->call != record.call)
      complain("dialled under another call's id", told(*dial), record.call);
    if (dial->at > record.created + window_ms + way_ms)
      complain("asked for after its 15 s", told(*dial), record.call);
  }
  if (rings_a > 1) complain("leg A rung more than once", told(record) + all, record.call);
  if (rings_b > 1) complain("leg B rung more than once", told(record) + all, record.call);
}

void ScheduleOracle::judge_attempts(const ScheduleLoad::Made& made, const KeptRecord& record) {
  const Schedule& schedule = made.schedule;
  const std::vector<const Dial*> dials = journals_.of(schedule.called);
  judge_rings(record, dials);
  const std::string& call = record.call;
  ++attempts_[std::to_string(record.attempts.size())];
  failed_over_ += record.attempts.size() > 1;
  if (record.attempts.size() > 3) complain("more than 3 attempts", told(record), call);
  if (record.last().superseded) complain("its last attempt is superseded", told(record), call);

  std::size_t placed = 0;
  for (const KeptAttempt& attempt : record.attempts) {
    const std::string what = told(record) + ": attempt " + std::to_string(attempt.number);
    for (const Instant begun : {attempt.created, attempt.sent}) {
      if (begun != 0 && begun > record.created + window_ms)
        complain("begun after 15 s", what, call);
    }
    if (schedule.agent && attempt.agent != *schedule.agent)
      complain("the named agent is left", what, call);
    if (schedule.channel && attempt.channel != *schedule.channel)
      complain("the named channel is left", what, call);
    if (!schedule.lines.empty() && !schedule.lines.contains(attempt.line()))
      complain("a line that the user is not bound to", what, call);
    if (attempt.superseded && attempt.alive && !attempt.hung_up)
      complain("an abandoned attempt lives and was not hung up", what, call);

    Dialled dialled{&attempt, {}};
    for (const Dial* dial : dials) {
      const bool by_echo = dial->channel == attempt.channel && dial->attempt == attempt.number;
      const bool by_line =
          dial->channel == "hw" && attempt.channel == "hw" && dial->agent == attempt.agent;
      if (by_echo || by_line) dialled.dials.push_back(dial);
    }
    placed += dialled.dials.size();
    if (!attempt.superseded) {
      if (attempt.number == record.last().number) judge_end(record, dialled);
      continue;
    }
    for (const Dial* dial : dialled.dials) {
      if (dial->rings_a + dial->rings_b > 0)
        complain("left for another although it rang", what + "; " + told(*dial), call);
      else if (!proves_never_dialled(*dial))
        complain("left for another although nobody could know", what + "; " + told(*dial), call);
    }
    if (attempt.state != "refused")
      complain("left for another although it was not refused", what, call);
  }
  if (placed != dials.size()) {
    std::string all;
    for (const Dial* dial : dials) all += "; " + told(*dial);
    complain("dialled without an attempt, or twice for one", told(record) + all, call);
  }
}

void ScheduleOracle::judge_end(const KeptRecord& record, const Dialled& dialled) {
  const KeptAttempt& attempt = *dialled.attempt;
  if (record.channel != attempt.channel || record.agent != attempt.agent ||
      record.caller != attempt.handset || record.channel_call_id != attempt.channel_call_id) {
    complain("another attempt shows in the record",
             told(record) + ": agent " + record.agent + ", caller " + record.caller + ", id " +
                 record.channel_call_id,
             record.call);
  }
  const Dial* real = nullptr;
  for (const Dial* dial : dialled.dials) {
    if (!dial->id.empty() && !dial->withdrawn) real = dial;
  }
  if (real == nullptr) return judge_undialled_end(record, dialled);
  if (!real->over) return complain("it lives on", told(record) + "; " + told(*real), record.call);
  if (attempt.state == "refused")
    complain("refused by CC's word, but it was dialled", told(record) + "; " + told(*real),
             record.call);
  if (!attempt.channel_call_id.empty() && attempt.channel_call_id != real->id)
    complain("another channel call id", told(record) + "; " + told(*real), record.call);
  attempt.channel == "hw" ? judge_gateway_end(record, *real) : judge_jiuyun_end(record, *real);
}

void ScheduleOracle::must_be(const KeptRecord& record, const std::set<std::string>& types,
                             const std::string& since) {
  ++strict_;
  if (!types.contains(record.type))
    complain("closed wrongly", told(record) + "; " + since, record.call);
}

void ScheduleOracle::judge_jiuyun_end(const KeptRecord& record, const Dial& dial) {
  const bool by_channel = record.source == "callback" || record.source == "query";
  if ((dial.told_end || dial.asked_end) && !by_channel)
    complain("the channel told its end, but the record has another's word",
             told(record) + "; " + told(dial), record.call);
  if (!by_channel) {
    // Its end was lost, and its id too or the channel would have been asked.
    ++excused_;
    if (!dial.id.empty() && !record.channel_call_id.empty())
      complain("never asked how it ended", told(record) + "; " + told(dial), record.call);
    return;
  }
  const bool known = dial.end.size() == 1 && dial.end >= "0" && dial.end <= "7";
  must_be(record, {known ? dial.end : "255"}, told(dial));
  if (record.duration != std::to_string(dial.duration))
    complain("another duration",
             told(record) + ": " + record.duration + "; " + told(dial) + " after " +
                 std::to_string(dial.duration) + " s",
             record.call);
}

void ScheduleOracle::judge_gateway_end(const KeptRecord& record, const Dial& dial) {
  const auto call = gateway_.calls().find(dial.id);
  const bool all_told = call != gateway_.calls().end() && !journals_.lost_events(dial.called) &&
                        std::ranges::all_of(call->second.events,
                                            [&](long number) { return stored_.contains(number); });
  if (!all_told) {
    ++excused_;
    return;
  }
  const auto right =
      dial.end == "a_unreached" ? std::optional(RightClose{"1", {}}) : right_close(call->second);
  if (!right) {
    ++excused_;
    return;
  }
  must_be(record, {right->type}, told(dial));
}

void ScheduleOracle::judge_undialled_end(const KeptRecord& record, const Dialled& dialled) {
  const KeptAttempt& attempt = *dialled.attempt;
  std::string code, since = "no phone was dialled";
  for (const Dial* dial : dialled.dials) {
    code = dial->code;
    since += "; " + told(*dial);
  }
  if (!record.duration.empty() && record.duration != "0")
    complain("a duration, but no call", told(record) + "; " + since, record.call);
  if (attempt.state == "unknown") return must_be(record, {"7"}, since);
  if (attempt.state != "refused") return complain("what became of it", told(record), record.call);
  static const std::map<std::string, std::string> types{
      {"not_connected", "7"}, {"not_resolved", "7"}, {"tls_failed", "7"}, {"withheld", "255"},
      {"not_sent", "255"},    {"cancelled", "255"},  {"900200", "1"},     {"900201", "1"},
      {"900220", "1"},        {"900202", "2"},       {"900203", "2"},     {"900221", "2"},
      {"100-013", "1"},       {"100-014", "1"}};
  if (!code.empty() && attempt.code != code && !types.contains(attempt.code) &&
      attempt.code != "not_signed_in")
    complain("another code", told(record) + "; " + since, record.call);
  const auto type = types.find(attempt.code);
  must_be(record, {type == types.end() ? "6" : type->second}, since);
}

void ScheduleOracle::judge_claims() {
  const KeptClaim* before = nullptr;
  for (const KeptClaim& claim : kept_.claims) {
    const std::string what = claim.kind + " " + claim.resource + " of " + claim.call + " from " +
                             std::to_string(claim.taken) + " to " + std::to_string(claim.released);
    if (claim.released == 0) complain("a claim is held for ever", what, claim.call);
    const bool same =
        before != nullptr && before->kind == claim.kind && before->resource == claim.resource;
    if (same && (before->released == 0 || before->released > claim.taken + claim_slack_ms))
      complain("two claims at once",
               what + ", and of " + before->call + " until " + std::to_string(before->released),
               claim.call);
    before = &claim;
  }
}

/// No handset rings at two channels at once; a simulator sees only its own.
void ScheduleOracle::judge_handsets() {
  std::map<std::string, std::vector<const Dial*>> handsets;
  for (const Dial& dial : journals_.dials()) {
    if (dial.rang != 0) handsets[dial.handset].push_back(&dial);
  }
  std::map<std::string, std::string> calls;  // customer → call
  for (const auto& [call, called] : called_) calls[called] = call;
  for (auto& [handset, dials] : handsets) {
    std::ranges::sort(dials, {}, &Dial::rang);
    const Dial* longest = nullptr;
    for (const Dial* dial : dials) {
      if (longest != nullptr && (longest->freed == 0 || longest->freed > dial->rang)) {
        // Allowed only where our own clock has closed the first one: nobody told its end.
        const auto first = kept_.records.find(calls[longest->called]);
        const bool honest = first != kept_.records.end() && first->second.our_clock;
        ++handset_overlaps_[honest ? "after our own clock's close" : "for no reason"];
        if (!honest)
          complain("a handset rings twice at once",
                   handset + ": " + told(*longest) + " until " + std::to_string(longest->freed) +
                       ", and " + told(*dial) + " from " + std::to_string(dial->rang),
                   calls[dial->called]);
      }
      if (longest == nullptr || dial->freed == 0 || dial->freed > longest->freed) longest = dial;
    }
  }
  if (handset_overlaps_["after our own clock's close"] * 100 > std::ssize(made_))
    complain("too many handsets ring twice after our own clock's close", figures());
}

std::string ScheduleOracle::timeline(const std::string& call) const {
  const auto called = called_.find(call);
  return "    " + stack_.get("/v1/calls/" + call + "/events").text + "\n" +
         journals_.lines_with({call, called == called_.end() ? "" : called->second});
}

std::string ScheduleOracle::figures() const {
  std::ostringstream text;
  const auto list = [&](const char* what, const std::map<std::string, long>& figures) {
    text << "\n  " << what << ":";
    for (const auto& [name, n] : figures) text << "  " << name << ": " << n;
  };
  text << made_.size() << " requests, " << called_.size() << " calls, " << failed_over_
       << " tried elsewhere, " << our_clock_ << " closed by our own clock, " << strict_
       << " ends compared, " << excused_ << " could not be told, " << belated_
       << " made by a request that nobody answered\n  " << journals_.figures();
  list("answers", statuses_);
  list("forms", forms_);
  list("attempts", attempts_);
  list("ends", ends_);
  list("handsets rung twice at once", handset_overlaps_);
  std::map<std::string, long> strikes;
  for (const ScheduleStrike& strike : strikes_) ++strikes[strike.what];
  list("strikes", strikes);
  return text.str();
}

}  // namespace cc::test
