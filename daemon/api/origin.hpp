// How a client reaches this API, for URLs that it is given. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "message.hpp"
#include "network.hpp"
#include "peer.hpp"

namespace cc::api {

/// "https://cc.example.com:8443", without a slash at its end: the configured URL, where there is
/// one; else what the header Host says, empty where that is no host. Whether it is https only
/// X-Forwarded-Proto can tell, of a unix socket's peer or a trusted one.
std::string origin_of(const Peer& peer, const Request& request, const std::vector<Network>& trusted,
                      std::string_view public_url);

/// Whether it is nothing but a name or address, with or without a port.
bool is_host(std::string_view text) noexcept;

}  // namespace cc::api
