// Channel times are Beijing wall-clock times without a zone; ours are epoch milliseconds, UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cc {

/// "yyyyMMddHHmmss" (also with "-", "/", ":", "T" or spaces between the parts) in UTC+8 → epoch ms.
/// Nothing where it is no date that exists (leap years are respected).
std::optional<std::int64_t> parse_beijing(std::string_view text) noexcept;

/// Epoch ms → "yyyyMMddHHmmss" in UTC+8.
std::string format_beijing(std::int64_t epoch_ms);

/// Epoch ms → "2026-11-22T09:50:18.123Z".
std::string format_utc(std::int64_t epoch_ms);

}  // namespace cc
