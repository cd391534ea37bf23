// `ccd key …`: what applications prove themselves by; made, changed for others and revoked while
// ccd runs.
#pragma once

#include <span>
#include <string>

#include "command.hpp"

namespace cc {

/// `words`: what follows "key". Returns the exit code.
int key_command(std::span<char* const> words, std::string config_path, const ReadConfig& read);

}  // namespace cc
