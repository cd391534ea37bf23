#include "time_text.hpp"

#include <algorithm>
#include <chrono>

#include "text.hpp"

namespace cc::api {
namespace {

constexpr std::int64_t last_ms = 253'402'300'799'999;  // the end of 9999

/// Takes a text apart from its front.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  /// Exactly `width` digits.
  bool number(std::size_t width, int& value) {
    if (rest_.size() < width) return false;
    value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return false;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(width);
    return true;
  }

  /// The character that was one of these; 0 = none of them stands here.
  char one_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) return 0;
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }

  /// ".123456": its first three digits. Nothing where no digit follows the point.
  std::optional<int> fraction() {
    if (one_of(".") == 0) return 0;
    int ms = 0;
    std::size_t digits = 0;
    for (int digit = 0; number(1, digit); ++digits) {
      if (digits < 3) ms = ms * 10 + digit;
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 3; ++digits) ms *= 10;
    return ms;
  }

  bool ended() const noexcept { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// Minutes that the zone is ahead of UTC.
std::optional<int> read_zone(Scanner& scanner) {
  if (scanner.one_of("Zz") != 0) return 0;
  const char sign = scanner.one_of("+-");
  int hours = 0, minutes = 0;
  if (sign == 0 || !scanner.number(2, hours) || scanner.one_of(":") == 0 ||
      !scanner.number(2, minutes) || hours > 23 || minutes > 59) {
    return std::nullopt;
  }
  return (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
}

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  Scanner scanner(text);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!scanner.number(4, year) || scanner.one_of("-") == 0 || !scanner.number(2, month) ||
      scanner.one_of("-") == 0 || !scanner.number(2, day) || scanner.one_of("Tt ") == 0 ||
      !scanner.number(2, hour) || scanner.one_of(":") == 0 || !scanner.number(2, minute) ||
      scanner.one_of(":") == 0 || !scanner.number(2, second)) {
    return std::nullopt;
  }
  const auto fraction = scanner.fraction();
  const auto zone = fraction ? read_zone(scanner) : std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!zone || !scanner.ended() || !date.ok() || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t minutes = days * 1440 + hour * 60 + minute - *zone;
  return (minutes * 60 + std::min(second, 59)) * 1000 + *fraction;
}

}  // namespace

std::optional<std::int64_t> parse_time(std::string_view text) noexcept {
  const bool plain =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  const auto ms = plain ? parse_integer(text) : parse_rfc3339(text);
  return ms && *ms >= 0 && *ms <= last_ms ? ms : std::nullopt;
}

}  // namespace cc::api
