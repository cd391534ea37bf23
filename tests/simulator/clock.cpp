#include "clock.hpp"

#include <chrono>
#include <ctime>

namespace jiuyun {

namespace {

constexpr std::int64_t beijing_offset = 8 * 3600;

std::string formatted(std::int64_t epoch_seconds, char const* format) {
  std::time_t shifted = static_cast<std::time_t>(epoch_seconds + beijing_offset);
  std::tm parts{};
  gmtime_r(&shifted, &parts);
  char text[32];
  auto size = std::strftime(text, sizeof text, format, &parts);
  return {text, size};
}

int number(std::string_view text, std::size_t from, std::size_t count) {
  int value = 0;
  for (std::size_t i = from; i < from + count; ++i) value = value * 10 + (text[i] - '0');
  return value;
}

}  // namespace

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::int64_t VendorClock::seconds(std::int64_t at) const {
  return (at + skew_ms_) / 1000;
}
std::string VendorClock::compact(std::int64_t at) const {
  return formatted(seconds(at), "%Y%m%d%H%M%S");
}
std::string VendorClock::slashed(std::int64_t at) const {
  return formatted(seconds(at), "%Y/%m/%d %H:%M:%S");
}

std::optional<std::int64_t> parse_compact(std::string_view text) {
  if (text.size() != 14 || text.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  std::tm parts{};
  parts.tm_year = number(text, 0, 4) - 1900;
  parts.tm_mon = number(text, 4, 2) - 1;
  parts.tm_mday = number(text, 6, 2);
  parts.tm_hour = number(text, 8, 2);
  parts.tm_min = number(text, 10, 2);
  parts.tm_sec = number(text, 12, 2);
  std::int64_t seconds = static_cast<std::int64_t>(timegm(&parts)) - beijing_offset;
  if (formatted(seconds, "%Y%m%d%H%M%S") != text) return std::nullopt;  // 20240231… was normalised
  return seconds;
}

}  // namespace jiuyun
