// The gateway's event types and what each means. Internal to hw.cpp.
#pragma once

#include <cstdint>
#include <string_view>

#include "event.hpp"

namespace cc {

/// What an event says of its call beside its name.
enum class HwMeaning : std::uint8_t {
  of_agent,  // of the agent and no call: only counted
  a_rings,
  a_answered,
  b_rings,
  talking,
  b_not_reached,
  a_not_reached,
  customer_left,
  agent_left,
  on_hook,  // A's phone
  recording,
  recording_done,
  unknown,  // kept all the same
};

HwMeaning hw_meaning(std::string_view event_type) noexcept;
EventName hw_event_name(HwMeaning meaning) noexcept;

/// Fills what an end says (close, close_after_…, close_doubt, engaged_on, on_hook,
/// never_connected). `phone_state`: of AgentOther_PhoneRelease, 2 agent, 3 platform; else 0. The
/// gateway gives no cause, so it is derived from which event came; where the ends of several events
/// differ, what the fold knows of the call decides.
void fill_hw_end(HwMeaning meaning, std::int64_t phone_state, Facts& facts);

}  // namespace cc
