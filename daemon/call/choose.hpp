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

/// A line that was made known with /v1/agents, of the name that the request gives.
struct KnownLine {
  std::string channel, agent, handset;
  bool online = false;
  std::string standing;  // why not
};

/// `open`: the channels that may be used now and are allowed to the tenant, best first. `known`:
/// the tenant's lines of the requested name.
std::variant<Line, Refusal> choose_line(const NewCall& request,
                                        const std::vector<const ChannelConfig*>& open,
                                        const std::vector<KnownLine>& known);

/// The configured channels that are enabled and allowed to the tenant: by priority, then weight,
/// then code.
std::vector<const ChannelConfig*> open_channels(const Config& config, const std::string& tenant);

}  // namespace cc
