#include "public_address.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace cc {
namespace {

struct V4Block {
  std::uint32_t first;
  int bits;
};

constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

constexpr std::array closed_v4{
    V4Block{v4(0, 0, 0, 0), 8},       V4Block{v4(10, 0, 0, 0), 8},
    V4Block{v4(100, 64, 0, 0), 10},   V4Block{v4(127, 0, 0, 0), 8},
    V4Block{v4(169, 254, 0, 0), 16},  V4Block{v4(172, 16, 0, 0), 12},
    V4Block{v4(192, 0, 0, 0), 24},    V4Block{v4(192, 0, 2, 0), 24},
    V4Block{v4(192, 88, 99, 0), 24},  V4Block{v4(192, 168, 0, 0), 16},
    V4Block{v4(198, 18, 0, 0), 15},   V4Block{v4(198, 51, 100, 0), 24},
    V4Block{v4(203, 0, 113, 0), 24},  V4Block{v4(224, 0, 0, 0), 3}};

using V6 = std::array<std::uint8_t, 16>;

struct V6Block {
  std::array<std::uint8_t, 16> first;
  std::size_t bits;
};

constexpr std::array inside_v6{
    V6Block{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, 96},  // IPv4-mapped
    V6Block{{0, 0x64, 0xFF, 0x9B}, 96},                       // NAT64
};
constexpr V6Block global_v6{{0x20}, 3};  // all that is given out lies in 2000::/3
constexpr std::array closed_v6{
    V6Block{{0x20, 0x01, 0x00}, 23},              // IETF's protocols: Teredo and others
    V6Block{{0x20, 0x01, 0x0D, 0xB8}, 32},        // documentation
    V6Block{{0x20, 0x02}, 16},                    // 6to4: carries an IPv4 address
    V6Block{{0x3F, 0xFF, 0x00}, 20},              // documentation
};

bool is_public(std::uint32_t address) noexcept {
  return std::none_of(closed_v4.begin(), closed_v4.end(), [address](V4Block block) {
    return address >> (32 - block.bits) == block.first >> (32 - block.bits);
  });
}

bool lies_in(const V6& address, const V6Block& block) noexcept {
  for (std::size_t bit = 0; bit < block.bits; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    if (((address[bit / 8] ^ block.first[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

bool is_public(const V6& address) noexcept {
  const auto in = [&address](const V6Block& block) { return lies_in(address, block); };
  if (std::any_of(inside_v6.begin(), inside_v6.end(), in)) {
    return is_public(v4(address[12], address[13], address[14], address[15]));
  }
  return in(global_v6) && std::none_of(closed_v6.begin(), closed_v6.end(), in);
}

}  // namespace

bool is_public_address(const sockaddr& address) noexcept {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4_address{};
    std::memcpy(&v4_address, &address, sizeof v4_address);
    return is_public(ntohl(v4_address.sin_addr.s_addr));
  }
  if (address.sa_family != AF_INET6) return false;
  sockaddr_in6 v6_address{};
  std::memcpy(&v6_address, &address, sizeof v6_address);
  V6 bytes{};
  std::memcpy(bytes.data(), &v6_address.sin6_addr, bytes.size());
  return is_public(bytes);
}

bool is_public_address(const std::string& text) noexcept {
  in_addr v4_address{};
  if (::inet_pton(AF_INET, text.c_str(), &v4_address) == 1) {
    return is_public(ntohl(v4_address.s_addr));
  }
  V6 bytes{};
  return ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1 && is_public(bytes);
}

}  // namespace cc
