// The part `tenants:` of cc.yaml: who may ask, for what, with which keys.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config.hpp"
#include "yaml_reader.hpp"

namespace cc {

/// `channels_named` gathers the channels that it names, to be looked up when all are known.
Tenant read_tenant(const std::string& name, const YamlValue& value,
                   std::vector<std::pair<YamlValue, std::string>>& channels_named);

/// One key must not open two doors.
void check_keys(const Config& config, const YamlValue& tenants);

}  // namespace cc
