// The control API, under /_control.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "reply.hpp"

namespace gateway {

class World;

boost::asio::awaitable<Reply> control(World& world, Request const& request, Target const& target);

}  // namespace gateway
