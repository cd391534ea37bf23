// The control API under /_control: for tests and demos, never part of the vendor's API.
#pragma once

#include "server.hpp"

namespace jiuyun {

boost::asio::awaitable<Reply> control(World& world, Request const& request, Target const& target);

}  // namespace jiuyun
