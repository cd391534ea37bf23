// Files of secrets and identifiers that the configuration names: one value a line, blank lines and
// lines that begin with '#' are skipped. No message holds a value.
#pragma once

#include <string>
#include <vector>

#include "result.hpp"

namespace cc {

inline constexpr std::size_t min_token_length = 16;
inline constexpr std::size_t max_tokens = 2;

struct Lines {
  std::vector<std::string> values;
  bool world_readable = false;
};

/// Errors: cannot be read, not a regular file, too large, holds nothing.
Result<Lines> read_lines(const std::string& path, std::string_view what);

/// Path tokens: one or two, long enough, of characters that need no escape in a URL.
Result<Lines> read_tokens(const std::string& path);

/// Exactly one line.
Result<Lines> read_password(const std::string& path);

}  // namespace cc
