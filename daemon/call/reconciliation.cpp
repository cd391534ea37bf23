#include "call/reconciliation.hpp"

#include <chrono>
#include <utility>

#include "beijing_time.hpp"
#include "record.hpp"

namespace cc {
namespace {

constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t beijing_ms = 8 * 3'600'000;
constexpr std::int64_t first_day_ms = 1'577'808'000'000;  // 2020-01-01 in UTC+8: no call is older
constexpr std::int64_t last_day_ms = 4'102'416'000'000;   // 2100-01-01

// Where a call stands; of its last attempt. What our clock has closed has close_source 'cc', and so
// has what a channel refused.
const std::string standing =
    "CASE WHEN r.state <> 'close' THEN 'open' "
    "WHEN r.close_source IS DISTINCT FROM 'cc' THEN 'final' "
    "WHEN a.call IS NULL THEN 'purged' "
    "WHEN a.state = 'refused' THEN 'refused' "
    "WHEN a.query_due IS NOT NULL THEN 'asking' "
    "WHEN a.query_problem LIKE 'given up%' THEN 'given_up' "
    "WHEN a.channel_call_id IS NULL THEN 'unnamed' ELSE 'unasked' END";

// The bounds of the attempts' calls are said too, or they would all be read to be joined.
const std::string calls_of_day =
    "FROM call_record r LEFT JOIN call_attempt a ON a.call = r.id AND NOT a.superseded "
    "AND a.call >= $1::bigint AND a.call < $2::bigint "
    "WHERE r.id >= $1::bigint AND r.id < $2::bigint AND r.merged_into IS NULL";

// What the dispatcher holds just now is left for the next time, so that neither waits for the
// other.
constexpr std::string_view ask_sql =
    "UPDATE call_attempt SET query_due = $3::bigint WHERE (call, attempt) IN ("
    "SELECT a.call, a.attempt FROM call_record r JOIN call_attempt a ON a.call = r.id "
    "WHERE r.id >= $1::bigint AND r.id < $2::bigint AND a.call >= $1::bigint AND a.call < "
    "$2::bigint AND r.merged_into IS NULL AND r.state = 'close' AND r.close_source = 'cc' AND NOT "
    "a.superseded AND a.state <> 'refused' "
    "AND a.channel_call_id IS NOT NULL AND a.query_due IS NULL AND a.created > $4::bigint "
    "AND (a.query_problem IS NULL OR a.query_problem NOT LIKE 'given up%') "
    "FOR UPDATE OF a SKIP LOCKED)";

const std::string count_sql =
    "INSERT INTO reconciliation AS old (day, tenant, channel, calls, final, refused, open, asking, "
    "given_up, unnamed, unasked, looked) SELECT $3::date, tenant, channel, count(*), "
    "count(*) FILTER (WHERE standing = 'final'), count(*) FILTER (WHERE standing = 'refused'), "
    "count(*) FILTER (WHERE standing = 'open'), count(*) FILTER (WHERE standing = 'asking'), "
    "count(*) FILTER (WHERE standing = 'given_up'), count(*) FILTER (WHERE standing = 'unnamed'), "
    "count(*) FILTER (WHERE standing = 'unasked'), $4::bigint "
    "FROM (SELECT r.tenant, coalesce(r.channel, a.channel, '') AS channel, " +
    standing + " AS standing " + calls_of_day +
    ") AS each GROUP BY tenant, channel ORDER BY tenant, channel "
    "ON CONFLICT (day, tenant, channel) DO UPDATE SET calls = excluded.calls, "
    "final = excluded.final, refused = excluded.refused, open = excluded.open, "
    "asking = excluded.asking, given_up = excluded.given_up, unnamed = excluded.unnamed, "
    "unasked = excluded.unasked, looked = excluded.looked "
    "RETURNING day::text AS day, tenant, channel, calls, final, refused, open, asking, given_up, "
    "unnamed, unasked, looked";

// A merged or re-homed call can leave a group without any: then its row is wrong.
constexpr std::string_view forget_sql =
    "DELETE FROM reconciliation WHERE day = $1::date AND looked <> $2::bigint";

// Whether a day can still be counted: its calls are here, and what became of their attempts too.
constexpr std::string_view kept_sql =
    "SELECT EXISTS (SELECT 1 FROM call_record r WHERE r.id >= $1::bigint AND r.id < $2::bigint) "
    "AND NOT EXISTS (SELECT 1 FROM call_record r WHERE r.id >= $1::bigint AND r.id < $2::bigint "
    "AND r.merged_into IS NULL AND NOT EXISTS (SELECT 1 FROM call_attempt a WHERE a.call = r.id "
    "AND a.call >= $1::bigint AND a.call < $2::bigint)) AS kept";

// Whose turn it is: taken for ten minutes, in case its taker dies; over for the day when all is
// done.
constexpr std::string_view take_turn_sql =
    "INSERT INTO daily_work AS old (name, day, done) VALUES ('reconciliation', $1::date - 1, $2) "
    "ON CONFLICT (name) DO UPDATE SET done = excluded.done "
    "WHERE old.day < $1::date AND old.done < excluded.done - 600000 RETURNING 1";
constexpr std::string_view end_turn_sql =
    "UPDATE daily_work SET day = $1::date, done = $2 WHERE name = 'reconciliation' AND day < "
    "$1::date";

constexpr std::string_view days_sql =
    "SELECT day::text AS day, tenant, channel, calls, final, refused, open, asking, given_up, "
    "unnamed, unasked, looked FROM reconciliation WHERE day >= $1::date AND day <= $2::date "
    "AND ($3::varchar IS NULL OR tenant = $3::varchar) "
    "AND ($4::varchar IS NULL OR channel = $4::varchar) ORDER BY day DESC, tenant, channel";

const std::string owed_sql =
    "SELECT * FROM (SELECT r.id, r.tenant, coalesce(r.channel, a.channel, '') AS channel, "
    "coalesce(r.call_id, a.channel_call_id) AS channel_call_id, r.close_detail, r.close_time, "
    "r.created, coalesce(a.query_tries, 0) AS query_tries, a.query_due, a.query_problem, " +
    standing + " AS standing " + calls_of_day +
    " AND r.id > $3::bigint AND ($4::varchar IS NULL OR r.tenant = $4::varchar)) AS each "
    "WHERE standing NOT IN ('final', 'refused') "
    "AND ($5::varchar IS NULL OR channel = $5::varchar) ORDER BY id LIMIT $6::int";

void add_days(const pg::Rows& rows, std::vector<ReconciledDay>& days) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    ReconciledDay& day = days.emplace_back();
    day.day = rows.text(row, "day");
    day.tenant = rows.text(row, "tenant");
    day.channel = rows.text(row, "channel");
    day.calls = rows.integer(row, "calls");
    day.final = rows.integer(row, "final");
    day.refused = rows.integer(row, "refused");
    day.open = rows.integer(row, "open");
    day.asking = rows.integer(row, "asking");
    day.given_up = rows.integer(row, "given_up");
    day.unnamed = rows.integer(row, "unnamed");
    day.unasked = rows.integer(row, "unasked");
    day.looked_ms = rows.integer(row, "looked");
  }
}

std::int64_t first_id(Day day) noexcept {
  return make_call_id(day.begin_ms(), 0);
}

asio::awaitable<void> reconcile_day(pg::Pool& pool, Day day, Millis give_up, std::int64_t now_ms,
                                    Reconciled& result) {
  const std::int64_t from = first_id(day), to = first_id(day.plus(1));
  const pg::Rows kept = co_await pool.query(kept_sql, pg::params(from, to));
  if (!kept.boolean(0, "kept")) co_return;
  // Apart from the counting, which takes longer: whoever drains must not wait for these rows.
  const pg::Rows asked =
      co_await pool.query(ask_sql, pg::params(from, to, now_ms, now_ms - give_up.count()));
  result.asked += asked.affected();
  pg::Transaction transaction = co_await pool.begin();
  const pg::Rows counted =
      co_await transaction.query(count_sql, pg::params(from, to, day.text(), now_ms));
  co_await transaction.query(forget_sql, pg::params(day.text(), now_ms));
  co_await transaction.commit();
  add_days(counted, result.days);
}

}  // namespace

std::optional<Day> Day::parse(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  std::string midnight(text);
  midnight += " 00:00:00";
  const auto ms = parse_beijing(midnight);
  if (!ms || *ms < first_day_ms || *ms >= last_day_ms) return std::nullopt;
  return Day(*ms);
}

Day Day::of(std::int64_t epoch_ms) noexcept {
  const std::int64_t local = epoch_ms + beijing_ms;
  return Day(local - local % day_ms - beijing_ms);
}

std::int64_t Day::end_ms() const noexcept {
  return begin_ms_ + day_ms;
}

Day Day::plus(int days) const noexcept {
  return Day(begin_ms_ + days * day_ms);
}

std::string Day::text() const {
  const std::string digits = format_beijing(begin_ms_);
  return digits.substr(0, 4) + "-" + digits.substr(4, 2) + "-" + digits.substr(6, 2);
}

asio::awaitable<Reconciled> reconcile(pg::Pool& pool, Day first, Day last, Millis give_up,
                                      std::int64_t now_ms) {
  Reconciled result;
  for (Day day = first; day <= last; day = day.plus(1)) {
    try {
      co_await reconcile_day(pool, day, give_up, now_ms, result);
    } catch (const pg::Failure& failure) {
      if (failure.connection_lost()) throw;  // the other days would fare no better
      result.problems.push_back(day.text() + ": " + failure.what());
    }
  }
  co_return result;
}

asio::awaitable<std::optional<Reconciled>> reconcile_daily(pg::Pool& pool, Millis at,
                                                           Millis give_up, std::int64_t now_ms) {
  const Day today = Day::of(now_ms - at.count());
  // The days whose calls may still be asked for, and one more for the last answers.
  const int back = static_cast<int>(give_up.count() / day_ms) + 2;
  const pg::Rows turn = co_await pool.query(take_turn_sql, pg::params(today.text(), now_ms));
  if (turn.empty()) co_return std::nullopt;
  // Up to yesterday: of today's calls nobody owes a word yet.
  Reconciled result = co_await reconcile(pool, today.plus(-back), today.plus(-1), give_up, now_ms);
  co_await pool.query(end_turn_sql, pg::params(today.text(), now_ms));
  co_return result;
}

asio::awaitable<std::vector<ReconciledDay>> list_days(pg::Pool& pool, Day first, Day last,
                                                      DayFilter filter) {
  const pg::Rows rows = co_await pool.query(
      days_sql, pg::params(first.text(), last.text(), filter.tenant, filter.channel));
  std::vector<ReconciledDay> days;
  add_days(rows, days);
  co_return days;
}

asio::awaitable<std::vector<OwedCall>> list_owed(pg::Pool& pool, Day day, DayFilter filter,
                                                 std::int64_t above, int limit) {
  const pg::Rows rows =
      co_await pool.query(owed_sql, pg::params(first_id(day), first_id(day.plus(1)), above,
                                               filter.tenant, filter.channel, limit));
  std::vector<OwedCall> calls;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    OwedCall& call = calls.emplace_back();
    call.id = rows.integer(row, "id");
    call.tenant = rows.text(row, "tenant");
    call.channel = rows.text(row, "channel");
    call.standing = rows.text(row, "standing");
    call.channel_call_id = rows.opt_text(row, "channel_call_id");
    call.close_detail = rows.opt_text(row, "close_detail");
    call.problem = rows.opt_text(row, "query_problem");
    call.created_ms = rows.integer(row, "created");
    call.queries = rows.integer(row, "query_tries");
    call.close_ms = rows.opt_integer(row, "close_time");
    call.next_query_ms = rows.opt_integer(row, "query_due");
  }
  co_return calls;
}

asio::awaitable<std::vector<ReconciledDay>> StoredReconciliation::days(Day first, Day last,
                                                                       DayFilter filter) {
  return list_days(pool_, first, last, std::move(filter));
}

asio::awaitable<std::vector<OwedCall>> StoredReconciliation::owed(Day day, DayFilter filter,
                                                                  std::int64_t above, int limit) {
  return list_owed(pool_, day, std::move(filter), above, limit);
}

}  // namespace cc
