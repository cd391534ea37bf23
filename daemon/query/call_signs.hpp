// What only the timeline tells of a call, for its story. Pure.
#pragma once

#include "call/calls.hpp"

namespace cc {

/// Epoch ms. Of attempts that were given up nothing is told but the wish to hang up.
struct CallSigns {
  OptMs a_ringing, b_ringing;   // by the channel's clock where it can be believed
  OptMs hangup_asked;           // by the application
  OptMs end_heard;              // when CC learnt of the end, or decided it
  bool hangup_unended = false;  // the channel took the hang-up and reported no end
};

CallSigns call_signs(const Timeline& timeline);

}  // namespace cc
