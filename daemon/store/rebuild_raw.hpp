// A call's stored deliveries, understood again with today's code.
#pragma once

#include <string>
#include <vector>

#include "channel/channels.hpp"
#include "event.hpp"
#include "io/pg.hpp"
#include "store/record_store.hpp"

namespace cc {

struct RawEvent {
  Event event;
  std::string raw;  // the delivery's envelope; empty for CC's own
};

struct Reread {
  std::vector<RawEvent> history;  // CC's own events, and the channel's as they read today
  std::vector<RawEvent> changed;  // of these, the ones that are stored otherwise, or not at all
  std::size_t unreadable = 0;     // deliveries: their events stay as they are stored
};

/// Pure. `received`, attempt and key of an event are kept as they are stored. An event that its
/// delivery does not give any more stays too: what came is never forgotten.
Reread read_raw_again(const StoredRecord& record, const std::vector<RawEvent>& history,
                      const Channels& channels);

/// The statement that stores `changed` of one call.
pg::Statement store_reread(std::int64_t call, const std::vector<RawEvent>& changed);

}  // namespace cc
