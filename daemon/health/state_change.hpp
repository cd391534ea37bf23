// A change of a channel's state, as it is kept: for people, and in `change` for applications.
#pragma once

#include <string>
#include <vector>

#include "config.hpp"
#include "io/pg.hpp"

namespace cc {

struct StateChange {
  std::string channel;
  std::string was, state;  // ChannelState::word()
  std::string why;
};

/// What stores it: a row of channel_change, and one of `change` for each tenant that may use the
/// channel. Belongs into the transaction that makes the change.
std::vector<pg::Statement> store_state_change(const Config& config, const StateChange& change,
                                              std::int64_t now_ms);

}  // namespace cc
