#include "call/reaper.hpp"

#include <algorithm>

#include "call/settle.hpp"
#include "keys.hpp"
#include "log.hpp"
#include "store/record_store.hpp"

namespace cc {
namespace {

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t silent_ms = 3 * minute_ms;
constexpr std::int64_t grace_ms = 5 * minute_ms;           // beyond maxDuration
constexpr std::int64_t give_up_ms = 47 * 60 * minute_ms;   // e9 answers for 48 h
constexpr std::int64_t longest_pause_ms = 60 * minute_ms;

constexpr std::string_view open_sql =
    "SELECT r.id, r.max_duration, r.b_call_time IS NOT NULL OR r.b_offhook_time IS NOT NULL OR r.state = 'conn' "
    "OR r.progress IN ('b_ringing', 'talking') AS sign_of_b, a.attempt, a.state, a.sent, "
    "(SELECT max(e.received) FROM call_event e WHERE e.call = r.id AND e.source <> 'cc') AS last_event "
    "FROM call_record r JOIN call_attempt a ON a.call = r.id AND NOT a.superseded "
    "WHERE r.state <> 'close' AND r.merged_into IS NULL AND a.sent IS NOT NULL AND a.sent < $1 "
    "ORDER BY r.id LIMIT 1000";

// Only if nothing was heard meanwhile; the record is locked by then.
constexpr std::string_view reap_sql =
    "UPDATE call_attempt a SET query_due = CASE WHEN channel_call_id IS NULL THEN NULL ELSE $4::bigint END "
    "WHERE call = $1 AND attempt = $2 AND NOT EXISTS (SELECT 1 FROM call_event e WHERE e.call = $1 "
    "AND e.source <> 'cc' AND e.received > $3::bigint) "
    "AND EXISTS (SELECT 1 FROM call_record r WHERE r.id = $1 AND r.state <> 'close')";

// Newest first.
constexpr std::string_view due_sql =
    "SELECT a.channel, a.call, a.attempt, a.channel_call_id, a.query_tries, a.created, "
    "r.close_source IS NOT DISTINCT FROM 'cc' AS still_wanted "
    "FROM call_attempt a JOIN call_record r ON r.id = a.call WHERE a.query_due IS NOT NULL AND a.query_due <= $1 ORDER BY a.created DESC LIMIT 20";

constexpr std::string_view budget_sql =
    "INSERT INTO channel_budget AS b (channel, purpose, minute, used) VALUES ($1, 'query', $2, 1) "
    "ON CONFLICT (channel, purpose) DO UPDATE SET minute = excluded.minute, "
    "used = CASE WHEN b.minute = excluded.minute THEN b.used + 1 ELSE 1 END "
    "WHERE b.minute <> excluded.minute OR b.used < $3 RETURNING used";

constexpr std::string_view asked_sql =
    "UPDATE call_attempt SET query_due = $3, query_tries = query_tries + 1, query_problem = $4 "
    "WHERE call = $1 AND attempt = $2 AND query_due IS NOT NULL";

}  // namespace

std::int64_t silence_deadline_ms(const Silence& silence) {
  if (!silence.last_event) return silence.sent.value_or(0) + silent_ms;
  if (!silence.sign_of_b) return *silence.last_event + silent_ms;
  return *silence.last_event + std::int64_t{silence.max_duration} * 1000 + grace_ms;
}

asio::awaitable<void> Reaper::reap() {
  const std::int64_t drained_ms = dispatcher_.drained_ms();
  if (drained_ms == 0) co_return;  // nothing is being drained: nobody can be called silent
  const pg::Rows rows = co_await parts_.pool.query(open_sql, pg::params(drained_ms - silent_ms));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::int64_t call = rows.integer(row, "id");
    const int attempt = static_cast<int>(rows.integer(row, "attempt"));
    Silence silence;
    silence.sent = rows.opt_integer(row, "sent");
    silence.last_event = rows.opt_integer(row, "last_event");
    silence.sign_of_b = rows.boolean(row, "sign_of_b");
    silence.max_duration = static_cast<int>(rows.integer(row, "max_duration"));
    // Spread over ten seconds, so that an outage's calls are not all closed and queried at once.
    if (drained_ms < silence_deadline_ms(silence) + call % 10'000) continue;
    const bool unknown = rows.text(row, "state") == "unknown" && !silence.last_event;
    Facts facts;
    facts.close = unknown ? CloseFact{"7", "outcome_unknown", "cc"} : CloseFact{"255", "no_final_event", "cc"};
    facts.reason = unknown ? "nobody knows whether the channel took it, and no event came"
                           : "no final event came in time";
    const std::int64_t now_ms = parts_.clock.epoch_ms();
    pg::Statement step{reap_sql, pg::params(call, attempt, silence.last_event.value_or(0), now_ms)};
    const bool reaped = co_await settle(parts_, call, std::move(step),
                                        own_event(call, attempt, EventName::reaped, now_ms, facts));
    if (reaped) log().warn("call {}: closed by our own clock: {}", call, *facts.reason);
  }
}

asio::awaitable<bool> Reaper::take_budget(std::string channel, int a_minute) {
  const std::int64_t minute = parts_.clock.epoch_ms() / minute_ms;
  const pg::Rows rows = co_await parts_.pool.query(budget_sql, pg::params(channel, minute, a_minute));
  co_return !rows.empty();
}

asio::awaitable<void> Reaper::query() {
  const std::int64_t now_ms = parts_.clock.epoch_ms();
  const pg::Rows rows = co_await parts_.pool.query(due_sql, pg::params(now_ms));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::string code(rows.text(row, "channel"));
    const std::int64_t call = rows.integer(row, "call");
    const int attempt = static_cast<int>(rows.integer(row, "attempt"));
    if (now_ms - rows.integer(row, "created") > give_up_ms) {
      log().error("call {}: the channel never said how it ended, and can't be asked any more", call);
      co_await parts_.pool.query(asked_sql, pg::params(call, attempt, nullptr, "given up after 47 h"));
      continue;
    }
    if (!rows.boolean(row, "still_wanted")) {  // the channel's own word came after all
      co_await parts_.pool.query(asked_sql, pg::params(call, attempt, nullptr, nullptr));
      continue;
    }
    const auto channel = parts_.channels.find(code);
    if (channel == nullptr) continue;
    if (!co_await take_budget(code, channel->provider->queries_a_minute())) continue;
    co_await ask(code, call, attempt, std::string(rows.text(row, "channel_call_id")),
                 rows.integer(row, "query_tries"));
  }
}

asio::awaitable<void> Reaper::ask(std::string code, std::int64_t call, int attempt, std::string channel_call_id,
                                  std::int64_t tries) {
  const auto channel = parts_.channels.find(code);
  QueryReply reply = co_await channel->provider->query(call, std::move(channel_call_id));
  if (reply.delivery) {
    reply.problem = co_await put_into_stream(*reply.delivery);
    reply.try_later = !reply.problem.empty();
  }
  OptMs next;
  if (reply.try_later) {
    next = parts_.clock.epoch_ms() +
           std::min(longest_pause_ms, minute_ms << std::min<std::int64_t>(tries, 10));
  }
  if (!reply.problem.empty()) log().warn("call {}: query at {}: {}", call, code, reply.problem);
  co_await parts_.pool.query(asked_sql, pg::params(call, attempt, next, OptText(reply.problem)));
}

asio::awaitable<std::string> Reaper::put_into_stream(const Delivery& delivery) {
  const unsigned partition = partition_of(delivery, {}, parts_.config.stream.partitions);
  std::vector<std::string> words{"XADD", parts_.config.stream.prefix + std::to_string(partition), "*"};
  words.push_back(delivery.channel);
  words.push_back(encode_envelope(delivery));
  std::string problem;
  try {
    const redis::Reply reply = co_await redis_.command(std::move(words), Millis{2000});
    if (reply.is_error()) problem = "Redis did not take the answer: " + reply.text;
  } catch (const redis::Failure& failure) {
    problem = std::string("Redis did not take the answer: ") + failure.what();
  }
  co_return problem;
}

}  // namespace cc
