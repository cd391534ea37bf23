// The part `tenants:` of cc.yaml: who may ask, for what, with which keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config.hpp"
#include "yaml_reader.hpp"

namespace cc {

/// Until when a key can be used that expires at `text`, epoch ms: RFC 3339, or a date, which it
/// can still be used on (UTC). Nothing where it is neither.
std::optional<std::int64_t> parse_expiry(std::string_view text) noexcept;

/// `channels_named` gathers the channels that it names, to be looked up when all are known.
Tenant read_tenant(const std::string& name, const YamlValue& value,
                   std::vector<std::pair<YamlValue, std::string>>& channels_named);

/// One key must not open two doors.
void check_keys(const Config& config, const YamlValue& tenants);

}  // namespace cc
