// The parts of cc.yaml about health: limits of channels, callback locations to send canaries to.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config.hpp"
#include "yaml_reader.hpp"

namespace cc {

/// `health:`
void read_health(const YamlValue& value, Config& config);

/// `nginx.canaries:`. Which channels they name comes into `channels_named`, to be checked when all
/// channels are known.
void read_canaries(const YamlValue& value, Config& config,
                   std::vector<std::pair<YamlValue, std::string>>& channels_named);

}  // namespace cc
