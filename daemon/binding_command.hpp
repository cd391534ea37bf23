// `ccd binding …`: many bindings from a file, and which there are.
#pragma once

#include <span>
#include <string>

#include "command.hpp"

namespace cc {

/// `words`: what follows "binding". Returns the exit code.
int binding_command(std::span<char* const> words, std::string config_path, const ReadConfig& read);

}  // namespace cc
