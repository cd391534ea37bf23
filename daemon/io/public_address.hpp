// Which addresses belong to the public internet: what a URL from outside may lead to.
#pragma once

#include <string>
#include <sys/socket.h>

namespace cc {

/// False for loopback, private, link-local, shared, documentation, multicast and reserved addresses
/// (RFC 6890), for those that carry such an IPv4 address inside, and for what is no IP address.
bool is_public_address(const sockaddr& address) noexcept;

/// The same of an address as text; false where it is none.
bool is_public_address(const std::string& text) noexcept;

}  // namespace cc
