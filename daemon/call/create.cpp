#include "call/create.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include "call/booking.hpp"
#include "call/display.hpp"
#include "call/failover.hpp"
#include "call/survey.hpp"
#include "call/wish.hpp"
#include "fault.hpp"
#include "io/backoff.hpp"
#include "log.hpp"
#include "phone.hpp"
#include "store/columns.hpp"
#include "store/record_store.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr std::string_view next_id_sql = "SELECT nextval('call_id_sequence') AS number";

constexpr std::string_view customer_sql =
    "SELECT CASE direction WHEN 'in' THEN caller ELSE called END AS customer "
    "FROM call_record WHERE id = $1 AND tenant = $2";

// Waits for the end of a transaction that is inserting the same key.
constexpr std::string_view take_key_sql =
    "INSERT INTO idempotency_key (tenant, key, call, body_hash, created) VALUES ($1, $2, $3, $4, "
    "$5) "
    "ON CONFLICT (tenant, key) DO UPDATE SET call = excluded.call, body_hash = excluded.body_hash, "
    "created = excluded.created WHERE idempotency_key.created < excluded.created - 86400000 "
    "RETURNING call";

constexpr std::string_view find_key_sql =
    "SELECT call, body_hash FROM idempotency_key WHERE tenant = $1 AND key = $2 AND created >= "
    "$3::bigint - 86400000";

// With the agent that the fold will give it: an indexed column that changed would have every index
// written twice.
constexpr std::string_view insert_record_sql =
    "INSERT INTO call_record (id, tenant, direction, initiator, main_num, ext_num, caller, called, "
    "business, "
    "biz_type, biz_id, biz_data, user_id, max_duration, record, display_requested, created, "
    "updated, agent) "
    "VALUES ($1, $2, 'out', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, "
    "$17)";

/// From the month's own partition: a plan over all of them would lock each at every GET, more with
/// every month that is kept. The names are cc_make_partitions'.
const std::string& read_record_sql(std::int64_t call) {
  using namespace std::chrono;
  static std::map<int, std::string> texts;  // by month, as 202606: eighty years at most
  const std::int64_t ms = std::max(call_id_time_ms(call), id_epoch_ms);
  const year_month_day date{floor<days>(sys_time<milliseconds>(milliseconds(ms)))};
  const int month = int(date.year()) * 100 + static_cast<int>(unsigned(date.month()));
  std::string& text = texts[month];
  if (text.empty()) {
    text = "SELECT " + record_columns() + ", merged_into FROM call_record_" +
           std::to_string(month) + " WHERE id = $1 AND (tenant = $2 OR $2 = '')";
  }
  return text;
}

// From a request's validation to its commit; applications mostly wait for longer.
constexpr Millis longest_request{5000};

constexpr std::string_view undefined_table = "42P01";

const char* code_text(Refusal::Code code) {
  switch (code) {
    case Refusal::Code::no_line:
      return "no_line";
    case Refusal::Code::unknown_channel:
      return "unknown_channel";
    case Refusal::Code::no_channel:
      return "no_channel";
    case Refusal::Code::line_offline:
      return "line_offline";
    case Refusal::Code::line_busy:
      return "line_busy";
    case Refusal::Code::unable:
      return "unable";
    case Refusal::Code::no_main_number:
      return "no_main_number";
    case Refusal::Code::unknown_call:
      return "unknown_call";
    case Refusal::Code::key_reused:
      return "key_reused";
    case Refusal::Code::too_fast:
      return "too_fast";
    case Refusal::Code::too_many:
      return "too_many";
    case Refusal::Code::own_number:
      return "own_number";
  }
  return "other";
}

using Creation = std::variant<Created, Refusal>;

/// What an earlier request with this key made, or nothing if there was none within 24 hours.
asio::awaitable<std::optional<Creation>> replay(Parts parts, NewCall request) {
  const pg::Rows key = co_await parts.pool.query(
      find_key_sql, pg::params(request.tenant, *request.idempotency_key, parts.clock.epoch_ms()));
  if (key.empty()) co_return std::nullopt;
  if (key.bytes(0, "body_hash") != request.body_hash) {
    Refusal refusal{
        Refusal::Code::key_reused,
        "this Idempotency-Key came with another body within the last 24 hours: use a new key for a "
        "new call",
        std::nullopt};
    co_return Creation(std::move(refusal));
  }
  const std::int64_t call = key.integer(0, "call");
  std::optional<StoredRecord> record = co_await read_record(parts.pool, request.tenant, call);
  if (!record) throw pg::Failure("40001", "the idempotency key's call is not there any more");
  Created created;
  created.record = *std::move(record);
  created.replayed = true;
  co_return Creation(std::move(created));
}

// Somebody wants a line that is in a call: if the channel has lost that call's end, asking about it
// frees the line. Asked at most once a minute; a call heard of just now is left alone.
constexpr std::string_view ask_for_sql =
    "UPDATE call_attempt a SET query_asked = $3::bigint, query_due = least(a.query_due, "
    "$3::bigint) WHERE call = $1 AND attempt = $2 AND channel_call_id IS NOT NULL "
    "AND sent < $3::bigint - 60000 AND (query_asked IS NULL OR query_asked < $3::bigint - 60000) "
    "AND NOT EXISTS (SELECT 1 FROM call_event e WHERE e.call = $1 AND e.source <> 'cc' AND "
    "e.received > $3::bigint - 60000)";

/// Why none of the lines could be had, and what is done about it.
asio::awaitable<Refusal> busy(Parts parts, NewCall request, Line line, std::int64_t now_ms) {
  const pg::Statement asks = find_holder(line);
  const pg::Rows holder = co_await parts.pool.query(asks.sql, asks.params);
  Refusal refusal{
      Refusal::Code::line_busy, "phone " + mask_number(line.handset) + " is in another call", {}};
  if (holder.empty()) co_return refusal;
  if (holder.text(0, "tenant") == request.tenant) refusal.busy_call = holder.integer(0, "call");
  co_await parts.pool.query(
      ask_for_sql, pg::params(holder.integer(0, "call"), holder.integer(0, "attempt"), now_ms));
  co_return refusal;
}

pg::Statement insert_record(const Parts& parts, const NewCall& request, const Booking& booking,
                            const Display& display) {
  return {insert_record_sql,
          pg::params(booking.call, request.tenant, request.initiator, request.main_num,
                     request.ext_num, booking.line.handset, request.called, request.business,
                     request.biz_type, request.biz_id, request.biz_data, request.user,
                     request.max_duration.value_or(parts.config.default_max_duration),
                     request.record, to_text(display), booking.now_ms, booking.line.agent)};
}

NewEvents planned(const Booking& booking) {
  Facts facts;
  facts.channel = booking.line.channel;
  facts.agent = booking.line.agent;
  facts.reason = booking.line.reason;
  facts.request_id = booking.request_id;
  NewEvents events;
  events[booking.call].push_back(
      own_event(booking.call, booking.attempt, EventName::attempt_planned, booking.now_ms, facts));
  return events;
}

/// What the tenant's settings say of this call.
struct Terms {
  Display display;
  CallLimits limits;
};

/// One try to store the call: the answer, or nothing where it is to be tried again: others were
/// quicker at every line. `replays`: the key was taken by somebody else meanwhile, or (with a
/// result) may have been.
struct Try {
  std::optional<Creation> result;
  bool replays = false;
  std::optional<Line> wanted;  // that could not be had
};

asio::awaitable<Try> try_once(Parts parts, CallGates& gates, NewCall request, Terms terms,
                              std::chrono::steady_clock::time_point begun) {
  const std::int64_t now_ms = parts.clock.epoch_ms();
  const bool counted = terms.limits.concurrent_calls != 0;
  Try outcome;
  std::optional<CallGates::Pass> pass;  // goes behind the transaction
  if (counted) pass.emplace(co_await gates.enter(request.tenant, begun + longest_request));
  pg::Transaction transaction = co_await parts.pool.begin();
  if (counted) {
    std::optional<Refusal> refusal =
        co_await count_open_calls(transaction, request.tenant, terms.limits, now_ms);
    if (refusal) {
      outcome.result = *std::move(refusal);
      // By a request with the same key, which held the lock before.
      outcome.replays = request.idempotency_key.has_value();
      co_return outcome;
    }
  }
  const pg::Rows number = co_await transaction.query(next_id_sql);
  Booking booking;
  booking.call = make_call_id(now_ms, number.integer(0, "number"));
  booking.tenant = request.tenant;
  booking.called = request.called;
  booking.wish = wish_of(request);
  booking.request_id = request.request_id;
  booking.now_ms = now_ms;
  booking.send_by_ms = now_ms + attempt_window_ms;
  Found found = co_await find_lines(transaction, parts, request, needs_of(request, terms.display),
                                    {}, now_ms);
  std::vector<Line> lines;
  if (Refusal* refusal = std::get_if<Refusal>(&found.choice)) {
    if (!found.contended) outcome.result = *std::move(refusal);
    co_return outcome;
  }
  lines = with_last_resorts(std::get<std::vector<Line>>(std::move(found.choice)));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    booking.line = std::move(lines[i]);
    std::vector<pg::Statement> statements;
    if (i > 0) statements.push_back({"ROLLBACK TO SAVEPOINT line"});
    if (request.idempotency_key && i == 0) {
      statements.push_back(
          {take_key_sql, pg::params(request.tenant, *request.idempotency_key, booking.call,
                                    pg::bytes(request.body_hash), now_ms)});
    }
    if (i == 0) statements.push_back({"SAVEPOINT line"});
    const std::size_t from = statements.size();
    for (pg::Statement& statement : take_line(booking)) statements.push_back(std::move(statement));
    statements.push_back(insert_record(parts, request, booking, terms.display));
    for (pg::Statement& statement : write_attempt(booking)) {
      statements.push_back(std::move(statement));
    }
    const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(statements));
    if (request.idempotency_key && i == 0 && rows[0].empty()) {
      outcome.replays = true;
      co_return outcome;
    }
    if (!line_taken(booking, rows, from)) {
      if (!outcome.wanted) outcome.wanted = booking.line;
      continue;
    }
    const NewEvents events = planned(booking);
    co_await fold_events(transaction, events, now_ms);
    // Read before the commit: once the call is stored nothing may fail any more, or the
    // application would hear that there is no call while its phone rings.
    const pg::Rows stored = co_await transaction.query(read_record_sql(booking.call),
                                                       pg::params(booking.call, request.tenant));
    Created created;
    created.record = record_from_row(stored, 0);
    created.notice = booking.line.notice;
    fault_point("call.before_create");
    // Where this process was stopped, or PostgreSQL slow: the application may have given up, and
    // been answered by another daemon meanwhile. Then nobody's phone may ring for this request.
    if (parts.clock.steady() - begun > longest_request) {
      throw pg::Failure("57014", "the request stood too long; nothing was made of it");
    }
    co_await transaction.commit();
    fault_point("call.created");
    outcome.result = std::move(created);
    co_return outcome;
  }
  co_return outcome;
}

asio::awaitable<Creation> store_call(Parts parts, CallGates& gates, NewCall request, Terms terms) {
  // Others may be quicker at a line of the pool: then there is another one, or none is left.
  constexpr int most_tries = 8;
  Backoff backoff(Millis{2}, Millis{50});
  const auto begun = parts.clock.steady();
  std::optional<Line> wanted;
  for (int i = 0; i < most_tries; ++i) {
    Try outcome = co_await try_once(parts, gates, request, terms, begun);
    if (outcome.result && !outcome.replays) co_return *std::move(outcome.result);
    if (outcome.replays) {
      std::optional<Creation> earlier = co_await replay(parts, request);
      if (!earlier && outcome.result) co_return *std::move(outcome.result);
      if (!earlier) {
        throw pg::Failure("40001", "the idempotency key vanished while it was read; try again");
      }
      // A repeat takes no token; that it is one shows only now.
      if (terms.limits.calls_per_second != 0) {
        co_await give_token_back(parts.pool, request.tenant, terms.limits);
      }
      co_return *std::move(earlier);
    }
    if (outcome.wanted) wanted = std::move(outcome.wanted);
    // A named or bound line stays taken; only the pool's may be others the next time.
    if (request.agent || (request.caller && wanted)) break;
    co_await parts.clock.sleep_for(backoff.next());
  }
  if (wanted) {
    Refusal refusal =
        co_await busy(parts, std::move(request), *std::move(wanted), parts.clock.epoch_ms());
    co_return Creation(std::move(refusal));
  }
  Refusal refusal{Refusal::Code::line_busy, "all lines of the pool are in calls", {}};
  co_return Creation(std::move(refusal));
}

asio::awaitable<std::variant<Created, Refusal>> try_create(Parts parts, CallGates& gates,
                                                           NewCall request) {
  // Before anything else is judged: a repeat must hear of its call, though no channel may be open
  // by now.
  if (request.idempotency_key) {
    std::optional<Creation> earlier = co_await replay(parts, request);
    if (earlier) co_return *std::move(earlier);
  }
  Terms terms;
  const auto tenant = parts.config.tenants.find(request.tenant);
  if (tenant != parts.config.tenants.end()) {
    terms.display = display_for(tenant->second, request.business, request.initiator);
    terms.limits = tenant->second.limits;
  }
  const Display& display = terms.display;
  if (terms.limits.calls_per_second != 0) {
    std::optional<Refusal> refusal = co_await take_token(parts.pool, request.tenant, terms.limits);
    if (refusal) co_return *std::move(refusal);
  }
  if (request.called_of) {
    const pg::Rows rows =
        co_await parts.pool.query(customer_sql, pg::params(*request.called_of, request.tenant));
    if (rows.empty() || rows.is_null(0, "customer")) {
      co_return Refusal{Refusal::Code::unknown_call,
                        "called.callId names no call of yours that has a customer's number",
                        std::nullopt};
    }
    request.called = rows.text(0, "customer");
  }
  if ((display.hide_customer || display.hide_agent) && !request.main_num) {
    co_return Refusal{Refusal::Code::no_main_number,
                      std::string("is required: by the display policy ") +
                          (display.hide_customer ? "the agent" : "the customer") +
                          " sees it instead of the other's number, and the tenant has no default",
                      std::nullopt};
  }
  co_return co_await store_call(parts, gates, std::move(request), terms);
}

}  // namespace

asio::awaitable<std::optional<StoredRecord>> read_record(pg::Pool& pool, std::string tenant,
                                                         std::int64_t call) {
  // A month that was never made, or has served its time, holds no call.
  try {
    pg::Rows rows = co_await pool.query(read_record_sql(call), pg::params(call, tenant));
    if (rows.empty()) co_return std::nullopt;
    if (const auto survivor = rows.opt_integer(0, "merged_into")) {
      rows = co_await pool.query(read_record_sql(*survivor), pg::params(*survivor, tenant));
      if (rows.empty()) co_return std::nullopt;
    }
    co_return record_from_row(rows, 0);
  } catch (const pg::Failure& failure) {
    if (failure.sqlstate != undefined_table) throw;
  }
  co_return std::nullopt;
}

asio::awaitable<std::variant<Created, Refusal>> create_call(Parts parts, CallGates& gates,
                                                            NewCall request) {
  std::variant<Created, Refusal> result = co_await try_create(parts, gates, std::move(request));
  if (const Refusal* refusal = std::get_if<Refusal>(&result)) {
    parts.metrics.refusals.Add({{"code", code_text(refusal->code)}}).Increment();
  } else if (!std::get<Created>(result).replayed) {
    parts.metrics.calls_created.Increment();
  }
  co_return result;
}

}  // namespace cc
