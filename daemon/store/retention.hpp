// Years of data: whole months of calls go when they are old enough, and months ahead are there
// before the first call needs them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "config.hpp"
#include "io/pg.hpp"

namespace cc {

namespace asio = boost::asio;

struct RetentionReport {
  std::vector<std::string> dropped;    // partitions, by name
  std::vector<std::string> kept_back;  // old enough, but a call in them is open or holds a claim
  std::vector<std::string> busy;       // could not be locked within 100 ms: next time
};

/// Drops the months of call_record and call_event whose last moment is older than is kept. Any
/// daemon may run it at any time; nobody waits for it for longer than 100 ms. Throws pg::Failure.
asio::awaitable<RetentionReport> drop_old_months(pg::Pool& pool, Retention retention,
                                                 std::int64_t now_ms);

/// Up to when (epoch ms) there is an unbroken row of partitions of both tables from now on; 0 =
/// there is none for now. Throws pg::Failure.
asio::awaitable<std::int64_t> partitions_until(pg::Pool& pool, std::int64_t now_ms);

/// Fewer days of partitions ahead than this are an alarm: nobody has made any for two months.
inline constexpr std::int64_t least_days_ahead = 31;

}  // namespace cc
