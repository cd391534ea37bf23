#include "cursor.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace cc::api {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t version = 1;
constexpr std::size_t size = 18;  // version, two numbers of 8 bytes, sum: no padding is needed

using Bytes = std::array<std::uint8_t, size>;

/// A cursor that was cut or mistyped is told from a whole one.
std::uint8_t sum_of(const Bytes& bytes) {
  std::uint8_t sum = 0x5a;
  for (std::size_t i = 0; i + 1 < size; ++i) sum = static_cast<std::uint8_t>(sum * 31 + bytes[i]);
  return sum;
}

void put(Bytes& bytes, std::size_t at, std::int64_t number) {
  auto rest = static_cast<std::uint64_t>(number);
  for (std::size_t i = 8; i > 0; --i, rest >>= 8) bytes.at(at + i - 1) = rest & 0xffU;
}

std::int64_t take(const Bytes& bytes, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | bytes.at(at + i);
  return static_cast<std::int64_t>(number);
}

}  // namespace

std::string to_text(const Cursor& cursor) {
  Bytes bytes{version};
  put(bytes, 1, cursor.last);
  put(bytes, 9, cursor.from_ms);
  bytes.back() = sum_of(bytes);
  std::string text;
  for (std::size_t i = 0; i < size; i += 3) {
    const std::uint32_t three = static_cast<std::uint32_t>(bytes.at(i) << 16) |
                                static_cast<std::uint32_t>(bytes.at(i + 1) << 8) | bytes.at(i + 2);
    for (const unsigned shift : {18U, 12U, 6U, 0U}) text += alphabet[three >> shift & 63U];
  }
  return text;
}

std::optional<Cursor> parse_cursor(std::string_view text) {
  if (text.size() != size / 3 * 4) return std::nullopt;
  Bytes bytes{};
  std::uint32_t three = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto value = alphabet.find(text[i]);
    if (value == std::string_view::npos) return std::nullopt;
    three = three << 6 | static_cast<std::uint32_t>(value);
    if (i % 4 != 3) continue;
    for (std::size_t k = 0; k < 3; ++k) bytes.at(i / 4 * 3 + k) = three >> (16 - 8 * k) & 0xffU;
    three = 0;
  }
  const Cursor cursor{take(bytes, 1), take(bytes, 9)};
  if (bytes.front() != version || bytes.back() != sum_of(bytes) || cursor.last <= 0 ||
      cursor.from_ms < 0) {
    return std::nullopt;
  }
  return cursor;
}

}  // namespace cc::api
