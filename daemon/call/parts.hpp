// What the parts of daemon/call work with. Owned by the Daemon, which outlives them.
#pragma once

#include "call/watch.hpp"
#include "channel/channels.hpp"
#include "config.hpp"
#include "fleet/membership.hpp"
#include "io/clock.hpp"
#include "io/pg.hpp"
#include "metrics.hpp"

namespace cc {

struct CallParts {
  const Config& config;
  pg::Pool& pool;
  const Channels& channels;
  const Membership& membership;
  Clock& clock;
  Metrics& metrics;
  Watch& watch;
};

/// Locks a record before anything else of the call is touched: everywhere the same order.
inline constexpr std::string_view lock_record_sql =
    "SELECT tenant, state, version FROM call_record WHERE id = $1 FOR UPDATE";

/// All attempts of a call begin within this time of its creation.
inline constexpr std::int64_t attempt_window_ms = 15'000;

}  // namespace cc
