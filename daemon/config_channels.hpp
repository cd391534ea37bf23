// The parts `channels:`, `agents:` and `spool:` of cc.yaml: the accounts at the providers, and what
// ccd needs for those that it polls.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config.hpp"
#include "yaml_reader.hpp"

namespace cc {

/// `tenants_named` gathers the tenants that it names, to be looked up when all are known.
ChannelConfig read_channel(const std::string& code, const YamlValue& value,
                           std::vector<std::pair<YamlValue, std::string>>& tenants_named);

void read_agents(const YamlValue& value, Config& config);
void read_spool(const YamlValue& value, Config& config);

}  // namespace cc
