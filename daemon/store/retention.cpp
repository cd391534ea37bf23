#include "store/retention.hpp"

#include <algorithm>
#include <string_view>

#include "record.hpp"

namespace cc {
namespace {

constexpr std::int64_t day_ms = 86'400'000;
constexpr int tries = 5;

constexpr std::string_view old_sql =
    "SELECT child FROM cc_partitions($1) WHERE upper_id <= $2 ORDER BY lower_id";
constexpr std::string_view retire_sql = "SELECT cc_retire_partition($1, $2) AS outcome";
constexpr std::string_view drop_sql = "SELECT cc_drop_retired() AS dropped";
constexpr std::string_view ahead_sql =
    "SELECT lower_id, upper_id FROM cc_partitions($1) WHERE upper_id > $2 ORDER BY lower_id";

bool is_busy(const pg::Failure& failure) {
  return failure.sqlstate == "55P03" || failure.sqlstate == "40P01";
}

/// "retired", "in use", "gone" or "busy".
asio::awaitable<std::string> retire(pg::Pool& pool, std::string parent, std::string child) {
  std::string outcome = "busy";
  for (int left = tries; left > 0 && outcome == "busy"; --left) {
    try {
      const pg::Rows rows = co_await pool.query(retire_sql, pg::params(parent, child));
      outcome = rows.text(0, "outcome");
    } catch (const pg::Failure& failure) {
      if (!is_busy(failure)) throw;
    }
  }
  co_return outcome;
}

asio::awaitable<void> drop_months(pg::Pool& pool, std::string parent, int days, std::int64_t now_ms,
                                  RetentionReport& report) {
  if (days == 0) co_return;
  const std::int64_t oldest = std::max(now_ms - days * day_ms, id_epoch_ms);
  const pg::Rows rows = co_await pool.query(old_sql, pg::params(parent, make_call_id(oldest, 0)));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::string child(rows.text(row, "child"));
    const std::string outcome = co_await retire(pool, parent, child);
    if (outcome == "retired") report.dropped.push_back(child);
    if (outcome == "in use") report.kept_back.push_back(child);
    if (outcome == "busy") report.busy.push_back(child);
  }
}

asio::awaitable<std::int64_t> row_ends(pg::Pool& pool, std::string parent, std::int64_t now_ms) {
  const std::int64_t now_id = make_call_id(now_ms, 0);
  const pg::Rows rows = co_await pool.query(ahead_sql, pg::params(parent, now_id));
  std::int64_t end = now_id;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (rows.integer(row, "lower_id") > end) break;  // a gap
    end = rows.integer(row, "upper_id");
  }
  co_return end == now_id ? 0 : call_id_time_ms(end);
}

}  // namespace

asio::awaitable<RetentionReport> drop_old_months(pg::Pool& pool, Retention retention,
                                                 std::int64_t now_ms) {
  RetentionReport report;
  // A history without its record helps nobody, a record without its history is still true: so the
  // events go first.
  co_await drop_months(pool, "call_event", retention.events, now_ms, report);
  co_await drop_months(pool, "call_record", retention.records, now_ms, report);
  try {
    co_await pool.query(drop_sql);
  } catch (const pg::Failure& failure) {
    if (!is_busy(failure)) throw;
    report.busy.emplace_back("retired partitions");
  }
  co_return report;
}

asio::awaitable<std::int64_t> partitions_until(pg::Pool& pool, std::int64_t now_ms) {
  const std::int64_t records = co_await row_ends(pool, "call_record", now_ms);
  const std::int64_t events = co_await row_ends(pool, "call_event", now_ms);
  co_return std::min(records, events);
}

}  // namespace cc
