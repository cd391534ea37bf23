#include "call/attempts.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "call/display.hpp"
#include "call/settle.hpp"
#include "fault.hpp"
#include "log.hpp"
#include "phone.hpp"
#include "spawn.hpp"
#include "store/record_store.hpp"

namespace cc {
namespace {

// Compare-and-set with the owner's epoch, committed before the first byte goes out. $6: the
// channels whose lines have a session: there only the line's owner sends, and it stamps by the
// clock that stamps what is polled ($7).
constexpr std::string_view begin_sql =
    "UPDATE call_attempt a SET state = 'sending', owner = $4, epoch = $5, "
    "sent = CASE WHEN a.channel = ANY($6::varchar[]) THEN $7::bigint ELSE $3::bigint END "
    "WHERE call = $1 AND attempt = $2 AND state = 'planned' AND coalesce(send_by, created + 15000) "
    "> $3::bigint "
    "AND EXISTS (SELECT 1 FROM daemon WHERE id = $4 AND epoch = $5) "
    "AND (a.channel <> ALL($6::varchar[]) OR EXISTS (SELECT 1 FROM agent g WHERE g.channel = "
    "a.channel AND g.agent = a.agent AND g.owner = $4 AND g.epoch = $5)) "
    "RETURNING channel, agent, handset, called, request_id, coalesce(send_by, created + 15000) AS "
    "send_by";

constexpr std::string_view limits_sql =
    "SELECT max_duration, record, main_num, display_requested FROM call_record WHERE id = $1";

constexpr std::string_view not_sent_sql =
    "UPDATE call_attempt SET state = 'refused', code = 'not_sent' "
    "WHERE call = $1 AND attempt = $2 AND state = 'planned' AND coalesce(send_by, created + 15000) "
    "<= $3::bigint";

constexpr std::string_view unfinished_sql =
    "UPDATE call_attempt SET state = 'refused', code = 'not_sent' WHERE call = $1 AND attempt = $2 "
    "AND state = 'sending' AND owner = $3 AND epoch = $4";

std::string unknown_sql() {
  return "UPDATE call_attempt a SET state = 'unknown', code = 'owner_died' WHERE call = $1 AND "
         "attempt = $2 "
         "AND state = 'sending' AND " +
         dead_owner_sql("a");
}

std::string unattended_sql() {
  // A line's owner comes at once: who took the request may not send.
  return "SELECT call, attempt, state, coalesce(send_by, created + 15000) AS send_by, channel, "
         "agent, owner = $2 AND epoch = $3 AS ours "
         "FROM call_attempt a "
         "WHERE (state = 'planned' AND (created < $1::bigint - 1000 OR EXISTS (SELECT 1 FROM agent "
         "g "
         "WHERE g.channel = a.channel AND g.agent = a.agent AND g.owner = $2 AND g.epoch = $3))) "
         "OR (state = 'sending' AND ((owner = $2 AND epoch = $3) OR " +
         dead_owner_sql("a") + ")) ORDER BY created LIMIT 1000";
}

}  // namespace

/// What begin() learned.
struct Attempts::Sending {
  std::shared_ptr<const ConfiguredChannel> channel;
  Originate request;
  std::chrono::steady_clock::time_point deadline;  // for the first byte
  bool shows_main = false;                         // one of the phones shows the main number
  std::int64_t begun_ms = 0;                       // by the fleet's clock
  std::string request_id;                          // of the request for the call; "-" = none
};

void Attempts::send(asio::any_io_executor executor, std::int64_t call, int attempt) {
  if (stopping_ || !in_hand_.insert({call, attempt}).second) return;
  spawn(std::move(executor), "attempt", drive({call, attempt}));
}

asio::awaitable<void> Attempts::drive(Key key) {
  struct Leave {
    std::set<Key>& keys;
    Key key;
    ~Leave() { keys.erase(key); }
  } const leave{in_hand_, key};
  Sending sending;
  bool ours = false;
  try {
    fault_point("attempt.before_sending");
    ours = co_await begin(key, sending);
  } catch (const pg::Failure& failure) {
    // Not begun, or nobody knows whether it is: adopt() finds it, as planned or as a dead owner's.
    log().warn("call {}: attempt {} could not begin: {}", key.first, key.second, failure.what());
  }
  if (!ours) co_return;
  fault_point("attempt.sending");
  OriginateAnswer answer;
  if (sending.channel == nullptr) {
    answer.outcome = OriginateAnswer::Outcome::refused;
    answer.code = "not_configured";
    answer.message = "the channel is not configured any more";
    answer.never_dialled = true;
    answer.close = {"6", "channel_error", "cc"};
  } else {
    answer = co_await originate(key, sending);
  }
  fault_point("attempt.answered");
  if (answer.verdict) {
    parts_.health.taken(key.first, key.second, sending.begun_ms, *answer.verdict);
  }
  if (answer.display_refused && sending.shows_main) co_await mark_number(key, answer.code);
  parts_.metrics.originate_delay.Observe(static_cast<double>(answer.elapsed.count()) / 1000.0);
  parts_.metrics.attempts
      .Add({{"channel", sending.channel ? sending.channel->config.code : "none"},
            {"outcome", std::string(to_text(answer.outcome))}})
      .Increment();
  const std::string taken_by = sending.channel ? sending.channel->config.code : "none";
  if (answer.outcome == OriginateAnswer::Outcome::accepted) {
    log().info("request {}: call {}: attempt {} accepted by {} after {} ms", sending.request_id,
               key.first, key.second, taken_by, answer.elapsed.count());
  } else {
    log().warn("request {}: call {}: attempt {} {} by {} after {} ms: {} {}", sending.request_id,
               key.first, key.second, to_text(answer.outcome), taken_by, answer.elapsed.count(),
               answer.code, mask_numbers_in(answer.message));
  }
  co_await store_outcome(key, std::move(answer), sending.request_id);
}

/// On a line with a session, once more where that turned out to be over: nothing was dialled.
asio::awaitable<OriginateAnswer> Attempts::originate(Key key, Sending& sending) {
  Provider& provider = *sending.channel->provider;
  const std::string code = sending.channel->config.code;
  OriginateAnswer answer;
  if (provider.sessions() == nullptr) {
    answer = co_await ask(key, sending, std::move(sending.request));
    co_return answer;
  }
  for (int tries = 0; tries < 2; ++tries) {
    const auto left = std::chrono::ceil<Millis>(sending.deadline - parts_.clock.steady());
    Lines::Lease lease =
        co_await parts_.lines.lease(code, sending.request.agent, sending.request.handset, left);
    if (!lease.session) {
      answer = OriginateAnswer{};
      answer.outcome = OriginateAnswer::Outcome::refused;
      answer.code = "not_signed_in";
      answer.message = lease.problem;
      answer.never_dialled = answer.line_fault = true;
      answer.close = {"6", "channel_error", "channel"};
      co_return answer;
    }
    Originate request = sending.request;
    request.session = lease.session;
    answer = co_await ask(key, sending, std::move(request));
    if (!answer.session_over) co_return answer;
    if (answer.session_lost) parts_.lines.lost(code, sending.request.agent, lease.session);
  }
  co_return answer;
}

std::vector<std::string> Attempts::channels_with_sessions() const {
  std::vector<std::string> codes;
  for (const auto& [code, channel] : parts_.channels.all()) {
    if (channel->provider->sessions() != nullptr) codes.push_back(code);
  }
  return codes;
}

asio::awaitable<OriginateAnswer> Attempts::ask(Key key, const Sending& sending, Originate request) {
  // The request waits for its answer much longer; but whoever calls next goes elsewhere.
  auto slow = std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor);
  spawn(slow->get_executor(), "slow originate", note_slow(key, sending.begun_ms, slow));
  OriginateAnswer answer = co_await sending.channel->provider->originate(std::move(request));
  slow->cancel();
  co_return answer;
}

/// An originate that is not answered in time counts as failed then, whatever its answer will be.
asio::awaitable<void> Attempts::note_slow(Key key, std::int64_t begun_ms,
                                          std::shared_ptr<asio::steady_timer> timer) {
  const auto patience = parts_.config.health.slow;
  const auto begun = parts_.clock.steady();
  timer->expires_after(patience);
  boost::system::error_code error;
  co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, error));
  // Much later than asked: this process stood still, and the answer may be there already.
  const bool ours = parts_.clock.steady() - begun > patience + Millis{1000};
  if (!error && !ours) {
    parts_.health.taken(key.first, key.second, begun_ms, ChannelVerdict::unreachable);
  }
}

asio::awaitable<bool> Attempts::begin(Key key, Sending& sending) {
  // The steady one first: where the process is stopped in between, the deadline is too early.
  const auto now = parts_.clock.steady();
  const std::int64_t now_ms = parts_.clock.epoch_ms();
  pg::Transaction transaction = co_await parts_.pool.begin();
  std::vector<pg::Statement> statements;
  statements.push_back({lock_record_sql, pg::params(key.first)});
  statements.push_back(
      {begin_sql,
       pg::params(key.first, key.second, now_ms, parts_.membership.id(), parts_.membership.epoch(),
                  pg::array(channels_with_sessions()), parts_.lines.line_ms())});
  statements.push_back({limits_sql, pg::params(key.first)});
  const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(statements));
  const pg::Rows& attempt = rows[1];
  if (attempt.empty()) co_return false;
  // On its way to another daemon: left as it is for that one.
  const auto channel = parts_.channels.find(attempt.text(0, "channel"));
  if (channel && channel->provider->sessions() != nullptr &&
      !parts_.lines.serves(channel->config.code, attempt.text(0, "agent"))) {
    co_return false;
  }
  NewEvents events;
  events[key.first].push_back(own_event(key.first, key.second, EventName::attempt_sent, now_ms));
  co_await fold_events(transaction, events, now_ms);
  co_await transaction.commit();
  parts_.watch.notify(key.first);

  sending.channel = channel;
  sending.request_id = attempt.opt_text(0, "request_id").value_or("-");
  Originate& request = sending.request;
  request.call = key.first;
  request.attempt = key.second;
  request.agent = attempt.text(0, "agent");
  request.handset = attempt.opt_text(0, "handset").value_or(request.agent);
  request.called = attempt.opt_text(0, "called").value_or("");
  request.max_duration = static_cast<int>(rows[2].integer(0, "max_duration"));
  request.record = rows[2].boolean(0, "record");
  const Display display = display_from_text(rows[2].opt_text(0, "display_requested"));
  const std::string main_num = rows[2].opt_text(0, "main_num").value_or("");
  if (display.hide_customer) request.show_a = main_num;
  if (display.hide_agent) request.show_b = main_num;
  sending.shows_main = !request.show_a.empty() || !request.show_b.empty();
  sending.begun_ms = parts_.membership.fleet_ms();
  // Checked just before the first byte, on a clock that a stopped process can't fool: after minutes
  // of SIGSTOP it must not dial.
  const auto deadline = now + Millis{attempt.integer(0, "send_by") - now_ms};
  sending.deadline = deadline;
  request.may_send = [&clock = parts_.clock, deadline] { return clock.steady() < deadline; };
  co_return true;
}

asio::awaitable<void> Attempts::refuse_unsent(Key key) {
  const std::int64_t now_ms = parts_.clock.epoch_ms();
  Facts facts;
  facts.code = "not_sent";
  facts.message = "15 s passed before it could be sent";
  facts.close = CloseFact{"255", "not_sent", "cc"};
  facts.never_connected = true;
  co_await settle(parts_, key.first, {not_sent_sql, pg::params(key.first, key.second, now_ms)},
                  own_event(key.first, key.second, EventName::attempt_refused, now_ms, facts));
}

asio::awaitable<void> Attempts::mark_unknown(Key key) {
  static const std::string sql = unknown_sql();
  Facts facts;
  facts.code = "owner_died";
  facts.message = "the daemon died while it was sending: the channel may have taken it";
  const bool marked = co_await settle(
      parts_, key.first, {sql, pg::params(key.first, key.second)},
      own_event(key.first, key.second, EventName::attempt_unknown, parts_.clock.epoch_ms(), facts));
  if (marked)
    log().warn("call {}: attempt {} is unknown: its daemon died while sending", key.first,
               key.second);
}

// Ours, begun, but in nobody's hand: the answer to its COMMIT was lost, so nothing was sent.
asio::awaitable<void> Attempts::refuse_unfinished(Key key) {
  Facts facts;
  facts.code = "not_sent";
  facts.message = "the database went away just before it would have been sent";
  facts.close = CloseFact{"255", "not_sent", "cc"};
  facts.never_connected = true;
  pg::Statement step{unfinished_sql, pg::params(key.first, key.second, parts_.membership.id(),
                                                parts_.membership.epoch())};
  NewEvent event =
      own_event(key.first, key.second, EventName::attempt_refused, parts_.clock.epoch_ms(), facts);
  co_await settle(parts_, key.first, std::move(step), std::move(event));
}

asio::awaitable<void> Attempts::adopt() {
  static const std::string sql = unattended_sql();
  const std::int64_t now_ms = parts_.clock.epoch_ms();
  const auto executor = co_await asio::this_coro::executor;
  const pg::Rows rows = co_await parts_.pool.query(
      sql, pg::params(now_ms, parts_.membership.id(), parts_.membership.epoch()));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const Key key{rows.integer(row, "call"), static_cast<int>(rows.integer(row, "attempt"))};
    if (in_hand_.contains(key)) continue;
    const bool over = rows.integer(row, "send_by") <= now_ms;
    const bool sending = rows.text(row, "state") == "sending";
    if (!sending && !over) {
      // A channel that only another daemon's configuration knows is left to that one, and a line
      // with a session to its owner.
      const auto channel = parts_.channels.find(rows.text(row, "channel"));
      if (channel == nullptr) continue;
      if (channel->provider->sessions() != nullptr &&
          !parts_.lines.serves(channel->config.code, rows.text(row, "agent"))) {
        continue;
      }
      send(executor, key.first, key.second);
      continue;
    }
    try {
      if (!sending) {
        co_await refuse_unsent(key);
      } else if (rows.opt_text(row, "ours") == "t") {
        co_await refuse_unfinished(key);
      } else {
        co_await mark_unknown(key);
      }
    } catch (const pg::Failure& failure) {  // one stuck call must not hold up the others
      log().warn("call {}: attempt {}: {}", key.first, key.second, failure.what());
    }
  }
}

}  // namespace cc
