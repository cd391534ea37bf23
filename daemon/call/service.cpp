#include "call/service.hpp"

#include <algorithm>

#include "call/create.hpp"
#include "log.hpp"
#include "spawn.hpp"
#include "store/history.hpp"

namespace cc {
namespace {

constexpr std::string_view outcome_sql =
    "SELECT a.state, a.code, a.message, r.version FROM call_attempt a JOIN call_record r ON r.id = "
    "a.call "
    "WHERE a.call = $1 ORDER BY a.attempt DESC LIMIT 1";

Outcome outcome_of(std::string_view state, const OptText& code) {
  if (state == "accepted") return Outcome::accepted;
  if (state == "refused") {
    return code == "not_sent" || code == "cancelled" ? Outcome::withdrawn : Outcome::refused;
  }
  if (state == "unknown") return Outcome::unknown;
  return Outcome::pending;
}

// Told at once, instead of at the next pass: the person is waiting.
asio::awaitable<void> pursue_now(Hangups& hangups, std::int64_t call) {
  try {
    co_await hangups.pursue(call);
  } catch (const pg::Failure& failure) {
    log().warn("hang-ups: {}", failure.what());
  }
}

}  // namespace

asio::awaitable<std::variant<Created, Refusal>> CallService::create(NewCall request) {
  std::variant<Created, Refusal> result = co_await create_call(parts_, gates_, std::move(request));
  if (const Created* created = std::get_if<Created>(&result);
      created != nullptr && !created->replayed) {
    attempts_.send(co_await asio::this_coro::executor, created->record.constants.id, 1);
  }
  co_return result;
}

asio::awaitable<AttemptOutcome> CallService::wait_outcome(std::int64_t call,
                                                          std::chrono::milliseconds wait) {
  const auto until = parts_.clock.steady() + wait;
  Watch::Interest interest(parts_.watch, co_await asio::this_coro::executor, call);
  for (;;) {
    const pg::Rows rows = co_await parts_.pool.query(outcome_sql, pg::params(call));
    AttemptOutcome answer;
    if (rows.empty()) co_return answer;
    answer.code = rows.opt_text(0, "code");
    answer.outcome = outcome_of(rows.text(0, "state"), answer.code);
    answer.message = rows.opt_text(0, "message");
    const auto left = std::chrono::duration_cast<Millis>(until - parts_.clock.steady());
    if (answer.outcome != Outcome::pending || left <= Millis{0} || stopping_) co_return answer;
    // An attempt that ends as unknown may leave the record's version as it is; hence not longer
    // than this.
    co_await interest.wait(rows.integer(0, "version"), std::min(left, Millis{250}));
  }
}

asio::awaitable<std::optional<StoredRecord>> CallService::get(std::string tenant, std::int64_t call,
                                                              std::optional<std::int64_t> above,
                                                              std::chrono::milliseconds wait) {
  std::optional<StoredRecord> record = co_await read_record(parts_.pool, tenant, call);
  if (!record || !above || record->version > *above || wait <= Millis{0}) co_return record;
  const auto until = parts_.clock.steady() + wait;
  // Another one than was asked for, if that was merged.
  const std::int64_t id = record->constants.id;
  Watch::Interest interest(parts_.watch, co_await asio::this_coro::executor, id);
  for (;;) {
    record = co_await read_record(parts_.pool, tenant, id);
    if (!record || record->version > *above || stopping_) co_return record;
    const auto left = std::chrono::duration_cast<Millis>(until - parts_.clock.steady());
    if (left <= Millis{0}) co_return record;
    co_await interest.wait(record->version, left);
  }
}

asio::awaitable<std::optional<Timeline>> CallService::timeline(std::string tenant,
                                                               std::int64_t call) {
  co_return co_await read_timeline(parts_.pool, std::move(tenant), call);
}

asio::awaitable<std::optional<HangupAnswer>> CallService::hangup(std::string tenant,
                                                                 std::int64_t call,
                                                                 std::string request_id) {
  std::optional<HangupAnswer> answer =
      co_await hangups_.ask(std::move(tenant), call, std::move(request_id));
  if (answer && !answer->already_closed) {
    spawn(co_await asio::this_coro::executor, "hang-up", pursue_now(hangups_, call));
  }
  co_return answer;
}

void CallService::end_waits() {
  stopping_ = true;
  parts_.watch.wake_all();
}

}  // namespace cc
