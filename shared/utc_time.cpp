#include "utc_time.hpp"

#include <chrono>

namespace cc {

namespace {

/// Takes `count` digits off the front.
std::optional<int> take_digits(std::string_view& text, std::size_t count) noexcept {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take_one_of(std::string_view& text, std::string_view characters) noexcept {
  if (text.empty() || characters.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> take_date(std::string_view& text) noexcept {
  using namespace std::chrono;
  const auto y = take_digits(text, 4);
  if (!y || *y == 0 || !take_one_of(text, "-")) return std::nullopt;
  const auto m = take_digits(text, 2);
  if (!m || !take_one_of(text, "-")) return std::nullopt;
  const auto d = take_digits(text, 2);
  if (!d) return std::nullopt;
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)},
                            day{static_cast<unsigned>(*d)}};
  if (!date.ok()) return std::nullopt;
  return milliseconds(sys_days{date}.time_since_epoch()).count();
}

/// Of the day, in ms. A leap second counts as the next minute's first.
std::optional<std::int64_t> take_time(std::string_view& text) noexcept {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take_one_of(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59 || !take_one_of(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *second > 60) return std::nullopt;
  int milli = 0;
  if (take_one_of(text, ".")) {
    std::size_t digits = 0;
    for (int weight = 100; const auto digit = take_digits(text, 1); weight /= 10, ++digits) {
      milli += *digit * weight;
    }
    if (digits == 0) return std::nullopt;
  }
  return (std::int64_t{*hour} * 3600 + *minute * 60 + *second) * 1000 + milli;
}

/// How far it is ahead of UTC, in ms.
std::optional<std::int64_t> take_zone(std::string_view& text) noexcept {
  if (take_one_of(text, "Zz")) return 0;
  const bool behind = text.starts_with('-');
  if (!take_one_of(text, "+-")) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take_one_of(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  const std::int64_t ahead = (std::int64_t{*hour} * 60 + *minute) * 60'000;
  return behind ? -ahead : ahead;
}

}  // namespace

std::optional<std::int64_t> parse_rfc3339(std::string_view text) noexcept {
  const auto date = take_date(text);
  if (!date || !take_one_of(text, "Tt ")) return std::nullopt;
  const auto time = take_time(text);
  if (!time) return std::nullopt;
  const auto zone = take_zone(text);
  if (!zone || !text.empty()) return std::nullopt;
  return *date + *time - *zone;
}

std::optional<std::int64_t> parse_utc_date(std::string_view text) noexcept {
  const auto date = take_date(text);
  if (!date || !text.empty()) return std::nullopt;
  return date;
}

}  // namespace cc
