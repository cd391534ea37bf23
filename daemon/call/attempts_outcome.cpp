// How an attempt's answer is stored: the second half of its life.
#include "call/another_attempt.hpp"
#include "call/attempts.hpp"
#include "call/settle.hpp"
#include "dispatch/merge.hpp"
#include "fault.hpp"
#include "io/backoff.hpp"
#include "log.hpp"
#include "store/record_store.hpp"
#include "text.hpp"

namespace cc {
namespace {

// Whatever the epoch: what a channel said is a fact. An event may have settled the attempt before.
constexpr std::string_view outcome_sql =
    "UPDATE call_attempt SET state = CASE WHEN state IN ('sending', 'unknown') THEN $3 ELSE state "
    "END, "
    "channel_call_id = coalesce(channel_call_id, $4), answered = $5, code = $6, message = $7 "
    "WHERE call = $1 AND attempt = $2";

constexpr std::string_view display_refused_sql =
    "INSERT INTO display_refusal AS d (tenant, channel, number, code, first, last) SELECT "
    "r.tenant, a.channel, "
    "r.main_num, left($3, 32), $4::bigint, $4::bigint FROM call_attempt a JOIN call_record r ON "
    "r.id "
    "= a.call WHERE a.call = $1 AND a.attempt = $2 AND r.main_num IS NOT NULL "
    "ON CONFLICT (tenant, channel, number, code) DO UPDATE SET last = excluded.last, count = "
    "d.count + 1";

using Taken = OriginateAnswer::Outcome;

EventName event_of(Taken outcome) {
  switch (outcome) {
    case Taken::accepted:
      return EventName::attempt_accepted;
    case Taken::refused:
      return EventName::attempt_refused;
    case Taken::unknown:
      return EventName::attempt_unknown;
  }
  return EventName::attempt_unknown;
}

OptText if_any(const std::string& text) {
  return text.empty() ? OptText{} : OptText{text};
}

Facts facts_of(const OriginateAnswer& answer) {
  Facts facts;
  facts.code = if_any(answer.code);
  facts.message = if_any(answer.message);
  if (answer.outcome == Taken::accepted) facts.channel_call_id = if_any(answer.channel_call_id);
  if (answer.outcome == Taken::refused) {
    facts.close = answer.close;
    facts.never_connected = true;
  }
  return facts;
}

}  // namespace

/// Marks the number, not the channel: an operator can see which one is to be approved.
asio::awaitable<void> Attempts::mark_number(Key key, std::string code) {
  log().error("call {}: the channel would not show the main number ({}): have it approved there",
              key.first, code);
  try {
    co_await parts_.pool.query(display_refused_sql,
                               pg::params(key.first, key.second, code, parts_.clock.epoch_ms()));
  } catch (const pg::Failure& failure) {
    log().warn("call {}: noting a refused display number: {}", key.first, failure.what());
  }
}

asio::awaitable<void> Attempts::store_outcome(Key key, OriginateAnswer answer,
                                              std::string request_id) {
  Backoff backoff(Millis{100}, Millis{5000});
  bool with_channel_id = true, with_words = true;
  for (;;) {
    std::string problem;
    bool taken = false;
    try {
      fault_point("attempt.before_outcome");
      co_await try_store(key, answer, request_id, with_channel_id, with_words);
      fault_point("attempt.outcome");
      co_return;
    } catch (const pg::Failure& failure) {
      problem = failure.what();
      taken = failure.unique_violation();
      // What the channel said can't be stored as it is: that it said yes or no is what matters.
      if (failure.sqlstate.starts_with("22")) with_words = false;
    }
    log().error("request {}: call {}: how attempt {} ended ({}) can't be stored yet: {}",
                request_id, key.first, key.second, to_text(answer.outcome), problem);
    // Another record bears this id already. If it was made from the call's events they become one;
    // otherwise the attempt is accepted all the same, without it.
    if (taken) with_channel_id = co_await unite(key, answer.channel_call_id);
    co_await parts_.clock.sleep_for(backoff.next());
  }
}

/// Whether the channel's id is this attempt's now.
asio::awaitable<bool> Attempts::unite(Key key, std::string channel_call_id) {
  try {
    const pg::Rows rows = co_await parts_.pool.query(
        "SELECT channel FROM call_attempt WHERE call = $1 AND attempt = $2",
        pg::params(key.first, key.second));
    if (rows.empty()) co_return false;
    Merge merge{key.first, key.second, std::string(rows.text(0, "channel")),
                std::move(channel_call_id)};
    const std::optional<std::int64_t> other =
        co_await merge_calls(parts_.pool, std::move(merge), parts_.clock.epoch_ms());
    if (!other) co_return false;
    parts_.metrics.merged_calls.Increment();
    parts_.watch.notify(*other);
    log().info("call {}: {} was the same call and is merged into it", key.first, *other);
    co_return true;
  } catch (const pg::Failure& failure) {
    log().warn("call {}: merging: {}", key.first, failure.what());
    co_return true;  // nobody knows: try again with the id
  }
}

asio::awaitable<void> Attempts::try_store(Key key, const OriginateAnswer& given,
                                          const std::string& request_id, bool with_channel_id,
                                          bool with_words) {
  const std::int64_t now_ms = parts_.clock.epoch_ms();
  OriginateAnswer answer = given;
  bool cut = false;
  answer.code = with_words ? cut_to_width(repair_utf8(given.code), 32, cut) : "unreadable";
  answer.message = with_words ? cut_to_width(repair_utf8(given.message), 256, cut) : std::string();
  if (answer.outcome == Taken::refused) {
    Facts facts = facts_of(answer);
    const Refused refused = co_await store_refusal(parts_, key.first, key.second, answer, facts);
    if (!refused.next_attempt) co_return;
    parts_.metrics.failovers.Add({{"from", refused.from}, {"to", refused.to}}).Increment();
    log().warn("request {}: call {}: attempt {} at {} never rang; attempt {} goes to {}",
               request_id, key.first, key.second, refused.from, *refused.next_attempt, refused.to);
    fault_point("attempt.next");
    send(co_await asio::this_coro::executor, key.first, *refused.next_attempt);
    co_return;
  }
  pg::Statement step{
      outcome_sql, pg::params(key.first, key.second, to_text(answer.outcome),
                              with_channel_id ? if_any(answer.channel_call_id) : OptText{}, now_ms,
                              if_any(answer.code), if_any(answer.message))};
  co_await settle(
      parts_, key.first, std::move(step),
      own_event(key.first, key.second, event_of(answer.outcome), now_ms, facts_of(answer)));
}

}  // namespace cc
