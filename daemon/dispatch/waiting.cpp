#include "dispatch/waiting.hpp"

#include "dispatch/strangers.hpp"
#include "dispatch/waiting_rows.hpp"

namespace cc {
namespace {

constexpr std::string_view wait_sql =
    "INSERT INTO waiting_event AS w (event_key, channel, channel_call_id, subject, attempt, "
    "source, name, "
    "received, channel_time, facts, raw) "
    "SELECT * FROM unnest($1::bytea[], $2::varchar[], $3::varchar[], $4::varchar[], "
    "$5::smallint[], "
    "$6::varchar[], $7::varchar[], $8::bigint[], $9::bigint[], $10::jsonb[], $11::bytea[]) "
    "ON CONFLICT (event_key) DO UPDATE SET received = excluded.received "
    "WHERE excluded.received < w.received";

// Oldest first and not too many at a time: a backlog is worked off by the sweeps that follow.
constexpr std::string_view known_now_sql =
    "SELECT a.call, a.attempt, w.event_key, w.channel, w.channel_call_id, w.source, w.name, "
    "w.received, "
    "w.channel_time, w.facts, w.raw FROM waiting_event w JOIN call_attempt a "
    "ON a.channel = w.channel AND a.channel_call_id = w.channel_call_id ORDER BY w.inserted LIMIT "
    "500";

// Of a polled line, without a call's id: they came before the first event that made an inbound
// call's record.
constexpr std::string_view line_now_sql =
    "SELECT a.call, a.attempt, w.event_key, w.channel, w.channel_call_id, w.source, w.name, "
    "w.received, w.channel_time, w.facts, w.raw FROM waiting_event w CROSS JOIN LATERAL ("
    "SELECT b.call, b.attempt FROM call_attempt b WHERE b.channel = w.channel AND b.agent = "
    "w.subject AND b.sent > w.received AND b.sent <= w.received + 60000 AND starts_with(b.reason, "
    "'inbound') ORDER BY b.sent LIMIT 1) AS a "
    // The end of something before it is none of this call.
    "WHERE w.channel_call_id = '' AND w.subject <> '' AND w.name NOT IN ('closed', 'recorded') "
    "LIMIT 500";

// No call came for them in all that time: they are counted, and never make a record.
constexpr std::string_view uncalled_sql =
    "DELETE FROM waiting_event WHERE channel_call_id = '' AND subject <> '' "
    "AND inserted < clock_timestamp() - interval '60 seconds'";

// Events without the channel's id of their call wait for 60 s by PostgreSQL's clock from the row's
// insertion, never from received-ms: a spool may be hours old.
constexpr std::string_view expire_sql =
    "WITH late AS (DELETE FROM waiting_event w WHERE event_key = ANY($2::bytea[]) OR "
    "(channel_call_id = '' AND coalesce(subject, '') = '' AND inserted < clock_timestamp() - "
    "interval '60 seconds') "
    "RETURNING event_key, channel, channel_call_id, received, raw) "
    "INSERT INTO dead_letter AS d (delivery_key, channel, reason, received, raw, first_seen, "
    "last_seen) "
    "SELECT DISTINCT ON (substring(event_key FROM 1 FOR 16)) substring(event_key FROM 1 FOR 16), "
    "channel, CASE channel_call_id WHEN '' THEN 'names no call' ELSE 'expired: the call ' || "
    "channel_call_id || ' is older than what is kept' END, received, coalesce(raw, ''), "
    "$1::bigint, $1::bigint FROM late "
    "ON CONFLICT (delivery_key) DO UPDATE SET count = d.count + 1, last_seen = excluded.last_seen";

}  // namespace

pg::Statement put_to_wait(const std::vector<FoundEvent>& events) {
  std::vector<std::string> key, channel, call_id, subject, source, name, facts, raw;
  std::vector<std::int64_t> attempt, received;
  std::vector<std::optional<std::int64_t>> channel_time;
  for (const FoundEvent& item : events) {
    const Event& event = item.found.event;
    key.emplace_back(event.key.view());
    channel.push_back(item.channel);
    call_id.push_back(item.found.channel_call_id);
    subject.push_back(item.found.subject);
    attempt.push_back(event.attempt);
    source.emplace_back(to_text(event.source));
    name.emplace_back(to_text(event.name));
    received.push_back(event.received_ms);
    channel_time.push_back(event.channel_ms);
    facts.push_back(to_json(event.facts));
    raw.push_back(item.raw);
  }
  return {wait_sql, pg::params(pg::array_of_bytes(key), pg::array(channel), pg::array(call_id),
                               pg::array(subject), pg::array(attempt), pg::array(source),
                               pg::array(name), pg::array(received), pg::array(channel_time),
                               pg::array(facts), pg::array_of_bytes(raw))};
}

namespace {

/// Of those whose attempt is known by now. Returns the keys whose record is gone.
asio::awaitable<std::vector<std::string>> resolve(pg::Pool& pool, std::string_view known_sql,
                                                  std::int64_t now_ms, WaitingReport& report) {
  std::vector<std::string> orphans;
  const pg::Rows rows = co_await pool.query(known_sql);
  if (rows.empty()) co_return orphans;
  NewEvents events;
  std::map<std::int64_t, std::vector<std::string>> keys;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    NewEvent item = waiting_from_row(rows, row);
    const std::int64_t call = rows.integer(row, "call");
    keys[call].emplace_back(item.event.key.view());
    events[call].push_back(std::move(item));
  }
  // No lock on the waiting rows: the records are locked first, everywhere, and keys absorb a
  // repeat.
  pg::Transaction transaction = co_await pool.begin();
  const FoldReport fold = co_await fold_events(transaction, events, now_ms);
  for (const std::int64_t call : fold.unknown) {  // its record is gone: nobody's any more
    orphans.insert(orphans.end(), keys[call].begin(), keys[call].end());
    keys.erase(call);
  }
  std::vector<std::string> done;
  for (const auto& [call, list] : keys) done.insert(done.end(), list.begin(), list.end());
  co_await transaction.query(forget_waiting_sql, pg::params(pg::array_of_bytes(done)));
  co_await transaction.commit();
  report.resolved += done.size();
  report.changed.insert(report.changed.end(), fold.changed.begin(), fold.changed.end());
  report.judged.insert(report.judged.end(), fold.judged.begin(), fold.judged.end());
  report.late_life += fold.late_life;
  report.abandoned += fold.abandoned;
  co_return orphans;
}

}  // namespace

asio::awaitable<WaitingReport> sweep_waiting(pg::Pool& pool, const Channels& channels,
                                             std::int64_t now_ms) {
  WaitingReport report;
  std::vector<std::string> orphans = co_await resolve(pool, known_now_sql, now_ms, report);
  StrangerReport strangers = co_await judge_strangers(pool, channels, now_ms);
  if (strangers.bound > 0) {
    const std::vector<std::string> more = co_await resolve(pool, known_now_sql, now_ms, report);
    orphans.insert(orphans.end(), more.begin(), more.end());
  }
  const std::vector<std::string> lost = co_await resolve(pool, line_now_sql, now_ms, report);
  orphans.insert(orphans.end(), lost.begin(), lost.end());
  const pg::Rows uncalled = co_await pool.query(uncalled_sql);
  report.uncalled = uncalled.affected();
  report.inbound = strangers.made.size();
  report.claim_conflicts = strangers.claim_conflicts;
  report.changed.insert(report.changed.end(), strangers.made.begin(), strangers.made.end());
  orphans.insert(orphans.end(), strangers.unkeepable.begin(), strangers.unkeepable.end());
  const pg::Rows expired =
      co_await pool.query(expire_sql, pg::params(now_ms, pg::array_of_bytes(orphans)));
  report.expired = expired.affected();
  co_return report;
}

}  // namespace cc
