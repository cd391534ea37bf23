// A pool and a table for its tests.
#pragma once

#include <string>

#include "pg_fixture.hpp"

namespace cc::test {

struct PoolFixture : PgFixture {
  PoolFixture() {
    server.sql("DROP TABLE IF EXISTS t; CREATE TABLE t (n int PRIMARY KEY DEFERRABLE, w text)");
  }
  std::int64_t rows_in_table() { return std::stoll(server.sql("SELECT count(*) FROM t")); }
};

inline asio::awaitable<void> insert(pg::Pool& pool, int n, bool commit) {
  pg::Transaction transaction = co_await pool.begin();
  pg::Params given = params(n);
  const pg::Rows rows =
      co_await transaction.query("INSERT INTO t VALUES ($1, 'x')", std::move(given));
  if (commit) co_await transaction.commit();
}

}  // namespace cc::test
