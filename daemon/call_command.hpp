// `ccd call …`: what happened in a call, for whoever was asked why a phone rang, or did not.
#pragma once

#include <span>
#include <string>

#include "command.hpp"

namespace cc {

/// `words`: what follows "call". Returns the exit code.
int call_command(std::span<char* const> words, std::string config_path, const ReadConfig& read);

}  // namespace cc
