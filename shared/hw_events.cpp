#include "hw_events.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cc {

namespace {

constexpr std::array<std::pair<std::string_view, HwMeaning>, 13> meanings = {{
    {"AgentOther_PhoneAlerting", HwMeaning::a_rings},
    {"AgentOther_PhoneOffhook", HwMeaning::a_answered},
    {"AgentEvent_Customer_Alerting", HwMeaning::b_rings},
    {"AgentEvent_Talking", HwMeaning::talking},
    {"AgentEvent_Call_Out_Fail", HwMeaning::b_not_reached},
    {"AgentEvent_Connect_Fail", HwMeaning::a_not_reached},
    {"AgentEvent_Customer_Release", HwMeaning::customer_left},
    {"AgentEvent_Call_Release", HwMeaning::agent_left},
    {"AgentOther_PhoneRelease", HwMeaning::on_hook},
    {"AgentMediaEvent_Record", HwMeaning::recording},
    {"AgentMediaEvent_StopRecordDone", HwMeaning::recording_done},
    {"AgentOther_InService", HwMeaning::of_agent},
    {"AgentOther_ShutdownService", HwMeaning::of_agent},
}};

CloseFact close(std::string_view type, std::string_view detail, std::string_view by = {}) {
  return {std::string(type), std::string(detail), std::string(by)};
}

// It may be all that came of the end. Who put the phone down is told, why is not; by then it
// depends on how far the call was.
void fill_on_hook(std::int64_t phone_state, Facts& facts) {
  constexpr std::int64_t agent = 2, platform = 3;
  facts.on_hook = true;
  facts.close_doubt = 1;
  if (phone_state == agent) {
    facts.close = close("1", "a_rejected", "a");
    facts.close_after_answer = close("0", "normal", "a");
  } else if (phone_state == platform) {
    facts.close = close("1", "a_unreachable");
    facts.close_after_answer = close("6", "channel_error", "channel");
  } else {
    facts.close = close("255", "other:" + std::to_string(phone_state));
    facts.close_after_connect = close("0", "normal");
  }
}

}  // namespace

HwMeaning hw_meaning(std::string_view event_type) noexcept {
  if (event_type.starts_with("AgentState_")) return HwMeaning::of_agent;
  const auto found = std::find_if(meanings.begin(), meanings.end(),
                                  [&](const auto& known) { return known.first == event_type; });
  return found == meanings.end() ? HwMeaning::unknown : found->second;
}

EventName hw_event_name(HwMeaning meaning) noexcept {
  switch (meaning) {
    case HwMeaning::a_rings:
      return EventName::a_ringing;
    case HwMeaning::a_answered:
      return EventName::a_answered;
    case HwMeaning::b_rings:
      return EventName::b_ringing;
    case HwMeaning::talking:
      return EventName::connected;
    case HwMeaning::b_not_reached:
    case HwMeaning::a_not_reached:
    case HwMeaning::customer_left:
    case HwMeaning::agent_left:
    case HwMeaning::on_hook:
      return EventName::closed;
    case HwMeaning::recording:
    case HwMeaning::recording_done:
      return EventName::recorded;
    case HwMeaning::of_agent:
    case HwMeaning::unknown:
      return EventName::other;
  }
  return EventName::other;
}

void fill_hw_end(HwMeaning meaning, std::int64_t phone_state, Facts& facts) {
  switch (meaning) {
    case HwMeaning::a_not_reached:
      // It also follows a Call_Out_Fail, and then says nothing of A.
      facts.close = close("1", "a_unreachable");
      facts.close_after_answer = close("2", "b_unreachable");
      facts.close_after_connect = close("0", "normal");
      facts.never_connected = true;
      break;
    case HwMeaning::b_not_reached:
      facts.close = close("2", "b_unreachable");
      facts.never_connected = true;
      break;
    case HwMeaning::customer_left:
      facts.close = close("0", "normal", "b");
      break;
    case HwMeaning::agent_left:
      facts.close = close("0", "normal", "a");
      break;
    case HwMeaning::on_hook:
      return fill_on_hook(phone_state, facts);
    default:
      return;
  }
  facts.engaged_on = true;
}

}  // namespace cc
