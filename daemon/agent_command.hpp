// `ccd agent …`: many agents from a file, how they are, and having them tried again.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "config.hpp"

namespace cc {

/// `words`: what follows "agent". `read` reads a configuration file, or says on stderr what is
/// wrong with it. Returns the exit code (command.hpp).
int agent_command(std::span<char* const> words, std::string config_path,
                  const std::function<std::optional<Config>(const std::string&)>& read);

}  // namespace cc
