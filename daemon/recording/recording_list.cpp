#include "recording/recording_list.hpp"

#include <map>

namespace cc {
namespace {

constexpr std::int64_t late_ms = 3'600'000;
constexpr std::size_t most_told = 1000;  // calls in a row of the audit log

std::string list_sql(const std::string& which, const std::string& order) {
  return "SELECT r.call, r.file, r.tenant, r.channel, r.state, r.closed, r.due, r.tries, "
         "r.problem, "
         "r.owner, r.object, r.content_type, r.crc64, r.size, r.stored FROM recording r " +
         which + " ORDER BY " + order + " LIMIT $1";
}

constexpr std::string_view retry_calls_sql =
    "UPDATE recording SET state = 'expected', due = $1, tries = 0 WHERE call = ANY($2::bigint[]) "
    "AND state IN ('absent', 'expected') RETURNING call, tenant";
constexpr std::string_view retry_since_sql =
    "UPDATE recording SET state = 'expected', due = $1, tries = 0 WHERE state = 'absent' AND "
    "closed >= $2 AND ($3::varchar IS NULL OR channel = $3) RETURNING call, tenant";

constexpr std::string_view audit_sql =
    "INSERT INTO audit (at, tenant, key, action, calls, count) VALUES ((extract(epoch FROM "
    "clock_timestamp()) * 1000)::bigint, $1, left($2, 96), 'recording.retried', $3::bigint[], $4)";

std::vector<ListedRecording> from_rows(const pg::Rows& rows) {
  std::vector<ListedRecording> list;
  for (std::size_t at = 0; at < rows.size(); ++at) {
    ListedRecording one;
    one.call = rows.integer(at, "call");
    one.file = rows.text(at, "file");
    one.tenant = rows.text(at, "tenant");
    one.channel = rows.text(at, "channel");
    one.state = rows.text(at, "state");
    one.closed_ms = rows.integer(at, "closed");
    one.due_ms = rows.opt_integer(at, "due");
    one.tries = rows.integer(at, "tries");
    one.problem = rows.opt_text(at, "problem");
    one.owner = rows.opt_text(at, "owner");
    one.object = rows.opt_text(at, "object");
    one.content_type = rows.opt_text(at, "content_type");
    one.crc64 = rows.opt_text(at, "crc64");
    one.size = rows.opt_integer(at, "size");
    one.stored_ms = rows.opt_integer(at, "stored");
    list.push_back(std::move(one));
  }
  return list;
}

}  // namespace

asio::awaitable<std::vector<ListedRecording>> list_recordings(pg::Pool& pool,
                                                              const Channels& channels,
                                                              RecordingFilter filter,
                                                              std::int64_t now_ms) {
  static const std::string any = list_sql(
      "WHERE ($2::varchar IS NULL OR r.state = $2) AND ($3::varchar IS NULL OR r.tenant = $3)",
      "r.call DESC, r.file");
  static const std::string expected = list_sql(
      "LEFT JOIN unnest($3::varchar[], $4::bigint[]) AS c (channel, ready) ON c.channel = "
      "r.channel WHERE r.state = 'expected' AND ($2::varchar IS NULL OR r.tenant = $2) AND "
      "(NOT $5::boolean OR $6::bigint - least(r.closed, $6) > coalesce(c.ready, 600000) + $7)",
      "r.due NULLS FIRST, r.call");
  if (!filter.overdue && filter.state != "expected") {
    const pg::Rows rows =
        co_await pool.query(any, pg::params(filter.limit, filter.state, filter.tenant));
    co_return from_rows(rows);
  }
  std::vector<std::string> codes;
  std::vector<std::int64_t> ready;
  for (const auto& [code, channel] : channels.all()) {
    codes.push_back(code);
    ready.push_back(channel->config.recordings.ready_after.count());
  }
  const pg::Rows rows =
      co_await pool.query(expected, pg::params(filter.limit, filter.tenant, pg::array(codes),
                                               pg::array(ready), filter.overdue, now_ms, late_ms));
  co_return from_rows(rows);
}

asio::awaitable<std::vector<ListedRecording>> recordings_of(pg::Pool& pool, std::int64_t call) {
  static const std::string sql = list_sql("WHERE r.call = $2", "r.file");
  const pg::Rows rows = co_await pool.query(sql, pg::params(2, call));
  co_return from_rows(rows);
}

asio::awaitable<std::size_t> retry_recordings(pg::Pool& pool, RetryWish wish, std::string by,
                                              std::int64_t now_ms) {
  const bool named = !wish.calls.empty();
  pg::Params params = named ? pg::params(now_ms, pg::array(wish.calls))
                            : pg::params(now_ms, wish.since_ms, wish.channel);
  pg::Transaction transaction = co_await pool.begin();
  const pg::Rows rows =
      co_await transaction.query(named ? retry_calls_sql : retry_since_sql, std::move(params));
  std::map<std::string, std::vector<std::int64_t>> calls;
  for (std::size_t at = 0; at < rows.size(); ++at) {
    calls[std::string(rows.text(at, "tenant"))].push_back(rows.integer(at, "call"));
  }
  for (auto& [tenant, ids] : calls) {
    const auto count = static_cast<std::int64_t>(ids.size());
    if (ids.size() > most_told) ids.resize(most_told);
    co_await transaction.query(audit_sql, pg::params(tenant, by, pg::array(ids), count));
  }
  co_await transaction.commit();
  co_return rows.size();
}

}  // namespace cc
