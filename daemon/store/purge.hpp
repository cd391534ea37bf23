// What has served its time and is no record: deleted in batches, by index.
#pragma once

#include <cstdint>

#include <boost/asio/awaitable.hpp>

#include "config.hpp"
#include "io/pg.hpp"

namespace cc {

namespace asio = boost::asio;

/// Idempotency keys after 25 h (they count for 24), released claims after 7 days; attempts (never
/// of an open call, or one that holds a claim), changes, dead letters and rejections as `retention`
/// says, and so the rows of the audit trail. 5000 rows a statement, each its own transaction: locks
/// are short. Returns the rows deleted. Throws pg::Failure.
asio::awaitable<std::size_t> purge(pg::Pool& pool, Retention retention, std::int64_t now_ms);

}  // namespace cc
