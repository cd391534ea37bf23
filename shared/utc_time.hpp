// Times as people and programs write them with their zone (RFC 3339).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cc {

/// "2026-11-22T09:50:18Z", "2026-11-22t17:50:18.25+08:00" → epoch ms; what is finer is cut off.
/// Nothing where the zone is missing or there is no such date or time.
std::optional<std::int64_t> parse_rfc3339(std::string_view text) noexcept;

/// "2026-11-22" → epoch ms of its beginning in UTC. Nothing where there is no such date.
std::optional<std::int64_t> parse_utc_date(std::string_view text) noexcept;

}  // namespace cc
