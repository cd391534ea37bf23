#include "recording/crc64.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace cc {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint64_t polynomial = 0xC96C5795D7870F42;
constexpr std::size_t width = 8;  // bytes that are taken at once

using Table = std::array<std::uint64_t, 256>;

// tables[k][b]: what the byte b does to the register when k bytes follow it.
constexpr std::array<Table, width> make_tables() {
  std::array<Table, width> tables{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    std::uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ polynomial : crc >> 1;
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < width; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t before = tables[k - 1][byte];
      tables[k][byte] = before >> 8 ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr auto tables = make_tables();

}  // namespace

void Crc64::add(std::string_view bytes) noexcept {
  std::uint64_t crc = state_;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  const std::uint64_t* const table = tables[0].data();  // rows lie one behind the other
  for (; left >= width; at += width, left -= width) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, width);
    word ^= crc;
    crc = table[7 * 256 + (word & 0xFF)] ^ table[6 * 256 + (word >> 8 & 0xFF)] ^
          table[5 * 256 + (word >> 16 & 0xFF)] ^ table[4 * 256 + (word >> 24 & 0xFF)] ^
          table[3 * 256 + (word >> 32 & 0xFF)] ^ table[2 * 256 + (word >> 40 & 0xFF)] ^
          table[1 * 256 + (word >> 48 & 0xFF)] ^ table[word >> 56];
  }
  for (; left > 0; ++at, --left) {
    crc = crc >> 8 ^ table[(crc ^ static_cast<unsigned char>(*at)) & 0xFF];
  }
  state_ = crc;
}

}  // namespace cc
