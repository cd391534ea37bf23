// Moments as applications write them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cc::api {

/// Epoch milliseconds ("1795341600000"), or RFC 3339 with its zone ("2026-11-22T18:00:00+08:00",
/// "2026-11-22t10:00:00.25z"; what is finer than a millisecond is cut off, a leap second is the
/// second before it). From 1970 to 9999. Nothing where the text is neither, or no such day exists.
std::optional<std::int64_t> parse_time(std::string_view text) noexcept;

inline constexpr std::string_view time_advice =
    "must be epoch milliseconds, or RFC 3339 with a zone like 2026-11-22T18:00:00+08:00";

}  // namespace cc::api
