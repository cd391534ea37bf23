#include "dispatch/strangers.hpp"

#include <optional>

#include "dispatch/waiting_rows.hpp"
#include "log.hpp"
#include "store/record_store.hpp"

namespace cc {
namespace {

// A candidate: an attempt that may have made the call, as the channel has not told its id yet. Its
// numbers must not contradict the event's.
constexpr std::string_view strangers_sql =
    "WITH s AS (SELECT w.channel, w.channel_call_id, min(w.received) AS received, "
    "min(w.facts->>'caller') AS caller, min(w.facts->>'called') AS called, "
    "coalesce(min(w.subject), '') AS subject, "
    "coalesce(bool_or((w.facts->>'inbound')::boolean), false) AS inbound, "
    "min(w.inserted) < clock_timestamp() - interval '60 seconds' AS late "
    "FROM waiting_event w WHERE w.channel_call_id <> '' AND NOT EXISTS (SELECT 1 FROM call_attempt "
    "a "
    "WHERE a.channel = w.channel AND a.channel_call_id = w.channel_call_id) "
    "GROUP BY 1, 2 ORDER BY min(w.inserted) LIMIT 200) "
    "SELECT s.*, c.candidates, c.call, c.attempt, c.named FROM s CROSS JOIN LATERAL ("
    "SELECT count(*) AS candidates, min(a.call) AS call, min(a.attempt) AS attempt, "
    "coalesce(bool_and(a.handset = s.caller), false) AS named "
    "FROM call_attempt a WHERE a.channel = s.channel AND a.channel_call_id IS NULL "
    "AND a.state IN ('sending', 'unknown', 'accepted') AND a.sent < s.received + 5000 "
    "AND a.sent > s.received - 86400000 AND NOT s.inbound "
    "AND (s.subject = '' OR a.agent = s.subject) "
    "AND (s.caller IS NULL OR a.handset IS NULL OR a.handset = s.caller) "
    "AND (s.called IS NULL OR a.called IS NULL OR a.called = s.called)) c";

// The unique key sees to it that two can't have the same one.
constexpr std::string_view bind_sql =
    "UPDATE call_attempt SET channel_call_id = $3 WHERE call = $1 AND attempt = $2 "
    "AND channel_call_id IS NULL";

constexpr std::string_view tenant_sql =
    "SELECT tenant, main_num, ext_num FROM number WHERE $1::varchar LIKE main_num || ext_num || "
    "'%' "
    "ORDER BY length(main_num || ext_num) DESC LIMIT 1";

constexpr std::string_view next_id_sql = "SELECT nextval('call_id_sequence') AS number";

constexpr std::string_view make_attempt_sql =
    "INSERT INTO call_attempt (call, attempt, tenant, channel, agent, handset, channel_call_id, "
    "state, reason, created, sent) VALUES ($1, 1, $2, $3, $4, $5, $6, 'accepted', $7, $8, $8) "
    "ON CONFLICT DO NOTHING RETURNING call";

constexpr std::string_view make_record_sql =
    "INSERT INTO call_record (id, tenant, direction, initiator, main_num, ext_num, max_duration, "
    "created, updated) VALUES ($1, $2, 'in', 'customer', $3, nullif($4, ''), 3600, $5, $6)";

constexpr std::string_view take_claims_sql =
    "INSERT INTO claim (kind, resource, call, attempt, taken) SELECT k.kind, k.resource, "
    "$3::bigint, "
    "1, $4::bigint FROM (VALUES ('handset', $1::varchar), ('line', $2::varchar)) AS k (kind, "
    "resource) WHERE k.resource IS NOT NULL ON CONFLICT (kind, resource) WHERE released IS NULL DO "
    "NOTHING "
    "RETURNING id";

constexpr std::string_view reason = "inbound: the channel told of a call that is none of ours";

struct Stranger {
  std::string channel;
  std::string channel_call_id;
  std::int64_t received_ms = 0;
  std::optional<std::string> caller, called;
  std::string subject;  // the line, where it was polled
  bool late = false;
  bool named = false;  // the event names the candidate's A number
  std::int64_t candidates = 0, call = 0, attempt = 0;
};

Stranger stranger_from_row(const pg::Rows& rows, std::size_t row) {
  Stranger stranger;
  stranger.channel = rows.text(row, "channel");
  stranger.channel_call_id = rows.text(row, "channel_call_id");
  stranger.received_ms = rows.integer(row, "received");
  stranger.caller = rows.opt_text(row, "caller");
  stranger.called = rows.opt_text(row, "called");
  stranger.subject = rows.text(row, "subject");
  stranger.late = rows.boolean(row, "late");
  stranger.named = rows.boolean(row, "named");
  stranger.candidates = rows.integer(row, "candidates");
  if (stranger.candidates > 0) {
    stranger.call = rows.integer(row, "call");
    stranger.attempt = rows.integer(row, "attempt");
  }
  return stranger;
}

struct Owner {
  std::string tenant;
  std::optional<std::string> main_num, ext_num;
};

asio::awaitable<Owner> owner_of(pg::Transaction& transaction, const Channels& channels,
                                const Stranger& stranger) {
  Owner owner;
  const auto channel = channels.find(stranger.channel);
  if (channel != nullptr) owner.tenant = channel->config.default_tenant;
  if (stranger.called) {
    const pg::Rows rows = co_await transaction.query(tenant_sql, pg::params(*stranger.called));
    if (!rows.empty()) {
      owner.tenant = rows.text(0, "tenant");
      owner.main_num = rows.text(0, "main_num");
      owner.ext_num = rows.text(0, "ext_num");
    }
  }
  co_return owner;
}

/// In one transaction: attempt, record, claims, and the events that wait. Nothing if somebody else
/// has made it, or knows the call by now.
asio::awaitable<std::optional<std::int64_t>> make_record(pg::Pool& pool, const Channels& channels,
                                                         Stranger stranger, std::int64_t now_ms,
                                                         StrangerReport& report) {
  pg::Transaction transaction = co_await pool.begin();
  const Owner owner = co_await owner_of(transaction, channels, stranger);
  const pg::Rows number = co_await transaction.query(next_id_sql);
  const std::int64_t id = make_call_id(stranger.received_ms, number.integer(0, "number"));
  // Where the line is no phone, nobody has told which phone rang.
  const bool polled = !stranger.subject.empty();
  const std::string agent = polled ? stranger.subject : stranger.caller.value_or("");
  const std::optional<std::string> handset = polled ? std::nullopt : stranger.caller;
  const pg::Rows attempt = co_await transaction.query(
      make_attempt_sql, pg::params(id, owner.tenant, stranger.channel, agent, handset,
                                   stranger.channel_call_id, reason, stranger.received_ms));
  if (attempt.empty()) co_return std::nullopt;
  co_await transaction.query(
      make_record_sql,
      pg::params(id, owner.tenant, owner.main_num, owner.ext_num, stranger.received_ms, now_ms));
  if (!agent.empty()) {
    const std::string line = stranger.channel + "/" + agent;
    const pg::Rows claims =
        co_await transaction.query(take_claims_sql, pg::params(handset, line, id, now_ms));
    const std::size_t wanted = handset ? 2 : 1;
    report.claim_conflicts += wanted - std::min(claims.size(), wanted);
  }
  Facts facts;
  facts.channel = stranger.channel;
  facts.agent = agent.empty() ? std::nullopt : std::optional(agent);
  facts.reason = reason;
  WaitingRows waiting =
      co_await waiting_of(transaction, stranger.channel, stranger.channel_call_id);
  NewEvents events;
  events[id] = std::move(waiting.events);
  for (NewEvent& item : events[id]) item.event.attempt = 1;
  events[id].push_back(
      own_event(id, 1, EventName::attempt_planned, stranger.received_ms, std::move(facts)));
  co_await fold_events(transaction, events, now_ms);
  co_await transaction.query(forget_waiting_sql, pg::params(pg::array_of_bytes(waiting.keys)));
  co_await transaction.commit();
  co_return id;
}

}  // namespace

asio::awaitable<StrangerReport> judge_strangers(pg::Pool& pool, const Channels& channels,
                                                std::int64_t now_ms) {
  StrangerReport report;
  const pg::Rows rows = co_await pool.query(strangers_sql);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    Stranger stranger = stranger_from_row(rows, row);
    if (stranger.candidates == 1 && stranger.named) {  // the handset's claim makes it unique
      const pg::Rows bound = co_await pool.query(
          bind_sql, pg::params(stranger.call, stranger.attempt, stranger.channel_call_id));
      report.bound += bound.affected();
      continue;
    }
    if (stranger.candidates > 0 && !stranger.late) continue;
    bool too_old = false;
    try {
      const std::optional<std::int64_t> made =
          co_await make_record(pool, channels, stranger, now_ms, report);
      if (made) report.made.push_back(*made);
    } catch (const pg::Failure& failure) {
      if (failure.sqlstate != "23514") throw;
      too_old = true;  // there is no partition for it any more
    }
    if (too_old) {
      const std::vector<std::string> keys =
          co_await waiting_keys(pool, stranger.channel, stranger.channel_call_id);
      report.unkeepable.insert(report.unkeepable.end(), keys.begin(), keys.end());
    }
  }
  co_return report;
}

}  // namespace cc
