#include "store/purge.hpp"

#include <array>

namespace cc {
namespace {

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::size_t batch = 5000;  // rows a statement: short locks

struct Purge {
  std::string_view sql;
  std::int64_t keep_ms;
};

constexpr std::array purges{
    Purge{"DELETE FROM idempotency_key WHERE ctid = ANY(ARRAY(SELECT ctid FROM idempotency_key "
          "WHERE created < $1 ORDER BY created LIMIT 5000))",
          25 * hour_ms},
    Purge{"DELETE FROM claim WHERE id = ANY(ARRAY(SELECT id FROM claim WHERE released < $1 "
          "ORDER BY released LIMIT 5000))",
          7 * 24 * hour_ms},
    Purge{"DELETE FROM rejection WHERE id = ANY(ARRAY(SELECT id FROM rejection WHERE at < $1 LIMIT "
          "5000))",
          30 * 24 * hour_ms},
};

}  // namespace

asio::awaitable<void> purge(pg::Pool& pool, std::int64_t now_ms) {
  for (const Purge& kind : purges) {
    for (std::size_t gone = batch; gone >= batch;) {
      const pg::Rows rows = co_await pool.query(kind.sql, pg::params(now_ms - kind.keep_ms));
      gone = rows.affected();
    }
  }
}

}  // namespace cc
