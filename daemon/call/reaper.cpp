#include "call/reaper.hpp"

#include <algorithm>
#include <vector>

#include "call/settle.hpp"
#include "log.hpp"
#include "spawn.hpp"
#include "store/record_store.hpp"

namespace cc {
namespace {

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t longest_pause_ms = 60 * minute_ms;
constexpr std::int64_t longest_wait_ms = 2000;  // for the budget; longer, and the next pass asks
constexpr std::int64_t latest_ms =
    100'000'000'000'000;  // of a received-ms that is believed: the year 5138
constexpr std::size_t page = 1000;

// The fleet's: each partition's owner writes it into its cursor every second, each daemon with its
// heartbeat since when its own spool holds anything. None ever drained = 0.
constexpr std::string_view drained_sql =
    "SELECT least(coalesce(min(drained), 0), (SELECT min(spool_since) - 1 FROM daemon)) AS drained "
    "FROM stream_cursor WHERE starts_with(stream, $1)";

constexpr std::int64_t session_pause_ms = 5'000;  // for a line to sign in anew
constexpr Millis session_wait{2'000};             // for a line to be signed in
constexpr Millis alarm_after{3'600'000};          // of a standstill

// A sign of life is no event of a polled line that CC doesn't know and that names no call.
constexpr std::string_view open_sql =
    "SELECT r.id, r.max_duration, r.b_call_time IS NOT NULL OR r.b_offhook_time IS NOT NULL OR "
    "r.state = 'conn' "
    "OR r.progress IN ('b_ringing', 'talking') AS sign_of_b, a.attempt, a.state, a.sent, "
    "(SELECT max(e.received) FROM call_event e WHERE e.call = r.id AND e.attempt IN (0, a.attempt) "
    "AND "
    "e.source <> 'cc' "
    "AND (e.source <> 'poll' OR e.name <> 'other' OR e.facts ? 'channel_call_id')) AS last_event "
    "FROM call_record r JOIN call_attempt a ON a.call = r.id AND NOT a.superseded "
    "WHERE r.state <> 'close' AND r.merged_into IS NULL AND a.sent IS NOT NULL AND a.sent < "
    "$1::bigint "
    "AND r.id > $2::bigint ORDER BY r.id LIMIT 1000";

// Only if nothing was heard meanwhile; the record is locked by then.
constexpr std::string_view reap_sql =
    "UPDATE call_attempt a SET query_due = CASE WHEN channel_call_id IS NULL THEN NULL ELSE "
    "$4::bigint END "
    "WHERE call = $1 AND attempt = $2 AND NOT EXISTS (SELECT 1 FROM call_event e WHERE e.call = $1 "
    "AND e.attempt IN (0, $2) AND e.source <> 'cc' AND (e.source <> 'poll' OR e.name <> 'other' OR "
    "e.facts ? "
    "'channel_call_id') AND e.received > $3::bigint) "
    "AND EXISTS (SELECT 1 FROM call_record r WHERE r.id = $1 AND r.state <> 'close')";

// The channel's own word came after all, or the call lives: nobody wants to know any more. But on a
// polled line ($2) the word may be lost of a call that seems to live. What is locked is left for
// the next pass.
constexpr std::string_view settled_sql =
    "UPDATE call_attempt SET query_due = NULL, query_problem = NULL WHERE (call, attempt) IN ("
    "SELECT d.call, d.attempt FROM call_attempt d LEFT JOIN call_record r ON r.id = d.call "
    "WHERE d.channel = $1 AND d.query_due IS NOT NULL AND r.close_source IS DISTINCT FROM 'cc' "
    "AND NOT (($2::boolean OR d.query_asked IS NOT NULL) AND r.state <> 'close') FOR UPDATE OF d "
    "SKIP LOCKED)";

// Where lines have a session ($3) only their owner ($4, $5) can ask; what is to be given up,
// anybody.
constexpr std::string_view may_ask_sql =
    "(NOT $3::boolean OR created < $6::bigint OR EXISTS (SELECT 1 FROM agent g WHERE g.channel = "
    "a.channel AND g.agent = a.agent AND g.owner = $4 AND g.epoch = $5))";

// The newest that is due, and its turn moved forward at once, so that two daemons don't ask the
// same.
std::string next_due_sql() {
  return "UPDATE call_attempt n SET query_due = $2::bigint + 60000 FROM (SELECT call, attempt FROM "
         "call_attempt a WHERE channel = $1 AND query_due IS NOT NULL AND query_due <= $2::bigint "
         "AND " +
         std::string(may_ask_sql) +
         " ORDER BY query_asked DESC NULLS LAST, created DESC LIMIT 1 FOR UPDATE SKIP LOCKED) AS d "
         "WHERE n.call = d.call AND n.attempt = d.attempt "
         "RETURNING n.call, n.attempt, n.agent, n.channel_call_id, n.created, n.query_tries";
}

std::string any_due_sql() {
  return "SELECT 1 FROM call_attempt a WHERE channel = $1 AND query_due IS NOT NULL AND query_due "
         "<= $2::bigint AND " +
         std::string(may_ask_sql) + " LIMIT 1";
}

// Evenly spaced rather than in bursts: then no minute, wherever it begins, sees more than is
// allowed.
constexpr std::string_view budget_sql =
    "INSERT INTO channel_budget AS b (channel, purpose, used) VALUES ($1, 'query', "
    "clock_timestamp()) "
    "ON CONFLICT (channel, purpose) DO UPDATE SET used = clock_timestamp() "
    "WHERE b.used <= clock_timestamp() - $2::bigint * interval '1 millisecond' RETURNING 1";

// A living call was only asked about because somebody wants its line ($5: or for the lack of
// polls): the next one who wants it asks again.
constexpr std::string_view asked_sql =
    "UPDATE call_attempt SET query_due = CASE WHEN $5::boolean OR query_asked IS NULL OR EXISTS "
    "(SELECT 1 FROM call_record r WHERE r.id = $1 AND r.state = 'close') THEN $3::bigint END, "
    "query_tries = query_tries + 1, query_problem = $4 "
    "WHERE call = $1 AND attempt = $2 AND query_due IS NOT NULL";

constexpr std::string_view given_up_sql =
    "UPDATE call_attempt SET query_due = NULL, query_problem = $3 WHERE call = $1 AND attempt = $2";

constexpr std::string_view due_claims_sql =
    "UPDATE claim SET released = $1::bigint WHERE released IS NULL AND release_at <= $1::bigint";

constexpr std::string_view release_sql =
    "UPDATE claim SET released = $2 WHERE call = $1 AND released IS NULL AND EXISTS (SELECT 1 FROM "
    "call_record r WHERE r.id = $1 AND r.state = 'close')";

}  // namespace

struct Reaper::Open {
  std::int64_t call = 0;
  int attempt = 0;
  bool unknown = false;
  Silence silence;
};

struct Reaper::Due {
  std::int64_t call = 0;
  int attempt = 0;
  std::string agent, channel_call_id;
  std::int64_t created = 0, tries = 0;
};

std::int64_t silence_deadline_ms(const Silence& silence, const Config::Reaper& limits) {
  const auto believed = [](std::int64_t ms) { return std::clamp<std::int64_t>(ms, 0, latest_ms); };
  const std::int64_t silent_ms = limits.silence.count();
  if (!silence.last_event) return believed(silence.sent.value_or(0)) + silent_ms;
  if (!silence.sign_of_b) return believed(*silence.last_event) + silent_ms;
  return believed(*silence.last_event) + std::int64_t{silence.max_duration} * 1000 +
         limits.grace.count();
}

asio::awaitable<std::int64_t> Reaper::drained_ms() {
  const pg::Rows rows =
      co_await parts_.pool.query(drained_sql, pg::params(parts_.config.stream.prefix));
  co_return std::min(rows.integer(0, "drained"), spools_.clear_until_ms(parts_.clock.epoch_ms()));
}

asio::awaitable<void> Reaper::reap() {
  const std::int64_t until_ms = co_await drained_ms();
  const Config::Reaper limits = parts_.config.reaper;  // a reload may come in between
  const std::int64_t now_ms = parts_.clock.epoch_ms();
  const bool warned = drained_.standing() >= alarm_after, alarmed = drained_.gone_on();
  const std::optional<std::int64_t> drained =
      drained_.judge(until_ms, now_ms, parts_.clock.steady(), limits.standstill);
  if (drained_.standing() >= alarm_after && !warned && !drained_.gone_on()) {
    log().critical(
        "a stream or spool has not been drained to its end for an hour; no silent call is closed, "
        "so lines of calls whose end got lost stay engaged");
  }
  if (drained_.gone_on() && !alarmed) {
    log().critical(
        "a stream or spool has not been drained to its end for {} minutes; calls that look silent "
        "are closed all the same from here on",
        limits.standstill.count() / minute_ms);
  }
  if (!drained) co_return;
  const std::int64_t drained_ms = *drained;
  const std::int64_t silent_ms = limits.silence.count();
  const std::int64_t jitter_ms = std::min<std::int64_t>(10'000, silent_ms / 4 + 1);
  std::int64_t above = 0;
  for (std::size_t found = page; found == page;) {
    const pg::Rows rows =
        co_await parts_.pool.query(open_sql, pg::params(drained_ms - silent_ms, above));
    found = rows.size();
    for (std::size_t row = 0; row < found; ++row) {
      Open open;
      open.call = above = rows.integer(row, "id");
      open.attempt = static_cast<int>(rows.integer(row, "attempt"));
      open.silence.sent = rows.opt_integer(row, "sent");
      open.silence.last_event = rows.opt_integer(row, "last_event");
      open.silence.sign_of_b = rows.boolean(row, "sign_of_b");
      open.silence.max_duration = static_cast<int>(rows.integer(row, "max_duration"));
      open.unknown = rows.text(row, "state") == "unknown" && !open.silence.last_event;
      // Spread over some seconds, so that an outage's calls are not all closed and queried at once.
      if (drained_ms < silence_deadline_ms(open.silence, limits) + open.call % jitter_ms) continue;
      try {
        co_await reap_one(open);
      } catch (const pg::Failure& failure) {  // one stuck call must not hold up the others
        log().warn("call {}: reaper: {}", open.call, failure.what());
      }
    }
  }
}

asio::awaitable<void> Reaper::reap_one(Open open) {
  Facts facts;
  facts.close = open.unknown ? CloseFact{"7", "outcome_unknown", "cc"}
                             : CloseFact{"255", "no_final_event", "cc"};
  facts.reason = open.unknown ? "nobody knows whether the channel took it, and no event came"
                              : "no final event came in time";
  const std::int64_t now_ms = parts_.clock.epoch_ms();
  pg::Statement step{
      reap_sql, pg::params(open.call, open.attempt, open.silence.last_event.value_or(0), now_ms)};
  NewEvent event = own_event(open.call, open.attempt, EventName::reaped, now_ms, facts);
  const bool reaped = co_await settle(parts_, open.call, std::move(step), std::move(event));
  if (reaped) log().warn("call {}: closed by our own clock: {}", open.call, *facts.reason);
}

asio::awaitable<void> Reaper::release_due() {
  co_await parts_.pool.query(due_claims_sql, pg::params(parts_.clock.epoch_ms()));
}

asio::awaitable<void> Reaper::query() {
  const auto executor = co_await asio::this_coro::executor;
  for (const auto& [code, unused] : parts_.channels.all()) {
    // Apart, so that a slow channel holds up no other.
    if (asking_.insert(code).second) spawn(executor, "queries at " + code, query_channel(code));
  }
}

/// As long as there is something to ask and the budget will allow the next question soon.
asio::awaitable<void> Reaper::query_channel(std::string code) {
  struct Leave {
    std::set<std::string>& channels;
    const std::string& code;
    ~Leave() { channels.erase(code); }
  } const leave{asking_, code};
  static const std::string any_sql = any_due_sql();
  try {
    for (;;) {
      // Anew each time: a reload may have come in between, and answers to what was asked.
      const auto channel = parts_.channels.find(code);
      if (channel == nullptr) co_return;
      const std::int64_t wanted = parts_.config.reaper.queries_a_minute;
      const std::int64_t allowed = channel->provider->queries_a_minute();
      const std::int64_t spacing_ms = minute_ms / (wanted == 0 ? allowed : wanted) + 60;
      const bool sessions = channel->provider->sessions() != nullptr;
      co_await parts_.pool.query(settled_sql, pg::params(code, sessions));
      const pg::Rows any = co_await parts_.pool.query(any_sql, due_params(code, sessions));
      if (any.empty()) co_return;
      const pg::Rows budget = co_await parts_.pool.query(budget_sql, pg::params(code, spacing_ms));
      if (!budget.empty()) {
        co_await query_one(channel);
      } else if (spacing_ms < longest_wait_ms) {
        co_await parts_.clock.sleep_for(Millis{spacing_ms / 2 + 1});
      } else {
        co_return;
      }
    }
  } catch (const pg::Failure& failure) {
    log().warn("queries at {}: {}", code, failure.what());
  }
}

pg::Params Reaper::due_params(const std::string& code, bool sessions) const {
  const std::int64_t now_ms = parts_.clock.epoch_ms();
  return pg::params(code, now_ms, sessions, parts_.membership.id(), parts_.membership.epoch(),
                    now_ms - parts_.config.reaper.give_up.count());
}

asio::awaitable<void> Reaper::query_one(std::shared_ptr<const ConfiguredChannel> channel) {
  static const std::string sql = next_due_sql();
  const std::int64_t now_ms = parts_.clock.epoch_ms();
  const bool sessions = channel->provider->sessions() != nullptr;
  const pg::Rows rows = co_await parts_.pool.query(sql, due_params(channel->config.code, sessions));
  if (rows.empty()) co_return;
  Due due;
  due.call = rows.integer(0, "call");
  due.attempt = static_cast<int>(rows.integer(0, "attempt"));
  due.agent = rows.text(0, "agent");
  due.channel_call_id = rows.text(0, "channel_call_id");
  due.created = rows.integer(0, "created");
  due.tries = rows.integer(0, "query_tries");
  if (now_ms - due.created > parts_.config.reaper.give_up.count()) {
    co_await give_up(due, "not answered in all the time that it is asked");
  } else {
    co_await ask(channel, due);
  }
}

asio::awaitable<QueryReply> Reaper::query_line(std::shared_ptr<const ConfiguredChannel> channel,
                                               Due due) {
  Query request;
  request.call = due.call;
  request.agent = due.agent;
  request.channel_call_id = due.channel_call_id;
  QueryReply reply;
  const std::string code = channel->config.code;
  if (channel->provider->sessions() != nullptr) {
    Lines::Lease lease = co_await parts_.lines.lease(code, due.agent, {}, session_wait);
    if (!lease.session) {
      reply.problem = "its line has no session: " + lease.problem;
      reply.try_later = true;
      co_return reply;
    }
    request.session = lease.session;
  }
  const auto session = request.session;
  reply = co_await channel->provider->query(std::move(request));
  if (reply.session_lost) parts_.lines.lost(code, due.agent, session);
  co_return reply;
}

asio::awaitable<void> Reaper::ask(std::shared_ptr<const ConfiguredChannel> channel, Due due) {
  QueryReply reply = co_await query_line(channel, due);
  if (reply.delivery) {
    Delivery delivery = *std::move(reply.delivery);
    reply.problem = co_await recorder_.put(std::move(delivery));
    reply.try_later =
        true;  // until the record is the channel's word: the answer may tell of a living call
  }
  if (!reply.problem.empty()) {
    log().warn("call {}: query at {}: {}", due.call, channel->config.code, reply.problem);
  }
  if (!reply.try_later) {
    co_await give_up(due, reply.problem);
    co_return;
  }
  const std::int64_t pause_ms =
      reply.session_lost
          ? session_pause_ms
          : std::min(longest_pause_ms, minute_ms << std::min<std::int64_t>(due.tries, 10));
  const OptText problem = reply.problem.empty() ? OptText{} : OptText{reply.problem.substr(0, 250)};
  co_await parts_.pool.query(
      asked_sql, pg::params(due.call, due.attempt, parts_.clock.epoch_ms() + pause_ms, problem,
                            channel->provider->sessions() != nullptr));
}

asio::awaitable<void> Reaper::give_up(Due due, std::string reason) {
  log().error("call {}: the channel will not say how it ended: {}", due.call, reason);
  co_await parts_.pool.query(
      given_up_sql, pg::params(due.call, due.attempt, "given up: " + reason.substr(0, 240)));
  // Whatever a late sign of life took back: the channel does not know the call any more.
  co_await parts_.pool.query(release_sql, pg::params(due.call, parts_.clock.epoch_ms()));
}

}  // namespace cc
