// What has served its time and is no record: deleted in batches.
#pragma once

#include <cstdint>

#include <boost/asio/awaitable.hpp>

#include "io/pg.hpp"

namespace cc {

namespace asio = boost::asio;

/// Idempotency keys after 25 h (they count for 24), released claims after 7 days, rejections
/// after 30. Throws pg::Failure.
asio::awaitable<void> purge(pg::Pool& pool, std::int64_t now_ms);

}  // namespace cc
