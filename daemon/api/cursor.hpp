// Where a list goes on, as applications carry it: opaque, base64url. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "query/call_query.hpp"

namespace cc::api {

std::string to_text(const Cursor& cursor);

/// Nothing where the text was not made by to_text(). It needs no secret: whoever makes one up sees
/// nothing that he could not ask for otherwise.
std::optional<Cursor> parse_cursor(std::string_view text);

}  // namespace cc::api
