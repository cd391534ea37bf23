#include "beijing_time.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "text.hpp"

namespace cc {

namespace {

using std::chrono::days;
using std::chrono::milliseconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::int64_t beijing_offset_ms = 8 * 3600 * std::int64_t{1000};
constexpr std::int64_t day_ms = 24 * 3600 * std::int64_t{1000};

// 0001-01-01 … 9999-12-31: what four digits of a year can say.
constexpr std::int64_t first_ms = -62'135'596'800'000;
constexpr std::int64_t last_ms = 253'402'300'799'999;

struct Parts {
  int year, month, day, hour, minute, second, milli;
};

Parts split(std::int64_t ms) noexcept {
  ms = std::clamp(ms, first_ms, last_ms);
  const std::int64_t day = (ms >= 0 ? ms : ms - (day_ms - 1)) / day_ms;
  const auto rest = static_cast<int>(ms - day * day_ms);
  const year_month_day date{sys_days{days{static_cast<int>(day)}}};
  return {int(date.year()),
          static_cast<int>(unsigned(date.month())),
          static_cast<int>(unsigned(date.day())),
          rest / 3'600'000,
          rest / 60'000 % 60,
          rest / 1000 % 60,
          rest % 1000};
}

std::string print(const char* format, const Parts& p) {
  std::array<char, 96> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), format, p.year, p.month, p.day,
                                   p.hour, p.minute, p.second, p.milli);
  return std::string(buffer.data(), static_cast<std::size_t>(std::max(length, 0)));
}

}  // namespace

std::optional<std::int64_t> parse_beijing(std::string_view text) noexcept {
  constexpr std::array<std::size_t, 6> widths = {4, 2, 2, 2, 2, 2};
  std::array<int, 6> part{};
  text = trim(text);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    while (i > 0 && !text.empty() && std::string_view("-/:T ").find(text[0]) != text.npos) {
      text.remove_prefix(1);
    }
    if (text.size() < widths[i]) return std::nullopt;
    for (const char c : text.substr(0, widths[i])) {
      if (c < '0' || c > '9') return std::nullopt;
      part[i] = part[i] * 10 + (c - '0');
    }
    text.remove_prefix(widths[i]);
  }
  const year_month_day date{std::chrono::year{part[0]},
                            std::chrono::month{static_cast<unsigned>(part[1])},
                            std::chrono::day{static_cast<unsigned>(part[2])}};
  if (!text.empty() || part[0] == 0 || !date.ok()) return std::nullopt;
  if (part[3] > 23 || part[4] > 59 || part[5] > 59) return std::nullopt;
  const std::int64_t day = sys_days{date}.time_since_epoch().count();
  const std::int64_t second = part[3] * 3600 + part[4] * 60 + part[5];
  return day * day_ms + second * 1000 - beijing_offset_ms;
}

std::string format_beijing(std::int64_t epoch_ms) {
  const std::int64_t bounded = std::clamp(epoch_ms, first_ms, last_ms);
  return print("%04d%02d%02d%02d%02d%02d", split(bounded + beijing_offset_ms));
}

std::string format_utc(std::int64_t epoch_ms) {
  return print("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", split(epoch_ms));
}

}  // namespace cc
