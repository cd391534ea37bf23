#include "call/hangups.hpp"

#include <algorithm>

#include "call/create.hpp"
#include "call/settle.hpp"
#include "log.hpp"
#include "phone.hpp"
#include "spawn.hpp"
#include "store/record_store.hpp"

namespace cc {
namespace {

constexpr std::int64_t patience_ms = 30'000;  // from the channel's yes to its final event
constexpr std::int64_t grace_ms = 300'000;    // beyond the longest call
constexpr Millis session_wait{5'000};         // for a line to be signed in
constexpr std::int64_t first_pause_ms = 2'000, longest_pause_ms = 60'000;

constexpr std::string_view lock_sql =
    "SELECT state FROM call_record WHERE id = $1 AND tenant = $2 FOR UPDATE";

constexpr std::string_view ask_sql =
    "UPDATE call_attempt SET hangup_asked = coalesce(hangup_asked, $2), "
    "hangup_request_id = coalesce(hangup_request_id, $3) WHERE call = $1 AND NOT superseded "
    "RETURNING attempt, state";

// Hung up before it was sent: then it never is.
constexpr std::string_view cancel_sql =
    "UPDATE call_attempt SET state = 'refused', code = 'cancelled' WHERE call = $1 AND state = "
    "'planned' "
    "RETURNING attempt";

// An attempt that was given up is over when the channel has taken the hang-up, or says so itself.
constexpr std::string_view due_sql =
    "SELECT a.call, a.attempt, a.channel, a.agent, a.channel_call_id, a.hangup_asked, "
    "a.hangup_sent, a.hangup_request_id, "
    "a.hangup_accepted, a.state = 'accepted' OR a.heard IS NOT NULL AS reached, "
    "r.state, r.max_duration, r.state = 'close' AND (a.state = 'refused' OR r.close_source IS "
    "DISTINCT FROM 'cc' "
    "OR a.hangup_accepted IS NOT NULL) AND NOT a.superseded OR a.superseded AND "
    "(a.hangup_accepted IS NOT NULL OR EXISTS (SELECT 1 FROM call_event e WHERE e.call = a.call "
    "AND "
    "e.attempt = a.attempt AND e.source <> 'cc' AND e.name = 'closed')) AS done FROM call_attempt "
    "a JOIN call_record r ON r.id = "
    "a.call "
    "WHERE a.hangup_asked IS NOT NULL AND ($1::bigint IS NULL OR a.call = $1) "
    "ORDER BY coalesce(a.hangup_sent, a.hangup_asked) LIMIT 500";

constexpr std::string_view forget_sql =
    "UPDATE call_attempt a SET hangup_asked = NULL FROM unnest($1::bigint[], $2::smallint[]) AS x "
    "(call, attempt) WHERE a.call = x.call AND a.attempt = x.attempt AND a.hangup_asked IS NOT "
    "NULL";

// Only one daemon tells the channel at a time. Without the channel's id of the call ($5) it can
// only be told to free the line, which must be in this call and no other: it holds the line's
// claim, and the channel took it or was heard of it.
constexpr std::string_view mark_sent_sql =
    "UPDATE call_attempt a SET hangup_sent = $4::bigint WHERE call = $1 AND attempt = $2 AND "
    "hangup_accepted IS NULL AND hangup_sent IS NOT DISTINCT FROM $3 "
    "AND ($5::boolean OR ((a.state = 'accepted' OR a.heard IS NOT NULL) AND EXISTS (SELECT 1 FROM "
    "claim c WHERE c.call = a.call AND c.attempt = a.attempt AND c.kind = 'line' AND c.released IS "
    "NULL AND (c.release_at IS NULL OR c.release_at > $4::bigint))))";

constexpr std::string_view accepted_sql =
    "UPDATE call_attempt SET hangup_accepted = $3 WHERE call = $1 AND attempt = $2 AND "
    "hangup_accepted IS NULL";

constexpr std::string_view give_up_sql =
    "UPDATE call_attempt SET hangup_asked = NULL, query_due = CASE WHEN channel_call_id IS NOT "
    "NULL "
    "THEN coalesce(query_due, $3::bigint) END WHERE call = $1 AND attempt = $2 AND hangup_asked IS "
    "NOT NULL";

}  // namespace

struct Hangups::Due {
  std::int64_t call = 0;
  int attempt = 0;
  std::string channel, agent, channel_call_id;
  std::string request_id;  // of the request to hang up; "-" = CC's own wish
  OptMs sent;
};

asio::awaitable<std::optional<HangupAnswer>> Hangups::ask(std::string tenant, std::int64_t call,
                                                          std::string request_id) {
  const std::int64_t now_ms = parts_.clock.epoch_ms();
  HangupAnswer answer;
  {
    pg::Transaction transaction = co_await parts_.pool.begin();
    const pg::Rows record = co_await transaction.query(lock_sql, pg::params(call, tenant));
    if (record.empty()) co_return std::nullopt;
    answer.already_closed = record.text(0, "state") == "close";
    if (!answer.already_closed) {
      std::vector<pg::Statement> statements;
      statements.push_back({ask_sql, pg::params(call, now_ms, request_id)});
      statements.push_back({cancel_sql, pg::params(call)});
      const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(statements));
      const int attempt = rows[0].empty() ? 1 : static_cast<int>(rows[0].integer(0, "attempt"));
      Facts facts;
      facts.request_id = request_id;
      NewEvents events;
      events[call].push_back(own_event(call, attempt, EventName::hangup_requested, now_ms, facts));
      if (!rows[1].empty()) {
        facts.code = "cancelled";
        facts.close = CloseFact{"255", "cancelled", "app"};
        facts.never_connected = true;
        events[call].push_back(own_event(call, attempt, EventName::attempt_refused, now_ms, facts));
      }
      co_await fold_events(transaction, events, now_ms);
      co_await transaction.commit();
      parts_.watch.notify(call);
    }
  }
  std::optional<StoredRecord> record = co_await read_record(parts_.pool, tenant, call);
  if (!record) co_return std::nullopt;
  answer.record = *std::move(record);
  co_return answer;
}

asio::awaitable<void> Hangups::pursue(OptMs only) {
  const std::int64_t now_ms = parts_.clock.epoch_ms();
  const auto executor = co_await asio::this_coro::executor;
  const pg::Rows rows = co_await parts_.pool.query(due_sql, pg::params(only));
  std::vector<std::int64_t> closed, closed_attempt;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    Due due;
    due.call = rows.integer(row, "call");
    due.attempt = static_cast<int>(rows.integer(row, "attempt"));
    // A call that only our own clock has closed may still ring or talk: the wish stays, until the
    // longest call would be over.
    const std::int64_t longest_ms = rows.integer(row, "max_duration") * 1000 + grace_ms;
    if (rows.boolean(row, "done") || now_ms - rows.integer(row, "hangup_asked") > longest_ms) {
      closed.push_back(due.call);
      closed_attempt.push_back(due.attempt);
      continue;
    }
    if (const OptMs accepted = rows.opt_integer(row, "hangup_accepted")) {
      if (now_ms - *accepted >= patience_ms) {
        try {
          co_await close_ourselves(due.call, due.attempt, rows.text(row, "state") == "conn");
        } catch (const pg::Failure& failure) {
          log().warn("call {}: hang-up: {}", due.call, failure.what());
        }
      }
      continue;
    }
    const OptText id = rows.opt_text(row, "channel_call_id");
    due.sent = rows.opt_integer(row, "hangup_sent");
    due.request_id = rows.opt_text(row, "hangup_request_id").value_or("-");
    const std::int64_t pause = std::clamp((now_ms - rows.integer(row, "hangup_asked")) / 2,
                                          first_pause_ms, longest_pause_ms);
    due.channel = rows.text(row, "channel");
    due.agent = rows.text(row, "agent");
    const bool by_line = parts_.lines.serves(due.channel, due.agent);
    if (!by_line && has_sessions(due.channel)) continue;  // its owner tells the channel
    if ((!id && (!by_line || !rows.boolean(row, "reached"))) ||
        (due.sent && now_ms - *due.sent < pause) ||
        !telling_.insert({due.call, due.attempt}).second) {
      continue;
    }
    due.channel_call_id = id.value_or("");
    spawn(executor, "hang-up", tell(due));
  }
  if (!closed.empty())
    co_await parts_.pool.query(forget_sql,
                               pg::params(pg::array(closed), pg::array(closed_attempt)));
}

bool Hangups::has_sessions(const std::string& code) const {
  const auto channel = parts_.channels.find(code);
  return channel && channel->provider->sessions() != nullptr;
}

asio::awaitable<HangupReply> Hangups::hang_up(std::shared_ptr<const ConfiguredChannel> channel,
                                              Due due) {
  Hangup request;
  request.agent = due.agent;
  request.channel_call_id = due.channel_call_id;
  HangupReply reply;
  if (has_sessions(due.channel)) {
    Lines::Lease lease = co_await parts_.lines.lease(due.channel, due.agent, {}, session_wait);
    if (!lease.session) {
      reply.code = "not_signed_in";
      reply.message = lease.problem;
      co_return reply;
    }
    request.session = lease.session;
  }
  const auto session = request.session;
  reply = co_await channel->provider->hang_up(std::move(request));
  if (reply.session_lost) parts_.lines.lost(due.channel, due.agent, session);
  co_return reply;
}

asio::awaitable<void> Hangups::tell(Due due) {
  struct Leave {
    std::set<std::pair<std::int64_t, int>>& attempts;
    std::pair<std::int64_t, int> attempt;
    ~Leave() { attempts.erase(attempt); }
  } const leave{telling_, {due.call, due.attempt}};
  const auto channel = parts_.channels.find(due.channel);
  if (channel == nullptr) co_return;
  try {
    const std::int64_t now_ms = parts_.clock.epoch_ms();
    const pg::Rows marked = co_await parts_.pool.query(
        mark_sent_sql,
        pg::params(due.call, due.attempt, due.sent, now_ms, !due.channel_call_id.empty()));
    if (marked.affected() == 0) co_return;
    const HangupReply reply = co_await hang_up(channel, due);
    if (!reply.accepted) {
      log().warn("request {}: call {}: channel {} did not take the hang-up: {} {}", due.request_id,
                 due.call, due.channel, reply.code, mask_numbers_in(reply.message));
      co_return;
    }
    log().info("request {}: call {}: channel {} took the hang-up", due.request_id, due.call,
               due.channel);
    const std::int64_t accepted_ms = parts_.clock.epoch_ms();
    pg::Statement step{accepted_sql, pg::params(due.call, due.attempt, accepted_ms)};
    co_await settle(parts_, due.call, std::move(step),
                    own_event(due.call, due.attempt, EventName::hangup_accepted, accepted_ms));
  } catch (const pg::Failure& failure) {
    // The wish is still there, and telling a channel twice to hang up does no harm.
    log().warn("request {}: call {}: hang-up: {}", due.request_id, due.call, failure.what());
  }
}

asio::awaitable<void> Hangups::close_ourselves(std::int64_t call, int attempt, bool connected) {
  Facts facts;
  facts.close = connected ? CloseFact{"0", "normal", "app"} : CloseFact{"255", "cancelled", "app"};
  facts.reason = "the channel took the hang-up but reported no end within 30 s";
  // How it really ended is for the channel to say.
  const std::int64_t now_ms = parts_.clock.epoch_ms();
  pg::Statement step{give_up_sql, pg::params(call, attempt, now_ms)};
  co_await settle(parts_, call, std::move(step),
                  own_event(call, attempt, EventName::hangup_closed, now_ms, facts));
}

}  // namespace cc
