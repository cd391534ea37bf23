// Small, pure functions on text and bytes that both the module and the daemon need.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cc {

/// Whether two secrets are equal. Takes the same time wherever they differ; only the length shows.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

/// Percent-encodes everything but RFC 3986's unreserved characters and "/:;=&,+@!$'()*?"; so the
/// result holds no space, no newline, no control byte and no bare '%'.
std::string percent_encode(std::string_view bytes);

/// The same, appended to `out`.
void append_percent_encoded(std::string& out, std::string_view bytes);

/// The reverse. Nothing where an escape is malformed.
std::optional<std::string> percent_decode(std::string_view text);

std::string to_hex(std::string_view bytes);                  // lower case
std::optional<std::string> from_hex(std::string_view text);  // both cases

/// Text that PostgreSQL can store: malformed UTF-8 becomes U+FFFD, NUL is removed.
std::string repair_utf8(std::string_view bytes);

/// At most `width` code points of well-formed UTF-8. `cut` is set (never cleared) when it was
/// longer.
std::string cut_to_width(std::string_view utf8, std::size_t width, bool& cut);

/// A whole decimal integer, no sign unless negative, no spaces; nothing on overflow.
std::optional<std::int64_t> parse_integer(std::string_view text) noexcept;

std::string_view trim(std::string_view text) noexcept;  // ASCII white space

}  // namespace cc
