// Checks of single values of cc.yaml.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "yaml_reader.hpp"

namespace cc {

/// Only a-z, 0-9, `extra` and, with `upper`, A-Z.
bool consists_of(std::string_view text, std::string_view extra, bool upper);

/// 1 to `width` letters, digits and ._-
bool is_name(std::string_view text, std::size_t width);
bool is_digits(std::string_view text, std::size_t width);

/// What is wrong with "address:port", "[address]:port" or "unix:/path"; empty if nothing is.
std::string wrong_endpoint(const std::string& text);

/// A list of networks, as written. Complains of each that is none (network.hpp) and of more
/// than 64.
std::vector<std::string> read_networks(const YamlValue& value);

/// A value in libpq's own quoting.
std::string libpq_quoted(std::string_view value);

/// libpq's string as keyword='value' pairs, or nothing after complaining: of a password in it, of a
/// host that would have to be resolved.
std::optional<std::string> checked_conninfo(const YamlValue& value, const std::string& text);

}  // namespace cc
