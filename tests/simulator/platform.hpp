// The vendor's API: originate, cancel, query.
#pragma once

#include "server.hpp"

namespace jiuyun {

boost::asio::awaitable<Reply> platform(World& world, Request const& request, Target const& target);

}  // namespace jiuyun
