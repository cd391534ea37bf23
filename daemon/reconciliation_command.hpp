// `ccd reconciliation`: whose word each day's ends rest on.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "config.hpp"

namespace cc {

/// `words`: what stood behind "reconciliation". Returns the exit code.
int reconciliation_command(std::span<char* const> words, std::string config_path,
                           const std::function<std::optional<Config>(const std::string&)>& read);

}  // namespace cc
