// The gateway's functions, under /agentgateway/resource.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "links.hpp"
#include "reply.hpp"

namespace gateway {

class World;

boost::asio::awaitable<Reply> resource(World& world, Request const& request, Target const& target,
                                       Link const& link);

}  // namespace gateway
