#include "call/create.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include "agent/agent_check.hpp"
#include "fault.hpp"
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

constexpr std::string_view known_lines_sql =
    "SELECT channel, agent, coalesce(handset, '') AS handset, desired = 'online' AND actual = "
    "'online' AS online, CASE WHEN desired <> 'online' THEN 'it shall be offline' ELSE "
    "coalesce(actual, 'waiting for a daemon') || coalesce(': ' || reason, '') END AS standing "
    "FROM agent WHERE channel = ANY($3::varchar[]) AND agent = $2 AND tenant = $1 AND desired <> "
    "'deleted'";

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

constexpr std::string_view release_due_sql =
    "UPDATE claim SET released = $3 WHERE released IS NULL AND release_at <= $3 "
    "AND ((kind = 'handset' AND resource = $1) OR (kind = 'line' AND resource = $2))";

// The handset first, then the line, for everybody: so two takers can't wait for each other.
constexpr std::string_view take_claim_sql =
    "INSERT INTO claim (kind, resource, call, attempt, taken) VALUES ($1, $2, $3, 1, $4) "
    "ON CONFLICT (kind, resource) WHERE released IS NULL DO NOTHING RETURNING id";

constexpr std::string_view holder_sql =
    "SELECT c.call, c.kind, r.tenant FROM claim c JOIN call_record r ON r.id = c.call "
    "WHERE c.released IS NULL AND ((c.kind = 'handset' AND c.resource = $1) OR (c.kind = 'line' "
    "AND c.resource = $2)) "
    "ORDER BY c.kind LIMIT 1";

constexpr std::string_view insert_record_sql =
    "INSERT INTO call_record (id, tenant, direction, initiator, main_num, ext_num, caller, called, "
    "business, "
    "biz_type, biz_id, biz_data, user_id, max_duration, record, created, updated) "
    "VALUES ($1, $2, 'out', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)";

constexpr std::string_view insert_attempt_sql =
    "INSERT INTO call_attempt (call, attempt, tenant, channel, agent, handset, caller, called, "
    "state, reason, "
    "created, request_id) VALUES ($1, 1, $2, $3, $4, $5, $5, $6, 'planned', $7, $8, $9)";

constexpr std::string_view reject_sql =
    "INSERT INTO rejection (tenant, at, code, detail, request_id) VALUES ($1, $2, $3, $4, $5)";

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
    case Refusal::Code::unknown_call:
      return "unknown_call";
    case Refusal::Code::key_reused:
      return "key_reused";
  }
  return "other";
}

// Everything that makes a call, in one go; what of it must not be is seen from the answers, and
// then none of it is committed.
std::vector<pg::Statement> creation(const Parts& parts, const NewCall& request, const Line& line,
                                    std::int64_t id, std::int64_t now_ms) {
  std::vector<pg::Statement> list;
  if (request.idempotency_key) {
    list.push_back({take_key_sql, pg::params(request.tenant, *request.idempotency_key, id,
                                             pg::bytes(request.body_hash), now_ms)});
  }
  list.push_back({release_due_sql, pg::params(line.handset, line.line_resource(), now_ms)});
  list.push_back({take_claim_sql, pg::params("handset", line.handset, id, now_ms)});
  list.push_back({take_claim_sql, pg::params("line", line.line_resource(), id, now_ms)});
  list.push_back({insert_record_sql,
                  pg::params(id, request.tenant, request.initiator, request.main_num,
                             request.ext_num, line.handset, request.called, request.business,
                             request.biz_type, request.biz_id, request.biz_data, request.user,
                             request.max_duration.value_or(parts.config.default_max_duration),
                             request.record, now_ms)});
  list.push_back(
      {insert_attempt_sql, pg::params(id, request.tenant, line.channel, line.agent, line.handset,
                                      request.called, line.reason, now_ms, request.request_id)});
  return list;
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

asio::awaitable<Refusal> busy(Parts parts, NewCall request, Line line) {
  const pg::Rows holder =
      co_await parts.pool.query(holder_sql, pg::params(line.handset, line.line_resource()));
  Refusal refusal{
      Refusal::Code::line_busy, "phone " + mask_number(line.handset) + " is in another call", {}};
  if (!holder.empty() && holder.text(0, "tenant") == request.tenant) {
    refusal.busy_call = holder.integer(0, "call");
  }
  co_return refusal;
}

asio::awaitable<std::variant<Created, Refusal>> store_call(Parts parts, NewCall request,
                                                           Line line) {
  const std::int64_t now_ms = parts.clock.epoch_ms();
  bool known_key = false;
  {
    pg::Transaction transaction = co_await parts.pool.begin();
    const pg::Rows number = co_await transaction.query(next_id_sql);
    const std::int64_t id = make_call_id(now_ms, number.integer(0, "number"));
    const std::vector<pg::Rows> made =
        co_await transaction.pipeline(creation(parts, request, line, id, now_ms));
    const std::size_t at = request.idempotency_key ? 1 : 0;
    known_key = at == 1 && made[0].empty();
    const bool free = !made[at + 1].empty() && !made[at + 2].empty();
    if (!known_key && free) {
      Facts facts;
      facts.channel = line.channel;
      facts.agent = line.agent;
      facts.reason = line.reason;
      facts.request_id = request.request_id;
      NewEvents events;
      events[id].push_back(own_event(id, 1, EventName::attempt_planned, now_ms, facts));
      co_await fold_events(transaction, events, now_ms);
      // Read before the commit: once the call is stored nothing may fail any more, or the
      // application would hear that there is no call while its phone rings.
      const pg::Rows stored =
          co_await transaction.query(read_record_sql(id), pg::params(id, request.tenant));
      Created created;
      created.record = record_from_row(stored, 0);
      fault_point("call.before_create");
      co_await transaction.commit();
      fault_point("call.created");
      co_return created;
    }
  }
  if (known_key) {
    std::optional<Creation> earlier = co_await replay(parts, request);
    if (!earlier)
      throw pg::Failure("40001", "the idempotency key vanished while it was read; try again");
    co_return *std::move(earlier);
  }
  co_return co_await busy(parts, std::move(request), std::move(line));
}

/// Nothing where all open channels' lines are phones: then there is nothing to be known.
asio::awaitable<std::vector<KnownLine>> known_lines(Parts parts, NewCall request) {
  std::vector<KnownLine> known;
  const auto open = open_channels(parts.config, request.tenant);
  std::vector<std::string> codes;
  bool seats = false;
  for (const ChannelConfig* channel : open) {
    codes.push_back(channel->code);
    seats |= !line_is_phone(*channel);
  }
  if (!seats || !request.agent) co_return known;
  const pg::Rows rows = co_await parts.pool.query(
      known_lines_sql, pg::params(request.tenant, *request.agent, pg::array(codes)));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    KnownLine line;
    line.channel = rows.text(row, "channel");
    line.agent = rows.text(row, "agent");
    line.handset = rows.text(row, "handset");
    line.online = rows.opt_text(row, "online") == "t";
    line.standing = rows.text(row, "standing");
    known.push_back(std::move(line));
  }
  co_return known;
}

asio::awaitable<std::variant<Created, Refusal>> try_create(Parts parts, NewCall request) {
  // Before anything else is judged: a repeat must hear of its call, though no channel may be open
  // by now.
  if (request.idempotency_key) {
    std::optional<Creation> earlier = co_await replay(parts, request);
    if (earlier) co_return *std::move(earlier);
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
  const std::vector<KnownLine> known = co_await known_lines(parts, request);
  std::variant<Line, Refusal> choice =
      choose_line(request, open_channels(parts.config, request.tenant), known);
  if (Refusal* refusal = std::get_if<Refusal>(&choice)) co_return *refusal;
  Line line = std::get<Line>(std::move(choice));
  co_return co_await store_call(parts, std::move(request), std::move(line));
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

asio::awaitable<std::variant<Created, Refusal>> create_call(Parts parts, NewCall request) {
  const std::string tenant = request.tenant, request_id = request.request_id;
  std::variant<Created, Refusal> result = co_await try_create(parts, std::move(request));
  if (const Refusal* refusal = std::get_if<Refusal>(&result)) {
    bool cut = false;
    parts.metrics.refusals.Add({{"code", code_text(refusal->code)}}).Increment();
    co_await parts.pool.query(reject_sql,
                              pg::params(tenant, parts.clock.epoch_ms(), code_text(refusal->code),
                                         cut_to_width(refusal->detail, 256, cut), request_id));
  } else if (!std::get<Created>(result).replayed) {
    parts.metrics.calls_created.Increment();
  }
  co_return result;
}

}  // namespace cc
