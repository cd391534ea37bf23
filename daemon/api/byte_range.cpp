#include "byte_range.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include "target.hpp"
#include "text.hpp"

namespace cc::api {
namespace {

/// Digits alone; what is too large counts as the largest. Nothing where it is none.
std::optional<std::uint64_t> parse_position(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    if (__builtin_mul_overflow(value, 10U, &value) ||
        __builtin_add_overflow(value, static_cast<std::uint64_t>(c - '0'), &value)) {
      value = UINT64_MAX;
    }
  }
  return value;
}

/// What stands behind "bytes="; nothing where it is another unit.
std::optional<std::string_view> byte_set(std::string_view header) {
  constexpr std::string_view unit = "bytes=";
  if (header.size() < unit.size()) return std::nullopt;
  const bool same = std::equal(unit.begin(), unit.end(), header.begin(), [](char a, char b) {
    return a == std::tolower(static_cast<unsigned char>(b));
  });
  if (!same) return std::nullopt;
  return trim(header.substr(unit.size()));
}

ByteRange parse_range(std::string_view set, std::uint64_t size) {
  const ByteRange whole{ByteRange::Kind::whole, 0, size};
  const auto dash = set.find('-');
  if (dash == std::string_view::npos || set.find(',') != std::string_view::npos) return whole;
  const std::string_view begin = set.substr(0, dash), end = set.substr(dash + 1);
  const auto last = parse_position(end);
  if (!last && !end.empty()) return whole;
  if (begin.empty()) {  // so many from the end
    if (!last) return whole;
    if (*last == 0) return {ByteRange::Kind::unsatisfiable};
    if (size == 0) return whole;  // no Content-Range could say it
    const std::uint64_t length = std::min(*last, size);
    return {ByteRange::Kind::part, size - length, length};
  }
  const auto first = parse_position(begin);
  if (!first || (last && *last < *first)) return whole;
  if (*first >= size) return {ByteRange::Kind::unsatisfiable};
  const std::uint64_t to = std::min(last.value_or(UINT64_MAX), size - 1);
  return {ByteRange::Kind::part, *first, to - *first + 1};
}

/// Strong comparison: a range of another version would be sewn to this one's.
bool is_same(std::string_view validator, const FileState& file) {
  return (!file.etag.empty() && validator == file.etag) || validator == http_date(file.modified_ms);
}

}  // namespace

ByteRange range_of(const Request& request, const FileState& file) {
  const ByteRange whole{ByteRange::Kind::whole, 0, file.size};
  const std::string* header = request.header("range");
  if (request.method != "GET" || header == nullptr || request.header_count("range") != 1) {
    return whole;
  }
  const std::string* condition = request.header("if-range");
  if (condition != nullptr && !is_same(trim(*condition), file)) return whole;
  const auto set = byte_set(trim(*header));
  return set ? parse_range(*set, file.size) : whole;
}

bool names_tag(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    std::string_view tag = trim(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == "*" || (!etag.empty() && tag == etag)) return true;
  }
  return false;
}

bool is_unchanged(const Request& request, const FileState& file) {
  bool asked = false;
  for (const auto& [name, value] : request.headers) {
    if (name != "if-none-match") continue;
    asked = true;
    if (names_tag(value, file.etag)) return true;
  }
  if (asked) return false;  // If-Modified-Since does not count beside it
  const std::string* since = request.header("if-modified-since");
  return since != nullptr && trim(*since) == http_date(file.modified_ms);
}

}  // namespace cc::api
