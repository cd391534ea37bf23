#include "migrate.hpp"

#include <chrono>
#include <set>

namespace cc {
namespace {

constexpr std::string_view table_sql =
    "CREATE TABLE IF NOT EXISTS schema_migration (number int PRIMARY KEY, name varchar(64) NOT "
    "NULL, "
    "applied timestamptz NOT NULL DEFAULT clock_timestamp())";

constexpr std::int64_t month_ms = std::int64_t{31} * 86'400'000;

}  // namespace

asio::awaitable<std::vector<std::string>> migrate(pg::Connection& connection) {
  // An index over years of calls takes as long as it takes; giving up would leave it half done.
  connection.set_timeout(std::chrono::hours(24));
  std::vector<std::string> applied;
  co_await connection.query("SELECT pg_advisory_lock(hashtext('cc_migrate'))");
  co_await connection.query(table_sql);
  const pg::Rows rows = co_await connection.query("SELECT number FROM schema_migration");
  std::set<std::int64_t> done;
  for (std::size_t row = 0; row < rows.size(); ++row) done.insert(rows.integer(row, "number"));
  for (const Migration& migration : migrations()) {
    if (done.contains(migration.number)) continue;
    std::string script = "BEGIN;\n" + std::string(migration.sql) +
                         "\nINSERT INTO schema_migration (number, name) VALUES (" +
                         std::to_string(migration.number) + ", '" + std::string(migration.name) +
                         "');\nCOMMIT;";
    co_await connection.script(std::move(script));
    applied.emplace_back(migration.name);
  }
  co_await connection.query("SELECT pg_advisory_unlock(hashtext('cc_migrate'))");
  co_return applied;
}

asio::awaitable<Result<int>> check_schema(pg::Pool& pool) {
  const int known = migrations().back().number;
  const pg::Rows table =
      co_await pool.query("SELECT to_regclass('schema_migration') IS NOT NULL AS there");
  if (!table.boolean(0, "there")) {
    co_return Error{"the database has no schema of CC: run `ccd --config FILE --migrate` first"};
  }
  const pg::Rows rows =
      co_await pool.query("SELECT coalesce(max(number), 0) AS number FROM schema_migration");
  const auto number = static_cast<int>(rows.integer(0, "number"));
  if (number > known) {
    co_return Error{"the database's schema is number " + std::to_string(number) +
                    ", newer than this ccd knows (" + std::to_string(known) +
                    "): install the newer ccd"};
  }
  if (number < known) {
    co_return Error{"the database's schema is number " + std::to_string(number) +
                    ", this ccd needs " + std::to_string(known) +
                    ": run `ccd --config FILE --migrate`"};
  }
  co_return number;
}

asio::awaitable<int> make_partitions(pg::Pool& pool, std::int64_t now_ms) {
  const pg::Rows rows =
      co_await pool.query("SELECT cc_make_partitions($1, $2) AS made",
                          pg::params(now_ms - 2 * month_ms, now_ms + 3 * month_ms));
  co_return static_cast<int>(rows.integer(0, "made"));
}

}  // namespace cc
