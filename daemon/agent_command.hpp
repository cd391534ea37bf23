// `ccd agent …`: many agents from a file, how they are, and having them tried again.
#pragma once

#include <span>
#include <string>

#include "command.hpp"

namespace cc {

/// `words`: what follows "agent". Returns the exit code.
int agent_command(std::span<char* const> words, std::string config_path, const ReadConfig& read);

}  // namespace cc
