// `ccd dead-letter …`: what nobody could read, from the command line.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "config.hpp"

namespace cc {

/// `words`: what follows "dead-letter". `read` reads a configuration file, or says on stderr what
/// is wrong with it. Returns the exit code (command.hpp).
int letter_command(std::span<char* const> words, std::string config_path,
                   const std::function<std::optional<Config>(const std::string&)>& read);

}  // namespace cc
