// What the daemon's parts work with. Owned by the Daemon, which outlives them.
#pragma once

#include "call/watch.hpp"
#include "channel/channels.hpp"
#include "channel/session.hpp"
#include "config.hpp"
#include "fleet/membership.hpp"
#include "health/channel_health.hpp"
#include "io/clock.hpp"
#include "io/pg.hpp"
#include "metrics.hpp"

namespace cc {

struct Parts {
  const Config&
      config;  // a reload changes it in place: hold no reference into it across a co_await
  pg::Pool& pool;
  const Channels& channels;
  const Membership& membership;
  Clock& clock;
  Metrics& metrics;
  Watch& watch;
  Lines& lines;
  ChannelHealth& health;
};

}  // namespace cc
