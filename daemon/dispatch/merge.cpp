#include "dispatch/merge.hpp"

#include "fault.hpp"
#include "store/record_store.hpp"

namespace cc {
namespace {

constexpr std::string_view holder_sql =
    "SELECT call FROM call_attempt WHERE channel = $1 AND channel_call_id = $2";

// In id order, as everywhere.
constexpr std::string_view lock_sql =
    "SELECT id, direction, merged_into FROM call_record WHERE id IN ($1, $2) ORDER BY id FOR "
    "UPDATE";

constexpr std::string_view other_id_sql =
    "SELECT channel_call_id FROM call_attempt WHERE call = $1 AND attempt = $2";

constexpr std::string_view release_sql =
    "UPDATE claim SET released = $2 WHERE call = $1 AND released IS NULL";
constexpr std::string_view drop_attempts_sql = "DELETE FROM call_attempt WHERE call = $1";

constexpr std::string_view take_id_sql =
    "UPDATE call_attempt SET channel_call_id = $3, state = CASE WHEN state IN ('sending', "
    "'unknown') "
    "THEN 'accepted' ELSE state END WHERE call = $1 AND attempt = $2";

// The channel's events only: what CC noted of Y was of a call that never was.
constexpr std::string_view move_events_sql =
    "INSERT INTO call_event AS e (call, event_key, attempt, source, name, received, channel_time, "
    "facts, raw) SELECT $2::bigint, event_key, $3::smallint, source, name, received, channel_time, "
    "facts, raw FROM call_event WHERE call = $1 AND source <> 'cc' "
    "ON CONFLICT (call, event_key) DO UPDATE SET received = excluded.received "
    "WHERE excluded.received < e.received";
constexpr std::string_view drop_events_sql = "DELETE FROM call_event WHERE call = $1";

// The survivor's own is fetched under its own name; what is stored stays until that is done for
// certain.
constexpr std::string_view orphan_files_sql =
    "UPDATE recording SET due = $2 + CASE state WHEN 'stored' THEN 2592000000 ELSE 0 END, "
    "state = 'orphaned' WHERE call = $1";

constexpr std::string_view mark_sql =
    "WITH merged AS (UPDATE call_record SET merged_into = $2, updated = $3, version = version + 1 "
    "WHERE id = $1 RETURNING tenant, id, version) "
    "INSERT INTO change (tenant, call, version, kind, at, data) "
    "SELECT tenant, id, version, 'call.merged', $3, jsonb_build_object('into', $2::bigint::text) "
    "FROM merged";

}  // namespace

asio::awaitable<std::optional<std::int64_t>> merge_calls(pg::Pool& pool, Merge merge,
                                                         std::int64_t now_ms) {
  pg::Transaction transaction = co_await pool.begin();
  const pg::Rows before =
      co_await transaction.query(holder_sql, pg::params(merge.channel, merge.channel_call_id));
  if (before.empty() || before.integer(0, "call") == merge.survivor) co_return std::nullopt;
  const std::int64_t other = before.integer(0, "call");
  std::vector<pg::Statement> look;
  look.push_back({lock_sql, pg::params(merge.survivor, other)});
  look.push_back({holder_sql, pg::params(merge.channel, merge.channel_call_id)});
  look.push_back({other_id_sql, pg::params(merge.survivor, merge.attempt)});
  const std::vector<pg::Rows> seen = co_await transaction.pipeline(std::move(look));
  // Looked up again under the locks: somebody may have been faster.
  if (seen[1].empty() || seen[1].integer(0, "call") != other) {
    throw pg::Failure("40001", "the channel's call changed hands meanwhile; try again");
  }
  bool from_events = false;
  for (std::size_t row = 0; row < seen[0].size(); ++row) {
    if (seen[0].integer(row, "id") == other) {
      from_events = seen[0].text(row, "direction") == "in" && seen[0].is_null(row, "merged_into");
    }
  }
  if (!from_events || seen[0].size() != 2 || seen[2].empty()) co_return std::nullopt;
  if (!seen[2].is_null(0, "channel_call_id")) co_return std::nullopt;  // it is another call's

  std::vector<pg::Statement> steps;
  steps.push_back({release_sql, pg::params(other, now_ms)});
  steps.push_back({drop_attempts_sql, pg::params(other)});
  steps.push_back({take_id_sql, pg::params(merge.survivor, merge.attempt, merge.channel_call_id)});
  steps.push_back({move_events_sql, pg::params(other, merge.survivor, merge.attempt)});
  steps.push_back({drop_events_sql, pg::params(other)});
  steps.push_back({orphan_files_sql, pg::params(other, now_ms)});
  steps.push_back({mark_sql, pg::params(other, merge.survivor, now_ms)});
  co_await transaction.pipeline(std::move(steps));
  fault_point("merge.moved");
  NewEvents events;
  events[merge.survivor] = {};  // nothing new, but its history is another one
  co_await fold_events(transaction, events, now_ms);
  co_await transaction.commit();
  co_return other;
}

}  // namespace cc
