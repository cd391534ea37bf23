#include "store/purge.hpp"

#include <array>
#include <string_view>

namespace cc {
namespace {

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t day_ms = 24 * hour_ms;
constexpr std::size_t batch = 5000;  // rows a statement, as in each of these

constexpr std::string_view keys_sql =
    "DELETE FROM idempotency_key WHERE ctid = ANY(ARRAY(SELECT ctid FROM idempotency_key "
    "WHERE created < $1 ORDER BY created LIMIT 5000))";
constexpr std::string_view claims_sql =
    "DELETE FROM claim WHERE id = ANY(ARRAY(SELECT id FROM claim WHERE released < $1 "
    "ORDER BY released LIMIT 5000))";
constexpr std::string_view rejections_sql =
    "DELETE FROM rejection WHERE id = ANY(ARRAY(SELECT id FROM rejection WHERE at < $1 "
    "ORDER BY at LIMIT 5000))";
constexpr std::string_view changes_sql =
    "DELETE FROM change WHERE id = ANY(ARRAY(SELECT id FROM change WHERE at < $1 "
    "ORDER BY at LIMIT 5000))";
constexpr std::string_view states_sql =
    "DELETE FROM channel_change WHERE id = ANY(ARRAY(SELECT id FROM channel_change WHERE at < $1 "
    "ORDER BY id LIMIT 5000))";
constexpr std::string_view letters_sql =
    "DELETE FROM dead_letter WHERE id = ANY(ARRAY(SELECT id FROM dead_letter WHERE last_seen < $1 "
    "ORDER BY last_seen LIMIT 5000))";
constexpr std::string_view audit_sql =
    "DELETE FROM audit WHERE id = ANY(ARRAY(SELECT id FROM audit WHERE at < $1 "
    "ORDER BY at LIMIT 5000))";
constexpr std::string_view attempts_sql =
    "DELETE FROM call_attempt WHERE ctid = ANY(ARRAY(SELECT a.ctid FROM call_attempt a "
    "WHERE a.created < $1 AND NOT EXISTS (SELECT 1 FROM call_record r WHERE r.id = a.call "
    "AND r.state <> 'close' AND r.merged_into IS NULL) "
    "AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.call = a.call AND c.released IS NULL) "
    "ORDER BY a.created LIMIT 5000))";

}  // namespace

asio::awaitable<std::size_t> purge(pg::Pool& pool, Retention retention, std::int64_t now_ms) {
  struct Purge {
    std::string_view sql;
    std::int64_t keep_ms;  // 0 = for ever
  };
  const std::array purges{Purge{keys_sql, 25 * hour_ms},
                          Purge{claims_sql, 7 * day_ms},
                          Purge{rejections_sql, retention.rejections * day_ms},
                          Purge{changes_sql, retention.changes * day_ms},
                          Purge{states_sql, retention.changes * day_ms},
                          Purge{audit_sql, retention.audit * day_ms},
                          Purge{letters_sql, retention.dead_letters * day_ms},
                          Purge{attempts_sql, retention.attempts * day_ms}};
  std::size_t deleted = 0;
  for (const Purge& kind : purges) {
    if (kind.keep_ms == 0) continue;
    for (std::size_t gone = batch; gone >= batch; deleted += gone) {
      const pg::Rows rows = co_await pool.query(kind.sql, pg::params(now_ms - kind.keep_ms));
      gone = rows.affected();
    }
  }
  co_return deleted;
}

}  // namespace cc
