// IP addresses and networks, for the lists of addresses that a channel calls from.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "result.hpp"

namespace cc {

/// IPv6; an IPv4 address stands in its mapped form (::ffff:a.b.c.d), so both compare alike.
using IpAddress = std::array<std::uint8_t, 16>;

/// Nothing where the text is no numeric address.
std::optional<IpAddress> parse_address(std::string_view text) noexcept;

struct Network {
  IpAddress base{};
  unsigned bits = 128;  // of `base` that count

  bool contains(const IpAddress& address) const noexcept;
};

/// "203.0.113.0/24", "2001:db8::/32", or one address.
/// Errors: no address, a prefix out of range, bits set behind the prefix.
Result<Network> parse_network(std::string_view text);

}  // namespace cc
