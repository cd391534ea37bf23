// What a request asked for, kept with the attempt: another attempt of the call keeps to it.
#pragma once

#include <string>

#include "call/calls.hpp"
#include "call/choose.hpp"

namespace cc {

/// The parts of a request that a choice depends on, as JSON.
std::string wish_of(const NewCall& request);

/// Puts them back into `request`. Absent or unreadable: as if the line that was taken had been
/// named, so that no other is ever tried.
void apply_wish(const OptText& wish, NewCall& request);

/// What the call needs of its channel.
Needs needs_of(const NewCall& request, const Display& display);

}  // namespace cc
