#include "access/limits.hpp"

#include <algorithm>
#include <chrono>

#include <boost/asio/this_coro.hpp>

#include "record.hpp"

namespace cc {
namespace {

// A row that is not there is a full bucket. Where PostgreSQL's clock has been set back, one call
// passes and puts the bucket right.
#define CC_FILLED                                                                    \
  "least($3::float8, u.tokens + greatest(0, extract(epoch FROM clock_timestamp() - " \
  "u.refilled)::float8) * $2::float8)"

constexpr std::string_view take_sql =
    "INSERT INTO tenant_usage AS u (tenant, kind, tokens) VALUES ($1, 'rate', $3::float8 - 1) "
    "ON CONFLICT (tenant, kind) DO UPDATE SET tokens = " CC_FILLED
    " - 1, refilled = clock_timestamp() WHERE " CC_FILLED
    " >= 1 OR u.refilled > clock_timestamp() RETURNING tokens";

constexpr std::string_view give_back_sql =
    "UPDATE tenant_usage SET tokens = least($2::float8, tokens + 1) WHERE tenant = $1 AND kind = "
    "'rate'";

#undef CC_FILLED

constexpr std::string_view make_row_sql =
    "INSERT INTO tenant_usage (tenant, kind) VALUES ($1, 'open') ON CONFLICT DO NOTHING";

constexpr std::string_view lock_sql =
    "SELECT kind FROM tenant_usage WHERE tenant = $1 AND kind = 'open' FOR UPDATE";

// By the index of open calls, whose rows are few; not above the limit, and in the months that
// open calls can be of.
constexpr std::string_view count_sql =
    "SELECT count(*) AS open FROM (SELECT 1 FROM call_record WHERE tenant = $1 AND state <> "
    "'close' AND merged_into IS NULL AND id >= $2 LIMIT $3) AS calls";

// The longest call (8 h), the grace behind it, and a stream that stood still for a day: what is
// open for longer, no call holds up any more.
constexpr std::int64_t oldest_open_ms = std::int64_t{48} * 3'600'000;

int burst_of(const CallLimits& limits) {
  return limits.burst != 0 ? limits.burst : limits.calls_per_second;
}

}  // namespace

asio::awaitable<std::optional<Refusal>> take_token(pg::Pool& pool, std::string tenant,
                                                   CallLimits limits) {
  const int rate = limits.calls_per_second, burst = burst_of(limits);
  const pg::Rows taken = co_await pool.query(take_sql, pg::params(tenant, rate, burst));
  if (!taken.empty()) co_return std::nullopt;
  Refusal refusal{Refusal::Code::too_fast, {}, std::nullopt};
  refusal.detail = "more than " + std::to_string(rate) + " calls a second were asked for (" +
                   std::to_string(burst) + " at once after a pause): ask again a moment later";
  refusal.limit = rate;
  // One token at least has come by then.
  refusal.retry_after = std::chrono::milliseconds((1000 + rate - 1) / rate);
  co_return refusal;
}

asio::awaitable<void> give_token_back(pg::Pool& pool, std::string tenant, CallLimits limits) {
  co_await pool.query(give_back_sql, pg::params(tenant, burst_of(limits)));
}

asio::awaitable<std::optional<Refusal>> count_open_calls(pg::Transaction& transaction,
                                                         std::string tenant, CallLimits limits,
                                                         std::int64_t now_ms) {
  const int most = limits.concurrent_calls;
  std::vector<pg::Statement> statements;
  statements.push_back({make_row_sql, pg::params(tenant)});
  statements.push_back({lock_sql, pg::params(tenant)});
  // A statement of its own: it sees what was committed before the lock was ours.
  statements.push_back(
      {count_sql, pg::params(tenant, make_call_id(now_ms - oldest_open_ms, 0), most)});
  const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(statements));
  if (rows[2].integer(0, "open") < most) co_return std::nullopt;
  Refusal refusal{Refusal::Code::too_many, {}, std::nullopt};
  refusal.detail = "the limit of " + std::to_string(most) +
                   " calls at the same time is reached: ask again when one of them has ended";
  refusal.limit = most;
  co_return refusal;
}

struct CallGates::Waiting {
  Waiting(CallGates& its_gates, std::string its_tenant, const asio::any_io_executor& executor,
          Waiter::TimePoint deadline)
      : gates(its_gates), tenant(std::move(its_tenant)), waiter(executor, deadline) {
    gates.open_[tenant].push_back(this);
  }
  Waiting(const Waiting&) = delete;
  /// Also where the coroutine is torn down, or waits no longer.
  ~Waiting() {
    if (stage == Stage::queued) gates.open_[tenant].remove(this);
    if (stage == Stage::given) gates.leave(tenant);
  }

  CallGates& gates;
  std::string tenant;
  Waiter waiter;
  enum class Stage { queued, given, taken } stage = Stage::queued;
};

asio::awaitable<CallGates::Pass> CallGates::enter(std::string tenant, Waiter::TimePoint deadline) {
  if (open_.try_emplace(tenant).second) co_return Pass(*this, std::move(tenant));
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Waiting waiting(*this, tenant, executor, deadline);
  co_await waiting.waiter.wait();
  if (waiting.stage == Waiting::Stage::queued) {
    throw pg::Failure("57014", "too many requests of this tenant were waiting; nothing was made");
  }
  waiting.stage = Waiting::Stage::taken;
  co_return Pass(*this, std::move(tenant));
}

void CallGates::leave(const std::string& tenant) noexcept {
  const auto gate = open_.find(tenant);
  if (gate->second.empty()) {
    open_.erase(gate);
    return;
  }
  Waiting* const next = gate->second.front();
  gate->second.pop_front();
  next->stage = Waiting::Stage::given;
  next->waiter.wake();
}

}  // namespace cc
