// record = fold(constants, set of the call's events): rules.md, "The fold". Pure; the order in
// which the events are given has no influence on the result.
#pragma once

#include <span>

#include "event.hpp"
#include "record.hpp"

namespace cc {

/// `events`: all of the call's events, each key once, with its smallest received-ms.
Folded fold(const Constants& constants, std::span<const Event> events);

}  // namespace cc
