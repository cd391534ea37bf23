// The database's schema: numbered SQL files of conf/sql, built into the program.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "io/pg.hpp"
#include "result.hpp"

namespace cc {

namespace asio = boost::asio;

struct Migration {
  int number = 0;
  std::string_view name;  // "001_init"
  std::string_view sql;
};

/// In order. Generated from conf/sql when the program is built.
const std::vector<Migration>& migrations();

/// Applies what is missing, each file in its own transaction, under a lock so that two can't
/// collide. Returns the names applied. Throws pg::Failure.
asio::awaitable<std::vector<std::string>> migrate(pg::Connection& connection);

/// The schema's state against this program's: an error says which is older and what to do.
asio::awaitable<Result<int>> check_schema(pg::Pool& pool);

/// Makes the partitions for [now - 2 months, now + 3 months). Returns how many were missing.
asio::awaitable<int> make_partitions(pg::Pool& pool, std::int64_t now_ms);

}  // namespace cc
