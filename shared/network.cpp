#include "network.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <string>

#include "text.hpp"

namespace cc {

namespace {

constexpr unsigned mapped_bits = 96;  // in front of an IPv4 address
constexpr std::size_t longest_text = 45;

Error no_network(std::string_view text, std::string_view why) {
  return Error{"'" + std::string(text) + "' " + std::string(why) +
               "; write an address or a network, e.g. 203.0.113.7 or 203.0.113.0/24"};
}

}  // namespace

std::optional<IpAddress> parse_address(std::string_view text) noexcept {
  if (text.empty() || text.size() > longest_text) return std::nullopt;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  std::array<char, longest_text + 1> terminated{};
  std::copy(text.begin(), text.end(), terminated.begin());
  IpAddress address{};
  if (text.find(':') != std::string_view::npos) {
    if (::inet_pton(AF_INET6, terminated.data(), address.data()) != 1) return std::nullopt;
    return address;
  }
  address[10] = address[11] = 0xFF;
  if (::inet_pton(AF_INET, terminated.data(), address.data() + 12) != 1) return std::nullopt;
  return address;
}

bool Network::contains(const IpAddress& address) const noexcept {
  const unsigned whole = bits / 8;
  if (!std::equal(base.begin(), base.begin() + whole, address.begin())) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xFF << (8 - rest));
  return ((base[whole] ^ address[whole]) & mask) == 0;
}

Result<Network> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return no_network(text, "is no numeric address");
  Network network{*address, 128};
  if (slash != std::string_view::npos) {
    const bool is_v4 = text.find(':') == std::string_view::npos;
    const auto bits = parse_integer(text.substr(slash + 1));
    if (!bits || *bits < 0 || *bits > (is_v4 ? 32 : 128)) {
      return no_network(text, "has no prefix length that fits");
    }
    network.bits = static_cast<unsigned>(*bits) + (is_v4 ? mapped_bits : 0);
  }
  IpAddress masked{};
  for (unsigned bit = 0; bit < network.bits; ++bit) {
    masked[bit / 8] |= static_cast<std::uint8_t>(network.base[bit / 8] & (0x80 >> (bit % 8)));
  }
  if (masked != network.base) return no_network(text, "has bits set behind its prefix");
  return network;
}

}  // namespace cc
