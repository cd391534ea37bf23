// Waiting events whose call nobody knows (rules.md, "Waiting"): bound to the one attempt that they
// must belong to, left to wait while there may be one, or else made a record of: an inbound call,
// or one that somebody began past CC.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "channel/channels.hpp"
#include "io/pg.hpp"

namespace cc {

struct StrangerReport {
  std::size_t bound = 0;                // calls given to the attempt that must have made them
  std::vector<std::int64_t> made;       // records made
  std::size_t claim_conflicts = 0;      // an inbound call on a line that another call holds
  std::vector<std::string> unkeepable;  // event keys: older than anything that is kept
};

/// Looks at waiting events, grouped by call, oldest first. Idempotent; any daemon may run it at any
/// time. Throws pg::Failure.
asio::awaitable<StrangerReport> judge_strangers(pg::Pool& pool, const Channels& channels,
                                                std::int64_t now_ms);

}  // namespace cc
