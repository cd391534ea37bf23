// The channels as parts of the whole's health: whole, degraded or out, as table channel_health has
// it for the whole fleet.
#pragma once

#include <vector>

#include <boost/asio/awaitable.hpp>

#include "health.hpp"
#include "health/standing.hpp"
#include "io/pg.hpp"

namespace cc {

namespace asio = boost::asio;

class ChannelWatch {
 public:
  ChannelWatch(const Config& config, pg::Pool& pool) : config_(config), pool_(pool) {}

  /// Reads the states. One pass, for each second or two; throws pg::Failure.
  asio::awaitable<void> look();

  /// A part "channel <code>" for each. None is vital: there are others, or nothing would help.
  std::vector<PartHealth> parts() const;

 private:
  const Config& config_;
  pg::Pool& pool_;
  ChannelStates states_;  // as read last; one without a row is whole
};

}  // namespace cc
