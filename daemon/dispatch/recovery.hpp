// A channel echoed the id of a call that has no record: PostgreSQL was set back. The record is made
// anew under that very id (rules.md, "Deliveries and events").
#pragma once

#include <vector>

#include <boost/asio/awaitable.hpp>

#include "channel/channels.hpp"
#include "store/record_store.hpp"

namespace cc {

/// Makes a record and attempts for each of `calls` and returns their events, ready to be folded.
/// Throws pg::Failure (23514: the id's partition is gone), so that the caller can single the
/// delivery out.
asio::awaitable<NewEvents> recover_calls(pg::Transaction& transaction, const Channels& channels,
                                         const std::vector<std::int64_t>& calls, NewEvents events,
                                         std::int64_t now_ms);

}  // namespace cc
