// Freeing a line by hand, in one transaction (rules.md, "Claims").
#pragma once

#include <cstdint>
#include <variant>

#include <boost/asio/awaitable.hpp>

#include "agent/agents.hpp"
#include "io/pg.hpp"

namespace cc {

/// `order.agent` is in its stored form. What stays to be done is the commit. Throws pg::Failure.
asio::awaitable<std::variant<Release, AgentRefusal>> release_line(pg::Transaction& transaction,
                                                                  ReleaseOrder order,
                                                                  std::int64_t now_ms);

}  // namespace cc
