#include "poller/seat_rows.hpp"

#include "fleet/membership.hpp"

namespace cc {
namespace {

// To be kept by somebody: what shall be online and is not refused for good, and what has to be
// signed out.
std::string wanted_sql() {
  return "((a.desired = 'online' AND a.actual IS DISTINCT FROM 'refused') "
         "OR (a.desired <> 'online' AND a.session IS NOT NULL))";
}

std::string share_sql() {
  return "SELECT count(*) FILTER (WHERE a.owner = $1 AND a.epoch = $2) AS ours, count(*) AS "
         "wanted, "
         "(SELECT greatest(count(*), 1) FROM daemon d WHERE d.keeps_lines AND d.seen > "
         "clock_timestamp() - interval '6 seconds') AS living FROM agent a WHERE a.channel = "
         "ANY($3::varchar[]) AND " +
         wanted_sql();
}

std::string claim_sql() {
  return "UPDATE agent g SET owner = $1, epoch = $2 FROM (SELECT a.channel, a.agent, "
         "a.owner IS NOT NULL AS orphan FROM agent a WHERE a.channel = ANY($3::varchar[]) "
         "AND " +
         wanted_sql() + " AND (a.owner IS NULL OR " + dead_owner_sql("a") +
         ") ORDER BY a.channel, a.agent LIMIT $4 FOR UPDATE SKIP LOCKED) AS c "
         "WHERE g.channel = c.channel AND g.agent = c.agent "
         "AND EXISTS (SELECT 1 FROM daemon WHERE id = $1 AND epoch = $2) "
         "RETURNING g.channel, g.agent, g.handset, g.desired, g.password, g.session, g.actual, "
         "g.reason, g.since, g.generation, c.orphan";
}

constexpr std::string_view changed_sql =
    "SELECT channel, agent, handset, desired, password, session, actual, reason, since, "
    "generation, false AS orphan FROM agent WHERE owner = $1 AND epoch = $2 AND updated >= $3";

constexpr std::string_view ours_sql =
    "SELECT channel, agent, generation FROM agent WHERE owner = $1 AND epoch = $2";

// Who was told to be tried again meanwhile is not refused any more.
constexpr std::string_view write_sql =
    "UPDATE agent a SET session = CASE WHEN x.keep THEN a.session ELSE x.session END, "
    "actual = x.actual, reason = nullif(x.reason, ''), since = x.since, "
    "owner = CASE WHEN x.release THEN NULL ELSE a.owner END "
    "FROM unnest($3::varchar[], $4::varchar[], $5::bytea[], $6::varchar[], $7::varchar[], "
    "$8::bigint[], $9::boolean[], $10::bigint[], $11::boolean[]) "
    "AS x (channel, agent, session, actual, reason, since, release, generation, keep) "
    "WHERE a.channel = x.channel AND a.agent = x.agent AND a.owner = $1 AND a.epoch = $2 "
    "AND (x.actual <> 'refused' OR a.generation = x.generation) RETURNING a.channel, a.agent";

constexpr std::string_view release_sql =
    "UPDATE agent a SET owner = NULL FROM unnest($3::varchar[], $4::varchar[]) AS x (channel, "
    "agent) "
    "WHERE a.channel = x.channel AND a.agent = x.agent AND a.owner = $1 AND a.epoch = $2";

std::string remove_sql() {
  return "DELETE FROM agent a WHERE a.desired = 'deleted' AND a.session IS NULL AND (a.owner IS "
         "NULL OR " +
         dead_owner_sql("a") + ")";
}

constexpr std::string_view ask_sql =
    "UPDATE call_attempt a SET query_due = $2::bigint FROM claim c WHERE c.kind = 'line' "
    "AND c.resource = ANY($1::varchar[]) AND c.released IS NULL AND a.call = c.call "
    "AND a.attempt = c.attempt AND a.channel_call_id IS NOT NULL AND a.query_due IS NULL";

constexpr std::string_view in_call_sql =
    "SELECT 1 FROM claim WHERE kind = 'line' AND resource = $1 AND released IS NULL";

constexpr std::string_view count_sql =
    "SELECT channel, coalesce(actual, 'waiting') AS actual, count(*) AS count, min(agent) AS "
    "example, coalesce((array_agg(reason ORDER BY agent))[1], '') AS reason FROM agent WHERE "
    "desired = 'online' "
    "AND channel = ANY($1::varchar[]) GROUP BY 1, 2 ORDER BY 1, 2";

SeatRow row_of(const pg::Rows& rows, std::size_t row) {
  SeatRow seat;
  seat.channel = rows.text(row, "channel");
  seat.agent = rows.text(row, "agent");
  seat.handset = rows.opt_text(row, "handset").value_or("");
  seat.desired = rows.text(row, "desired");
  if (!rows.is_null(row, "password")) seat.password = rows.bytes(row, "password");
  if (!rows.is_null(row, "session")) seat.session = rows.bytes(row, "session");
  seat.actual = rows.opt_text(row, "actual");
  seat.reason = rows.opt_text(row, "reason");
  seat.since = rows.opt_integer(row, "since");
  seat.generation = rows.integer(row, "generation");
  seat.orphan = rows.boolean(row, "orphan");
  return seat;
}

std::vector<SeatRow> rows_of(const pg::Rows& rows) {
  std::vector<SeatRow> seats;
  seats.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) seats.push_back(row_of(rows, row));
  return seats;
}

}  // namespace

asio::awaitable<SeatShare> read_share(pg::Pool& pool, SeatOwner owner,
                                      std::vector<std::string> channels) {
  static const std::string sql = share_sql();
  const pg::Rows rows =
      co_await pool.query(sql, pg::params(owner.id, owner.epoch, pg::array(channels)));
  const std::int64_t living = rows.integer(0, "living"), wanted = rows.integer(0, "wanted");
  SeatShare share;
  share.ours = rows.integer(0, "ours");
  share.share = (wanted + living - 1) / living;
  co_return share;
}

asio::awaitable<std::vector<SeatRow>> claim_seats(pg::Pool& pool, SeatOwner owner,
                                                  std::vector<std::string> channels,
                                                  std::int64_t most) {
  static const std::string sql = claim_sql();
  co_return rows_of(
      co_await pool.query(sql, pg::params(owner.id, owner.epoch, pg::array(channels), most)));
}

asio::awaitable<std::vector<SeatRow>> read_changed(pg::Pool& pool, SeatOwner owner,
                                                   std::int64_t since_ms) {
  co_return rows_of(co_await pool.query(changed_sql, pg::params(owner.id, owner.epoch, since_ms)));
}

asio::awaitable<std::map<SeatKey, std::int64_t>> read_ours(pg::Pool& pool, SeatOwner owner) {
  const pg::Rows rows = co_await pool.query(ours_sql, pg::params(owner.id, owner.epoch));
  std::map<SeatKey, std::int64_t> ours;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    ours[{std::string(rows.text(row, "channel")), std::string(rows.text(row, "agent"))}] =
        rows.integer(row, "generation");
  }
  co_return ours;
}

asio::awaitable<std::set<SeatKey>> write_seats(pg::Pool& pool, SeatOwner owner,
                                               std::vector<SeatWrite> writes) {
  std::set<SeatKey> written;
  if (writes.empty()) co_return written;
  std::vector<std::string> channel, agent, actual, reason, release, keep;
  std::vector<std::optional<std::string>> session;
  std::vector<std::int64_t> since, generation;
  for (SeatWrite& write : writes) {
    channel.push_back(std::move(write.channel));
    agent.push_back(std::move(write.agent));
    session.push_back(std::move(write.session));
    actual.push_back(std::move(write.actual));
    reason.push_back(std::move(write.reason));
    since.push_back(write.since);
    generation.push_back(write.generation);
    release.emplace_back(write.release ? "t" : "f");
    keep.emplace_back(write.keep_session ? "t" : "f");
  }
  const pg::Rows rows = co_await pool.query(
      write_sql,
      pg::params(owner.id, owner.epoch, pg::array(channel), pg::array(agent),
                 pg::array_of_bytes(session), pg::array(actual), pg::array(reason),
                 pg::array(since), pg::array(release), pg::array(generation), pg::array(keep)));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    written.emplace(rows.text(row, "channel"), rows.text(row, "agent"));
  }
  co_return written;
}

asio::awaitable<bool> line_in_call(pg::Pool& pool, std::string resource) {
  const pg::Rows rows = co_await pool.query(in_call_sql, pg::params(resource));
  co_return !rows.empty();
}

asio::awaitable<void> release_seats(pg::Pool& pool, SeatOwner owner,
                                    std::vector<std::string> channels,
                                    std::vector<std::string> agents) {
  co_await pool.query(release_sql,
                      pg::params(owner.id, owner.epoch, pg::array(channels), pg::array(agents)));
}

asio::awaitable<void> remove_deleted(pg::Pool& pool) {
  static const std::string sql = remove_sql();
  co_await pool.query(sql);
}

asio::awaitable<std::size_t> ask_about_calls(pg::Pool& pool, std::vector<std::string> resources,
                                             std::int64_t now_ms) {
  const pg::Rows rows = co_await pool.query(ask_sql, pg::params(pg::array(resources), now_ms));
  co_return rows.affected();
}

asio::awaitable<std::vector<SeatCount>> count_seats(pg::Pool& pool,
                                                    std::vector<std::string> channels) {
  const pg::Rows rows = co_await pool.query(count_sql, pg::params(pg::array(channels)));
  std::vector<SeatCount> counts;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    SeatCount count;
    count.channel = rows.text(row, "channel");
    count.actual = rows.text(row, "actual");
    count.count = rows.integer(row, "count");
    count.example = rows.text(row, "example");
    count.reason = rows.text(row, "reason");
    counts.push_back(std::move(count));
  }
  co_return counts;
}

}  // namespace cc
