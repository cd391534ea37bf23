#include "recording/recording_queue.hpp"

#include <algorithm>

#include "recording/patience.hpp"
#include "recording/recording_settle.hpp"
#include "store/record_store.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr std::size_t batch = 500;  // rows a statement, as in those below
constexpr std::int64_t late_ms = 3'600'000, day_ms = 86'400'000;
constexpr std::size_t reason_width = 128;  // of call_record's column

// Of a channel that is not configured any more, as e9's are. What a channel says of a call's end is
// believed only between its beginning and now.
constexpr std::string_view schedule_sql =
    "UPDATE recording n SET closed = w.closed, due = w.closed + w.ready + "
    "floor(random() * least(w.ready / 10, 60000))::bigint FROM (SELECT d.call, d.file, "
    "coalesce(c.ready, 600000) AS ready, "
    "greatest(least(d.closed, $3::bigint), (d.call >> 22) + 1577836800000) AS closed "
    "FROM (SELECT call, file, channel, closed FROM recording WHERE state = 'expected' AND due IS "
    "NULL LIMIT 500 FOR UPDATE SKIP LOCKED) d "
    "LEFT JOIN unnest($1::varchar[], $2::bigint[]) AS c (channel, ready) ON c.channel = d.channel) "
    "w WHERE n.call = w.call AND n.file = w.file AND n.due IS NULL";

constexpr std::string_view row_columns =
    "n.call, n.file, n.tenant, n.channel, n.agent, n.channel_call_id, n.source, n.closed, n.state, "
    "n.tries, n.object, n.upload, n.stored, n.store";

/// Of rows `r`: nobody's, or a dead owner's, or ours ($1, $2) that nobody here has in hand ($3,
/// $4).
std::string free_sql() {
  return "(r.owner IS NULL OR CASE WHEN r.owner = $1 AND r.epoch = $2 THEN NOT EXISTS (SELECT 1 "
         "FROM unnest($3::bigint[], $4::varchar[]) AS h (call, file) WHERE h.call = r.call AND "
         "h.file = r.file) ELSE " +
         dead_owner_sql("r") + " END)";
}

std::string take_sql(const std::string& which) {
  return "UPDATE recording n SET owner = $1, epoch = $2 FROM (SELECT r.call, r.file FROM recording "
         "r WHERE " +
         which +
         " FOR UPDATE OF r SKIP LOCKED) d WHERE n.call = d.call AND n.file = d.file AND EXISTS "
         "(SELECT 1 FROM daemon WHERE id = $1 AND epoch = $2) RETURNING " +
         std::string(row_columns);
}

std::string take_due_sql() {
  return take_sql("r.state IN ('expected', 'orphaned') AND r.due <= $5::bigint AND r.channel <> "
                  "ALL($7::varchar[]) AND " +
                  free_sql() +
                  " ORDER BY r.due NULLS FIRST LIMIT $6::bigint");
}

std::string take_expired_sql() {
  return take_sql(
      "r.state = 'stored' AND r.tenant = $5 AND r.stored >= $6::bigint AND r.stored < $7::bigint "
      "AND (r.stored, r.call, r.file) > ($6::bigint, $8::bigint, $9::varchar) AND "
      "(r.store IS NULL OR r.store = $10) AND " +
      free_sql() + " ORDER BY r.stored, r.call, r.file LIMIT 100");
}

// $1 … $4: the row and its owner.
constexpr std::string_view name_sql =
    "UPDATE recording SET object = $5, store = nullif($6, ''), upload = NULL WHERE call = $1 AND "
    "file = $2 AND owner = $3 AND epoch = $4 AND state = 'expected'";
constexpr std::string_view still_ours_sql =
    "SELECT 1 FROM recording WHERE call = $1 AND file = $2 AND owner = $3 AND epoch = $4 AND state "
    "= 'expected'";
constexpr std::string_view begun_sql =
    "UPDATE recording SET upload = $5 WHERE call = $1 AND file = $2 AND owner = $3 AND epoch = $4 "
    "AND state = 'expected'";
// Whoever has the row now: does it mean this object, or may it come to?
constexpr std::string_view wanted_sql =
    "SELECT 1 FROM recording WHERE call = $1 AND file = $2 AND (state = 'expected' OR (state = "
    "'stored' AND object = $3))";
constexpr std::string_view cleared_sql =
    "UPDATE recording SET object = NULL, upload = NULL WHERE call = $1 AND file = $2 AND owner = "
    "$3 AND epoch = $4";
constexpr std::string_view give_back_sql =
    "UPDATE recording SET owner = NULL, epoch = NULL WHERE call = $1 AND file = $2 AND owner = $3 "
    "AND epoch = $4";

// No time, or another source: another address came meanwhile, and begins anew.
constexpr std::string_view postpone_sql =
    "UPDATE recording SET owner = NULL, epoch = NULL, "
    "problem = CASE WHEN source = $8 THEN $6 END, "
    "tries = tries + CASE WHEN due IS NOT NULL AND source = $8 AND $7::boolean THEN 1 ELSE 0 END, "
    "due = CASE WHEN due IS NOT NULL AND source = $8 THEN $5::bigint ELSE due END "
    "WHERE call = $1 AND file = $2 AND owner = $3 AND epoch = $4";

constexpr std::string_view stored_sql =
    "UPDATE recording SET state = 'stored', owner = NULL, epoch = NULL, upload = NULL, problem = "
    "NULL, size = $5, crc64 = $6, content_type = $7, stored = $8, store = nullif($9, '') "
    "WHERE call = $1 AND file = $2 AND owner = $3 AND epoch = $4 AND state = 'expected'";
constexpr std::string_view absent_sql =
    "UPDATE recording SET state = 'absent', owner = NULL, epoch = NULL, object = NULL, upload = "
    "NULL, problem = $5, tries = tries + 1 WHERE call = $1 AND file = $2 AND owner = $3 AND "
    "epoch = $4 AND state = 'expected' AND due IS NOT NULL AND source = $6";
constexpr std::string_view deleted_sql =
    "UPDATE recording SET state = 'deleted', owner = NULL, epoch = NULL, object = NULL WHERE call "
    "= $1 AND file = $2 AND owner = $3 AND epoch = $4 AND state = 'stored'";

constexpr std::string_view orphan_sql =
    "UPDATE recording SET state = 'orphaned', due = $5 WHERE call = $1 AND file = $2 AND owner = "
    "$3 AND epoch = $4 AND state IN ('expected', 'stored') AND EXISTS (SELECT 1 FROM call_record "
    "WHERE id = $1 AND merged_into IS NOT NULL)";
constexpr std::string_view drop_sql =
    "DELETE FROM recording WHERE call = $1 AND file = $2 AND owner = $3 AND epoch = $4 AND state = "
    "'orphaned'";

// From one tenant to the next in the index, however many rows each has.
constexpr std::string_view tenants_sql =
    "WITH RECURSIVE t (tenant) AS ((SELECT tenant FROM recording WHERE state = 'stored' ORDER BY "
    "tenant LIMIT 1) UNION ALL SELECT (SELECT r.tenant FROM recording r WHERE r.state = 'stored' "
    "AND r.tenant > t.tenant ORDER BY r.tenant LIMIT 1) FROM t WHERE t.tenant IS NOT NULL) "
    "SELECT tenant FROM t WHERE tenant IS NOT NULL";

constexpr std::string_view expired_elsewhere_sql =
    "SELECT count(*) AS count FROM (SELECT 1 FROM recording r WHERE r.state = 'stored' AND "
    "r.tenant = $1 AND r.stored < $2::bigint AND r.store <> $3 LIMIT 1000) e";
constexpr std::string_view orphaned_elsewhere_sql =
    "SELECT count(*) AS count FROM (SELECT 1 FROM recording r WHERE r.state = 'orphaned' AND "
    "r.state IN ('expected', 'orphaned') AND r.object IS NOT NULL AND r.store <> $1 LIMIT 1000) e";

constexpr std::string_view months_sql =
    "SELECT lower_id, upper_id FROM cc_partitions('call_record') WHERE lower_id IS NOT NULL AND "
    "upper_id IS NOT NULL ORDER BY lower_id";
constexpr std::string_view orphan_range_sql =
    "UPDATE recording n SET state = 'orphaned', due = $3 FROM (SELECT call, file FROM recording "
    "WHERE call >= $1 AND call < $2 AND state <> 'orphaned' ORDER BY call LIMIT 500 FOR UPDATE "
    "SKIP LOCKED) d WHERE n.call = d.call AND n.file = d.file";

constexpr std::string_view count_sql =
    "SELECT count(*) AS expected, count(*) FILTER (WHERE w.age > w.ready + $4::bigint) AS late, "
    "count(*) FILTER (WHERE w.age > w.alarm) AS endangered, "
    "min(w.call) FILTER (WHERE w.age > w.alarm) AS oldest, min(w.due) AS oldest_due "
    "FROM (SELECT r.call, r.due, $5::bigint - least(r.closed, $5::bigint) AS age, "
    "coalesce(c.ready, 600000) AS ready, coalesce(c.alarm, 86400000) AS alarm FROM recording r "
    "LEFT JOIN unnest($1::varchar[], $2::bigint[], $3::bigint[]) AS c (channel, ready, alarm) "
    "ON c.channel = r.channel WHERE r.state = 'expected' AND r.due IS NOT NULL) w";

RecordingRow row_from(const pg::Rows& rows, std::size_t at) {
  RecordingRow row;
  row.call = rows.integer(at, "call");
  row.file = rows.text(at, "file");
  row.tenant = rows.text(at, "tenant");
  row.channel = rows.text(at, "channel");
  row.agent = rows.opt_text(at, "agent");
  row.channel_call_id = rows.opt_text(at, "channel_call_id");
  row.source = rows.text(at, "source");
  row.closed_ms = rows.integer(at, "closed");
  row.state = rows.text(at, "state");
  row.tries = static_cast<int>(rows.integer(at, "tries"));
  row.object = rows.opt_text(at, "object");
  row.upload = rows.opt_text(at, "upload");
  row.store = rows.opt_text(at, "store");
  row.stored_ms = rows.opt_integer(at, "stored").value_or(0);
  return row;
}

NewEvent event_of(const RecordingRow& row, EventName name, std::int64_t now_ms, Facts facts) {
  if (row.ivr()) facts.file = "ivr";
  return own_event(row.call, 0, name, now_ms, std::move(facts), row.ivr() ? 1 : 0);
}

}  // namespace

pg::Params RecordingQueue::ours(const RecordingKey& key) const {
  return pg::params(key.first, key.second, parts_.membership.id(), parts_.membership.epoch());
}

asio::awaitable<bool> RecordingQueue::change(std::string_view sql, pg::Params params) {
  const pg::Rows rows = co_await parts_.pool.query(sql, std::move(params));
  co_return rows.affected() > 0;
}

asio::awaitable<void> RecordingQueue::schedule() {
  std::vector<std::string> codes;
  std::vector<std::int64_t> ready;
  for (const auto& [code, channel] : parts_.channels.all()) {
    codes.push_back(code);
    ready.push_back(channel->config.recordings.ready_after.count());
  }
  for (std::size_t done = batch; done >= batch;) {
    const pg::Rows rows = co_await parts_.pool.query(
        schedule_sql, pg::params(pg::array(codes), pg::array(ready), parts_.clock.epoch_ms()));
    done = rows.affected();
  }
}

asio::awaitable<std::vector<RecordingRow>> RecordingQueue::take(
    std::size_t most, std::vector<RecordingKey> in_hand, std::vector<std::string> but_not_of) {
  static const std::string sql = take_due_sql();
  std::vector<std::int64_t> calls;
  std::vector<std::string> files;
  for (const auto& [call, file] : in_hand) {
    calls.push_back(call);
    files.push_back(file);
  }
  const pg::Rows rows = co_await parts_.pool.query(
      sql, pg::params(parts_.membership.id(), parts_.membership.epoch(), pg::array(calls),
                      pg::array(files), parts_.clock.epoch_ms(), static_cast<std::int64_t>(most),
                      pg::array(but_not_of)));
  std::vector<RecordingRow> taken;
  for (std::size_t at = 0; at < rows.size(); ++at) taken.push_back(row_from(rows, at));
  co_return taken;
}

asio::awaitable<bool> RecordingQueue::name(const RecordingRow& row, std::string object,
                                           std::string store) {
  pg::Params params = ours({row.call, row.file});
  params.emplace_back(std::move(object));
  params.emplace_back(std::move(store));
  return change(name_sql, std::move(params));
}

asio::awaitable<bool> RecordingQueue::still_ours(RecordingKey key) {
  auto asking = parts_.pool.query(still_ours_sql, ours(key));
  const pg::Rows rows = co_await std::move(asking);
  co_return !rows.empty();
}

asio::awaitable<bool> RecordingQueue::begun(RecordingKey key, std::string upload) {
  pg::Params params = ours(key);
  params.emplace_back(std::move(upload));
  return change(begun_sql, std::move(params));
}

asio::awaitable<bool> RecordingQueue::wants(const RecordingRow& row, std::string object) {
  const pg::Rows rows =
      co_await parts_.pool.query(wanted_sql, pg::params(row.call, row.file, std::move(object)));
  co_return !rows.empty();
}

asio::awaitable<bool> RecordingQueue::cleared(const RecordingRow& row) {
  return change(cleared_sql, ours({row.call, row.file}));
}

asio::awaitable<bool> RecordingQueue::give_back(const RecordingRow& row) {
  return change(give_back_sql, ours({row.call, row.file}));
}

asio::awaitable<bool> RecordingQueue::postpone(const RecordingRow& row, std::int64_t due_ms,
                                               std::string problem, bool counted) {
  pg::Params params = ours({row.call, row.file});
  params.emplace_back(due_ms);
  params.emplace_back(tellable_problem(problem));
  params.emplace_back(counted);
  params.emplace_back(row.source);
  return change(postpone_sql, std::move(params));
}

asio::awaitable<bool> RecordingQueue::stored(const RecordingRow& row, StoredObject object,
                                             std::string content_type, std::string address,
                                             std::string store) {
  const std::int64_t now_ms = parts_.clock.epoch_ms();
  pg::Params params = ours({row.call, row.file});
  params.emplace_back(static_cast<std::int64_t>(object.size));
  params.emplace_back(std::to_string(object.crc64));
  params.emplace_back(std::move(content_type));
  params.emplace_back(now_ms);
  params.emplace_back(std::move(store));
  Facts facts;
  facts.audio_url = std::move(address);
  return settle_file(parts_, row.call, pg::Statement(stored_sql, std::move(params)),
                event_of(row, EventName::recording_stored, now_ms, std::move(facts)));
}

asio::awaitable<bool> RecordingQueue::absent(const RecordingRow& row, std::string reason) {
  pg::Params params = ours({row.call, row.file});
  Facts facts;
  bool cut = false;
  facts.reason = cut_to_width(tellable_problem(reason), reason_width, cut);
  params.emplace_back(tellable_problem(reason));
  params.emplace_back(row.source);
  return settle_file(
      parts_, row.call, pg::Statement(absent_sql, std::move(params)),
      event_of(row, EventName::recording_absent, parts_.clock.epoch_ms(), std::move(facts)));
}

asio::awaitable<bool> RecordingQueue::deleted(const RecordingRow& row, std::string reason) {
  Facts facts;
  facts.reason = std::move(reason);
  return settle_file(
      parts_, row.call, pg::Statement(deleted_sql, ours({row.call, row.file})),
      event_of(row, EventName::recording_deleted, parts_.clock.epoch_ms(), std::move(facts)));
}

asio::awaitable<bool> RecordingQueue::orphan_if_merged(const RecordingRow& row) {
  pg::Params params = ours({row.call, row.file});
  params.emplace_back(parts_.clock.epoch_ms());
  return change(orphan_sql, std::move(params));
}

asio::awaitable<bool> RecordingQueue::drop(const RecordingRow& row) {
  return change(drop_sql, ours({row.call, row.file}));
}

asio::awaitable<std::vector<std::string>> RecordingQueue::tenants() {
  const pg::Rows rows = co_await parts_.pool.query(tenants_sql);
  std::vector<std::string> names;
  for (std::size_t at = 0; at < rows.size(); ++at) names.emplace_back(rows.text(at, "tenant"));
  co_return names;
}

asio::awaitable<std::vector<RecordingRow>> RecordingQueue::take_expired(
    std::string tenant, std::string store, std::int64_t before_ms,
    std::optional<RecordingRow> last) {
  static const std::string sql = take_expired_sql();
  const RecordingRow from = last.value_or(RecordingRow{});
  const std::vector<std::int64_t> nobody;
  const std::vector<std::string> nothing;
  const pg::Rows rows = co_await parts_.pool.query(
      sql, pg::params(parts_.membership.id(), parts_.membership.epoch(), pg::array(nobody),
                      pg::array(nothing), tenant, from.stored_ms, before_ms, from.call, from.file,
                      store));
  std::vector<RecordingRow> taken;
  for (std::size_t at = 0; at < rows.size(); ++at) taken.push_back(row_from(rows, at));
  std::sort(taken.begin(), taken.end(), [](const RecordingRow& a, const RecordingRow& b) {
    return std::tie(a.stored_ms, a.call, a.file) < std::tie(b.stored_ms, b.call, b.file);
  });
  co_return taken;
}

asio::awaitable<std::int64_t> RecordingQueue::expired_elsewhere(std::string tenant,
                                                                std::string store,
                                                                std::int64_t before_ms) {
  auto counting = parts_.pool.query(expired_elsewhere_sql, pg::params(tenant, before_ms, store));
  const pg::Rows rows = co_await std::move(counting);
  co_return rows.integer(0, "count");
}

asio::awaitable<std::int64_t> RecordingQueue::orphaned_elsewhere(std::string store) {
  auto counting = parts_.pool.query(orphaned_elsewhere_sql, pg::params(store));
  const pg::Rows rows = co_await std::move(counting);
  co_return rows.integer(0, "count");
}

asio::awaitable<std::size_t> RecordingQueue::orphan_dropped(int record_days,
                                                               std::int64_t now_ms) {
  if (record_days <= 0) co_return 0;
  // What store/retention.cpp may have dropped; younger ones that have no month were never here.
  const std::int64_t oldest = std::max(now_ms - record_days * day_ms, id_epoch_ms);
  const std::int64_t bound = make_call_id(oldest, 0);
  const pg::Rows months = co_await parts_.pool.query(months_sql);
  std::size_t orphaned = 0;
  std::int64_t begin = INT64_MIN;
  for (std::size_t at = 0; at < months.size(); ++at) {
    const std::int64_t end = std::min(months.integer(at, "lower_id"), bound);
    for (std::size_t done = batch; begin < end && done >= batch; orphaned += done) {
      const pg::Rows rows = co_await parts_.pool.query(
          orphan_range_sql, pg::params(begin, end, parts_.clock.epoch_ms()));
      done = rows.affected();
    }
    begin = months.integer(at, "upper_id");
  }
  co_return orphaned;
}

asio::awaitable<RecordingCounts> RecordingQueue::count() {
  std::vector<std::string> codes;
  std::vector<std::int64_t> ready, alarm;
  for (const auto& [code, channel] : parts_.channels.all()) {
    codes.push_back(code);
    ready.push_back(channel->config.recordings.ready_after.count());
    alarm.push_back(alarming_age(channel->config.recordings).count());
  }
  const pg::Rows rows = co_await parts_.pool.query(
      count_sql, pg::params(pg::array(codes), pg::array(ready), pg::array(alarm), late_ms,
                            parts_.clock.epoch_ms()));
  RecordingCounts counts;
  counts.expected = rows.integer(0, "expected");
  counts.late = rows.integer(0, "late");
  counts.endangered = rows.integer(0, "endangered");
  counts.oldest = rows.opt_integer(0, "oldest").value_or(0);
  counts.oldest_due = rows.opt_integer(0, "oldest_due");
  co_return counts;
}

}  // namespace cc
