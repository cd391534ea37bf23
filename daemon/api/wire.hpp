// An answer's bytes. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "message.hpp"

namespace cc::api {

/// How the client learns where the body ends.
enum class Framing : std::uint8_t { length, chunked, until_close };

/// Status line and headers, with the empty line that ends them.
std::string head_on_the_wire(const Response& response, std::string_view request_id,
                             std::int64_t now_ms, Framing framing, bool keep_alive);

/// One chunk. `part` must not be empty: that would be the last one.
std::string chunk_on_the_wire(std::string_view part);
constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace cc::api
