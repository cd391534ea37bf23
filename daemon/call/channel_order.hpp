// Which of the channels that could make a call comes first (rules.md, "Choosing"). Pure.
#pragma once

#include <string>
#include <vector>

#include "call/choose.hpp"

namespace cc {

/// The lower, the sooner a channel of this standing is taken.
int rank_of(Standing standing);

/// What the channel can't do of what the call needs; empty = it can do all.
std::string lacking(const Needs& needs, const Capabilities& can);

/// By rank, then priority; equals in an order drawn by weight. `draw` in [0, 1).
void put_in_order(std::vector<const ChannelView*>& views, double draw);

}  // namespace cc
