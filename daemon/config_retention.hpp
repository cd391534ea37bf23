// The part `retention:` of cc.yaml: how long rows are kept.
#pragma once

#include "config.hpp"
#include "yaml_reader.hpp"

namespace cc {

/// Complains of what makes no sense: what hangs on a call kept longer than the call, and months
/// dropped that new calls may still belong to.
Retention read_retention(const YamlValue& value);

}  // namespace cc
