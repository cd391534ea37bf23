// `ccd reconciliation`: whose word each day's ends rest on.
#pragma once

#include <span>
#include <string>

#include "command.hpp"

namespace cc {

/// `words`: what stood behind "reconciliation". Returns the exit code.
int reconciliation_command(std::span<char* const> words, std::string config_path,
                           const ReadConfig& read);

}  // namespace cc
