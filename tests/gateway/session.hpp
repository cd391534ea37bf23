// Signing in and out, and polling.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "agent.hpp"
#include "reply.hpp"
#include "visit.hpp"

namespace gateway {

boost::asio::awaitable<Reply> sign_in(Visit const& visit);
boost::asio::awaitable<Reply> sign_out(Visit const& visit, Agent& agent);
boost::asio::awaitable<Reply> poll(Visit const& visit, Agent& agent);

}  // namespace gateway
