#include "agent/line_release.hpp"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/agent_check.hpp"
#include "agent/agent_store.hpp"
#include "call/settle.hpp"
#include "store/record_store.hpp"

namespace cc {
namespace {

// A claim that is due counts for nothing: the next taker releases it.
constexpr std::string_view holder_sql =
    "SELECT c.call, c.attempt, coalesce(t.tenant = $2, false) AS own FROM claim c "
    "LEFT JOIN call_attempt t ON t.call = c.call AND t.attempt = c.attempt "
    "WHERE c.kind = 'line' AND c.resource = $1 AND c.released IS NULL "
    "AND (c.release_at IS NULL OR c.release_at > $3::bigint)";

constexpr std::string_view free_sql =
    "UPDATE claim SET released = $3::bigint WHERE call = $1::bigint AND attempt = $2::smallint "
    "AND released IS NULL";

constexpr std::string_view ask_sql =
    "UPDATE call_attempt SET query_asked = $3::bigint, query_due = $3::bigint "
    "WHERE call = $1::bigint AND attempt = $2::smallint AND channel_call_id IS NOT NULL";

// How often this was done to the call before: each time is an event of its own.
constexpr std::string_view ordinal_sql =
    "SELECT count(*) AS before FROM call_event WHERE call = $1::bigint AND name = 'line.released'";

struct Holder {
  std::int64_t call = 0;
  std::int64_t attempt = 0;
  bool own = false;  // the tenant's
};

std::optional<Holder> holder_from_rows(const pg::Rows& rows) {
  if (rows.empty()) return std::nullopt;
  return Holder{rows.integer(0, "call"), rows.integer(0, "attempt"), rows.boolean(0, "own")};
}

AgentRefusal refuse(AgentRefusal::Code code, std::string detail) {
  return {code, "agent", std::move(detail), std::nullopt};
}

/// Takes everything from the call that it holds on this attempt.
asio::awaitable<void> free_holder(pg::Transaction& transaction, Holder holder, ReleaseOrder order,
                                  std::int64_t now_ms) {
  std::vector<pg::Statement> statements;
  statements.push_back({free_sql, pg::params(holder.call, holder.attempt, now_ms)});
  statements.push_back({ask_sql, pg::params(holder.call, holder.attempt, now_ms)});
  statements.push_back({ordinal_sql, pg::params(holder.call)});
  const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(statements));
  const auto ordinal = static_cast<std::uint16_t>(rows[2].integer(0, "before"));
  Facts facts;
  facts.reason = std::move(order.reason);
  facts.request_id = std::move(order.request_id);
  NewEvents events;
  events[holder.call].push_back(own_event(holder.call, static_cast<int>(holder.attempt),
                                          EventName::line_released, now_ms, std::move(facts),
                                          ordinal));
  co_await fold_events(transaction, events, now_ms);
}

}  // namespace

asio::awaitable<std::variant<Release, AgentRefusal>> release_line(pg::Transaction& transaction,
                                                                  ReleaseOrder order,
                                                                  std::int64_t now_ms) {
  const std::string line = shown_line(order.channel, order.agent);
  const std::string resource = order.channel + "/" + order.agent;
  pg::Rows rows =
      co_await transaction.query(holder_sql, pg::params(resource, order.tenant, now_ms));
  std::optional<Holder> holder = holder_from_rows(rows);
  if (holder && holder->own) {
    // The record first, as everywhere; by then the line may be free, or another call's.
    std::vector<pg::Statement> statements;
    statements.push_back({lock_record_sql, pg::params(holder->call)});
    statements.push_back({holder_sql, pg::params(resource, order.tenant, now_ms)});
    const std::vector<pg::Rows> locked = co_await transaction.pipeline(std::move(statements));
    const std::optional<Holder> still = holder_from_rows(locked[1]);
    const bool same = still && still->call == holder->call;
    holder = same ? still : std::nullopt;
  }
  const pg::Statement find = find_agent(order.tenant, order.channel, order.agent, now_ms);
  rows = co_await transaction.query(find.sql, find.params);
  const bool known = !rows.empty();
  if (!known && !(holder && holder->own)) {
    co_return refuse(AgentRefusal::Code::not_found, "there is no line " + line);
  }
  if (holder && !holder->own) {
    co_return refuse(AgentRefusal::Code::line_busy,
                     "the line " + line + " is held by a call of another tenant");
  }
  Release release;
  if (known) release.agent = agents_from_rows(rows).front();
  release.agent.channel = order.channel;
  release.agent.agent = order.agent;
  release.agent.tenant = order.tenant;
  release.agent.call.reset();
  if (holder) {
    release.call = holder->call;
    co_await free_holder(transaction, *holder, std::move(order), now_ms);
  }
  co_return release;
}

}  // namespace cc
