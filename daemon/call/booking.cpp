#include "call/booking.hpp"

namespace cc {
namespace {

constexpr std::string_view take_trial_sql =
    "UPDATE channel_health SET trials = trials - 1, trial_at = (extract(epoch FROM "
    "clock_timestamp()) * 1000)::bigint WHERE channel = $1 AND trials > 0";

constexpr std::string_view release_due_sql =
    "UPDATE claim SET released = $3 WHERE released IS NULL AND release_at <= $3 "
    "AND ((kind = 'handset' AND resource = $1) OR (kind = 'line' AND resource = $2))";

// The handset first, then the line, for everybody: so two takers can't wait for each other.
constexpr std::string_view take_claim_sql =
    "INSERT INTO claim (kind, resource, call, attempt, taken) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (kind, resource) WHERE released IS NULL DO NOTHING RETURNING id";

constexpr std::string_view insert_attempt_sql =
    "INSERT INTO call_attempt (call, attempt, tenant, channel, agent, handset, caller, called, "
    "state, reason, created, request_id, wish, send_by) "
    "VALUES ($1, $2, $3, $4, $5, $6, $6, $7, 'planned', left($8, 256), $9, $10, $11::jsonb, $12)";

// Not worth waiting for whoever holds the row.
constexpr std::string_view used_sql =
    "UPDATE agent SET last_used = $3 WHERE (channel, agent) IN (SELECT channel, agent FROM agent "
    "WHERE channel = $1 AND agent = $2 FOR UPDATE SKIP LOCKED)";

constexpr std::string_view holder_sql =
    "SELECT c.call, c.attempt, c.kind, r.tenant FROM claim c JOIN call_record r ON r.id = c.call "
    "WHERE c.released IS NULL AND ((c.kind = 'handset' AND c.resource = $1) OR (c.kind = 'line' "
    "AND c.resource = $2)) ORDER BY c.kind LIMIT 1";

}  // namespace

std::vector<pg::Statement> take_line(const Booking& booking) {
  const Line& line = booking.line;
  std::vector<pg::Statement> list;
  list.push_back({release_due_sql, pg::params(line.handset, line.line_resource(), booking.now_ms)});
  list.push_back({take_claim_sql, pg::params("handset", line.handset, booking.call, booking.attempt,
                                             booking.now_ms)});
  list.push_back({take_claim_sql, pg::params("line", line.line_resource(), booking.call,
                                             booking.attempt, booking.now_ms)});
  // Last, in the same order for everybody: nobody waits for a line while he holds the channel's
  // row.
  if (line.trial) list.push_back({take_trial_sql, pg::params(line.channel)});
  return list;
}

bool line_taken(const Booking& booking, const std::vector<pg::Rows>& rows, std::size_t from) {
  if (booking.line.trial && rows[from + 3].affected() == 0) return false;
  return !rows[from + 1].empty() && !rows[from + 2].empty();
}

std::vector<pg::Statement> write_attempt(const Booking& booking) {
  const Line& line = booking.line;
  std::vector<pg::Statement> list;
  list.push_back({insert_attempt_sql,
                  pg::params(booking.call, booking.attempt, booking.tenant, line.channel,
                             line.agent, line.handset, booking.called, line.reason, booking.now_ms,
                             booking.request_id, booking.wish, booking.send_by_ms)});
  list.push_back({used_sql, pg::params(line.channel, line.agent, booking.now_ms)});
  return list;
}

pg::Statement find_holder(const Line& line) {
  return {holder_sql, pg::params(line.handset, line.line_resource())};
}

}  // namespace cc
