// `ccd --rebuild`: records against the history that they are the fold of.
#pragma once

#include <string>

#include "config.hpp"

namespace cc {

struct RebuildWish {
  std::string range;  // FROM..TO
  bool write = false, from_raw = false;
};

/// Returns the exit code (command.hpp).
int rebuild_command(const Config& config, const RebuildWish& wish);

}  // namespace cc
