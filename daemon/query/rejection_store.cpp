#include "query/rejection_store.hpp"

#include <algorithm>

#include "log.hpp"
#include "phone.hpp"
#include "text.hpp"

namespace cc {
namespace {

// Rows a statement and statements a page: as with calls, see SearchBounds.
constexpr std::int64_t scan = 20'000;
constexpr int most_statements = 10;
constexpr std::chrono::milliseconds longest_scan{200};
constexpr pg::Millis longest_turn{5000};
// `at` follows `id` but for the time that an insertion takes.
constexpr std::int64_t slack_ms = 3'600'000;
// The answer waits for the row, but not for a database in trouble.
constexpr pg::Millis longest_wait{1000};

constexpr std::string_view keep_sql =
    "INSERT INTO rejection (tenant, at, code, detail, request_id, key, status, caller, called, "
    "agent, user_id, channel, business, biz_type, biz_id, call) VALUES ($1, $2, $3, $4, $5, $6, "
    "$7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

// The tenant is said twice, and the last row comes in any case, for the reasons that
// call_select.cpp gives.
constexpr std::string_view page_sql =
    "SELECT * FROM (SELECT *, (at >= $5 AND at < $6 AND ($7::varchar IS NULL OR code = $7) AND "
    "($8::varchar IS NULL OR agent = $8) AND ($9::varchar IS NULL OR user_id = $9) AND "
    "($10::varchar IS NULL OR channel = $10) AND ($11::varchar IS NULL OR biz_type = $11) AND "
    "($12::varchar IS NULL OR biz_id = $12) AND ($13::varchar IS NULL OR request_id = $13)) IS "
    "TRUE AS passes FROM (SELECT *, row_number() OVER (ORDER BY id DESC) AS nth FROM (SELECT * "
    "FROM "
    "rejection WHERE tenant = $1 AND tenant BETWEEN $1 AND $1 AND id < $2 ORDER BY id DESC LIMIT "
    "$3::bigint) s) n) r WHERE passes OR nth = $3::bigint ORDER BY id DESC LIMIT $4::bigint";

OptText cut(const OptText& text, std::size_t width) {
  if (!text) return std::nullopt;
  bool shorter = false;
  return cut_to_width(repair_utf8(*text), width, shorter);
}

Rejection rejection_from_row(const pg::Rows& rows, std::size_t row) {
  Rejection rejection;
  rejection.id = rows.integer(row, "id");
  rejection.tenant = rows.text(row, "tenant");
  rejection.key = rows.opt_text(row, "key").value_or("");
  rejection.at = rows.integer(row, "at");
  rejection.status = static_cast<int>(rows.opt_integer(row, "status").value_or(0));
  rejection.code = rows.text(row, "code");
  rejection.detail = rows.opt_text(row, "detail").value_or("");
  rejection.request_id = rows.opt_text(row, "request_id").value_or("");
  rejection.caller = rows.opt_text(row, "caller");
  rejection.called = rows.opt_text(row, "called");
  rejection.agent = rows.opt_text(row, "agent");
  rejection.user = rows.opt_text(row, "user_id");
  rejection.channel = rows.opt_text(row, "channel");
  rejection.business = rows.opt_text(row, "business");
  rejection.biz_type = rows.opt_text(row, "biz_type");
  rejection.biz_id = rows.opt_text(row, "biz_id");
  rejection.call = rows.opt_integer(row, "call");
  return rejection;
}

/// Adds what one statement finds. Returns where the next one begins; nothing = there is no more.
asio::awaitable<std::optional<std::int64_t>> read_some(pg::Pool& pool,
                                                       const RejectionFilter& filter,
                                                       std::int64_t below, std::size_t wanted,
                                                       std::vector<Rejection>& found) {
  const pg::Rows rows = co_await pool.query(
      page_sql, pg::params(filter.tenant, below, scan, static_cast<std::int64_t>(wanted),
                           filter.from_ms, filter.to_ms, filter.code, filter.agent, filter.user,
                           filter.channel, filter.biz_type, filter.biz_id, filter.request_id));
  std::optional<std::int64_t> reached;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (rows.boolean(row, "passes")) found.push_back(rejection_from_row(rows, row));
    if (rows.integer(row, "nth") < scan) continue;
    if (rows.integer(row, "at") >= filter.from_ms - slack_ms) reached = rows.integer(row, "id");
  }
  co_return reached;
}

}  // namespace

bool RejectionStore::may_write(const std::string& tenant) {
  const auto now = clock_.steady();
  const auto [found, fresh] = buckets_.try_emplace(tenant, Bucket{rate_.burst, now});
  Bucket& bucket = found->second;
  const std::chrono::duration<double> passed = now - bucket.filled;
  bucket.tokens = std::min(rate_.burst, bucket.tokens + passed.count() * rate_.per_second);
  bucket.filled = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

asio::awaitable<void> RejectionStore::keep(Rejection rejection) {
  if (!may_write(rejection.tenant)) {
    metrics_.rejections_left_out.Increment();
    co_return;
  }
  const std::int64_t at = rejection.at > 0 ? rejection.at : clock_.epoch_ms();
  try {
    co_await pool_.query(
        keep_sql,
        pg::params(rejection.tenant, at, rejection.code, cut(rejection.detail, 256),
                   cut(rejection.request_id, 64), cut(rejection.key, 64), rejection.status,
                   cut(rejection.caller, 16), cut(rejection.called, 16), cut(rejection.agent, 64),
                   cut(rejection.user, 64), cut(rejection.channel, 8), cut(rejection.business, 32),
                   cut(rejection.biz_type, 32), cut(rejection.biz_id, 64), rejection.call),
        longest_wait);
  } catch (const pg::Failure& failure) {
    metrics_.rejections_left_out.Increment();
    log().warn("request {}: its refusal ({}) could not be kept: {}", rejection.request_id,
               rejection.code, mask_numbers_in(failure.what()));
  }
}

asio::awaitable<RejectionPage> RejectionStore::page(RejectionFilter filter, std::int64_t below,
                                                    std::size_t limit) {
  RejectionPage result;
  std::optional<ScanGate::Pass> pass;
  if (gate_ != nullptr) pass.emplace(co_await gate_->enter(filter.tenant, longest_turn));
  const auto begun = std::chrono::steady_clock::now();
  std::optional<std::int64_t> reached = below;
  for (int i = 0; i < most_statements && reached; ++i) {
    if (i > 0 && std::chrono::steady_clock::now() - begun >= longest_scan) break;
    const std::size_t wanted = limit + 1 - result.rejections.size();
    reached = co_await read_some(pool_, filter, *reached, wanted, result.rejections);
    if (result.rejections.size() > limit) break;
  }
  if (result.rejections.size() > limit) {
    result.rejections.resize(limit);
    reached = result.rejections.back().id;
  }
  result.next = reached;
  co_return result;
}

}  // namespace cc
