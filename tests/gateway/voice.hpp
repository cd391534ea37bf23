// Calling out, hanging up, asking about a call.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "agent.hpp"
#include "reply.hpp"
#include "visit.hpp"

namespace gateway {

boost::asio::awaitable<Reply> call_out(Visit const& visit, Agent& agent);
Reply hang_up(Visit const& visit, Agent& agent);
Reply query(Visit const& visit);
// A callout or sign-out that never came so far: the journal shows it all the same.
void note_refused(Visit const& visit, Reply const& reply);

}  // namespace gateway
