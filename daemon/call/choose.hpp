// Which line makes a call (rules.md, "Choosing"). Pure: what is known goes in, the line or the
// refusal comes out, with the reason that is stored with the attempt.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "call/calls.hpp"
#include "config.hpp"

namespace cc {

struct Line {
  std::string channel, agent;
  std::string handset;  // leg A's phone number
  std::string reason;   // in words, for the timeline

  std::string line_resource() const { return channel + "/" + agent; }
};

/// `open`: the channels that may be used now and are allowed to the tenant, best first.
std::variant<Line, Refusal> choose_line(const NewCall& request,
                                        const std::vector<const ChannelConfig*>& open);

/// The configured channels that are enabled and allowed to the tenant: by priority, then weight,
/// then code.
std::vector<const ChannelConfig*> open_channels(const Config& config, const std::string& tenant);

}  // namespace cc
