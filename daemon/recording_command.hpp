// `ccd recording …`: where recordings stand, and another try at those that were given up.
#pragma once

#include <span>
#include <string>

#include "command.hpp"

namespace cc {

/// `words`: what follows "recording". Returns the exit code.
int recording_command(std::span<char* const> words, std::string config_path,
                      const ReadConfig& read);

}  // namespace cc
