// Who the client is. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "message.hpp"
#include "network.hpp"

namespace cc::api {

/// The other end of a connection: a numeric address, or a unix socket, whose peer is a proxy of
/// this machine's.
struct Peer {
  std::optional<IpAddress> address;  // nothing = not known
  bool local = false;                // a unix socket
};

/// The client's address as text, "203.0.113.7"; empty where it can't be known. X-Forwarded-For is
/// believed from its end on for as long as whoever said it is trusted; an element that is no
/// address, or a chain of more than 32 trusted proxies, makes it unknown.
std::string client_of(const Peer& peer, const Request& request,
                      const std::vector<Network>& trusted);

std::string to_text(const IpAddress& address);

}  // namespace cc::api
