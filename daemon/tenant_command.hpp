// `ccd tenant …`: who may ask, for what and how much; made and changed while ccd runs.
#pragma once

#include <span>
#include <string>

#include "command.hpp"

namespace cc {

/// `words`: what follows "tenant". Returns the exit code.
int tenant_command(std::span<char* const> words, std::string config_path, const ReadConfig& read);

}  // namespace cc
