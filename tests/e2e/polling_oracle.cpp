#include "polling_oracle.hpp"

#include <fstream>

namespace cc::test {
namespace {

Instant number_at(const json::value& line, const std::string& name) {
  const std::string text = text_at(line, name);
  return text.empty() ? 0 : std::stoll(text);
}

bool of_call(const ToldEvent& event) {
  return !event.call.empty() && !event.type.starts_with("AgentState_") &&
         event.type != "AgentOther_InService" && event.type != "AgentOther_ShutdownService";
}

}  // namespace

PollingOracle::PollingOracle(const std::string& journal) {
  std::ifstream lines(journal);
  for (std::string line; std::getline(lines, line);) read(json::parse(line));
}

void PollingOracle::read(const json::value& line) {
  const std::string what = text_at(line, "event"), id = text_at(line, "callId");
  if (what == "event_ready") {
    ToldEvent event{.agent = text_at(line, "agent"),
                    .type = text_at(line, "eventType"),
                    .call = id,
                    .at = number_at(line, "at")};
    event.of_call = of_call(event);
    const long seq = number_at(line, "eventSeq");
    if (event.of_call) calls_[id].events.push_back(seq);
    if (event.type == "AgentOther_PhoneRelease") calls_[id].told_its_end = true;
    events_[seq] = event;
  } else if (what == "event_handed_out" || what == "event_lost") {
    ToldEvent& event = events_[number_at(line, "eventSeq")];
    event.at = number_at(line, "at");
    event.fate = what == "event_lost"                  ? ToldEvent::Fate::lost
                 : text_at(line, "peerGone") == "true" ? ToldEvent::Fate::peer_gone
                                                       : ToldEvent::Fate::handed_out;
  } else if (what == "callout" && text_at(line, "dialled") == "true") {
    DialledCall& call = calls_[id];
    call.id = id;
    call.agent = text_at(line, "agent");
    call.called = text_at(line, "called");
    call.script = text_at(line, "script");
    dialled_.emplace(call.called, id);
  } else if (what == "ring") {
    DialledCall& call = calls_[id];
    ++(text_at(line, "leg") == "A" ? call.rings_a : call.rings_b);
  } else if (what == "call_over") {
    DialledCall& call = calls_[id];
    call.cause = text_at(line, "cause");
    call.a_answered = !text_at(line, "aAnsweredAt").empty();
  } else if (what == "signed_out" && text_at(line, "reason") == "idle") {
    idle_.push_back({text_at(line, "agent"), number_at(line, "at"),
                     static_cast<long>(number_at(line, "sinceLastPollMs"))});
  } else if (what == "violation") {
    violations_.push_back(json::serialize(line));
  }
}

std::vector<const DialledCall*> PollingOracle::dialled(const std::string& called) const {
  std::vector<const DialledCall*> found;
  const auto [from, to] = dialled_.equal_range(called);
  for (auto at = from; at != to; ++at) found.push_back(&calls_.at(at->second));
  return found;
}

std::optional<RightClose> right_close(const DialledCall& call) {
  if (!call.told_its_end) return std::nullopt;  // the gateway forgot it just then, or never tells
  const std::string& cause = call.cause;
  // The application's hang-up: the gateway ends it as if the agent had.
  const bool asked = cause == "release" || cause == "dropcall";
  if (cause == "a_no_answer" || cause == "a_busy" || (asked && !call.a_answered))
    return RightClose{"1", {}};
  if (asked) return RightClose{"0", {"a", "app"}};
  if (cause == "agent") return RightClose{"0", {"a"}};
  if (cause == "customer") return RightClose{"0", {"b"}};
  if (cause == "platform") return RightClose{"6", {"channel"}};
  if (cause == "b_no_answer") return RightClose{"2", {}};
  return std::nullopt;
}

}  // namespace cc::test
