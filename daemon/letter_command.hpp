// `ccd dead-letter …`: what nobody could read, from the command line.
#pragma once

#include <span>
#include <string>

#include "command.hpp"

namespace cc {

/// `words`: what follows "dead-letter". Returns the exit code.
int letter_command(std::span<char* const> words, std::string config_path, const ReadConfig& read);

}  // namespace cc
