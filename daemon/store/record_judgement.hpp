// What a changed history means beyond the record itself: who holds its phones now, how its channel
// did, whether an attempt that was given up lives. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "call/calls.hpp"
#include "event.hpp"
#include "store/record_store.hpp"

namespace cc {

/// Whether nobody but our own clock says that the call is over.
bool closed_by_our_clock(const Folded& folded, const std::vector<Event>& history);

/// The kind of the `change` row.
const char* change_kind(const StoredRecord& before, const Folded& after);

/// Whether the channel's end leaves the line engaged, until A's phone is on its hook.
bool lingers(const std::vector<Event>& history);

/// Whether they show that the call goes on.
bool shows_life(const std::vector<NewEvent>& events);

/// Whether one of them was received so lately that CC acts on it.
bool young(const std::vector<NewEvent>& events, std::int64_t now_ms);

/// What the change of a record says of the channel.
std::optional<FoldReport::Judgement> judge(const StoredRecord& before, const Folded& after,
                                           const std::vector<Event>& history);

/// Attempts of this call that were given up, and of which these events are signs of life.
std::vector<int> abandoned_attempts(const std::vector<NewEvent>& events,
                                    const std::vector<Event>& history, std::int64_t now_ms);

}  // namespace cc
