#include "audit_trail.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "log.hpp"
#include "phone.hpp"
#include "spawn.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr std::size_t most_calls = 1000;  // of a row

constexpr std::string_view insert_sql =
    "INSERT INTO audit (at, tenant, key, action, request_id, address, calls, count, detail) "
    "SELECT CASE at WHEN 0 THEN (extract(epoch FROM clock_timestamp()) * 1000)::bigint ELSE at "
    "END, "
    "tenant, key, action, request_id, address, calls::bigint[], count, detail::jsonb "
    "FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], "
    "$7::text[], $8::bigint[], $9::text[]) "
    "AS row (at, tenant, key, action, request_id, address, calls, count, detail)";

OptText or_null(std::string text, std::size_t width) {
  if (text.empty()) return std::nullopt;
  bool cut = false;
  return cut_to_width(repair_utf8(text), width, cut);
}

std::string fit(const std::string& text, std::size_t width) {
  return or_null(text, width).value_or("");
}

/// PostgreSQL's text of an array of numbers; null for none.
OptText array_text(const std::vector<std::int64_t>& calls) {
  if (calls.empty()) return std::nullopt;
  std::string text = "{";
  for (std::size_t i = 0; i < calls.size() && i < most_calls; ++i) {
    text.append(i == 0 ? "" : ",").append(std::to_string(calls[i]));
  }
  return text + "}";
}

std::vector<std::int64_t> calls_of(std::string_view array) {
  std::vector<std::int64_t> calls;
  while (array.size() > 1) {
    array.remove_prefix(1);  // { or ,
    const auto number = array.substr(0, array.find_first_of(",}"));
    if (const auto call = parse_integer(number)) calls.push_back(*call);
    array.remove_prefix(number.size());
  }
  return calls;
}

pg::Params columns_of(const std::vector<const AuditEntry*>& entries) {
  std::vector<std::int64_t> at, count;
  std::vector<std::string> tenant, key, action;
  std::vector<OptText> request_id, address, calls, detail;
  for (const AuditEntry* entry : entries) {
    at.push_back(entry->at);
    tenant.push_back(fit(entry->tenant, 32));
    key.push_back(fit(entry->key, 96));
    action.push_back(fit(entry->action, 32));
    request_id.push_back(or_null(entry->request_id, 64));
    address.push_back(or_null(entry->address, 64));
    calls.push_back(array_text(entry->calls));
    count.push_back(entry->count);
    detail.push_back(entry->detail.empty() ? OptText() : OptText(entry->detail));
  }
  return pg::params(pg::array(at), pg::array(tenant), pg::array(key), pg::array(action),
                    pg::array(request_id), pg::array(address), pg::array(calls), pg::array(count),
                    pg::array(detail));
}

/// The rows of a filter, newest first. Rows are numbered nearly in the order of their moments, so
/// the window is turned into bounds of the number: the index of a tenant's rows is read from the
/// one to the other, and no further.
pg::Statement page_statement(const AuditFilter& filter, std::int64_t below, std::size_t limit,
                             std::string& sql) {
  pg::Params params;
  const auto next = [&](pg::Param value) {
    params.push_back(std::move(value));
    return "$" + std::to_string(params.size());
  };
  // PostgreSQL stamps the rows; it may have been set back a little, or a row's transaction stood.
  constexpr std::int64_t out_of_order_ms = 600'000;
  // `=` alone would be judged by how many values there are: a generic plan would rather read all
  // rows in the order of their numbers than use the index. Said twice, it is taken for few.
  const auto equals = [&](const char* column, const std::string& value) {
    const std::string place = next(value);
    sql += std::string(" AND ") + column + " = " + place + " AND " + column + " BETWEEN " + place +
           " AND " + place;
  };
  const std::string columns =
      "id, at, tenant, key, action, request_id, address, calls, count, detail";
  // The rows of one call are few, and found before anything else is asked of them; said twice here
  // too.
  const std::string source = filter.call ? "found" : "audit";
  sql.clear();
  if (filter.call) {
    const std::string call = "ARRAY[" + next(*filter.call) + "::bigint]";
    sql = "WITH found AS MATERIALIZED (SELECT " + columns + " FROM audit WHERE calls @> " + call +
          " AND calls && " + call + ") ";
  }
  sql +=
      "SELECT id, at, key, action, request_id, address, calls::text AS calls, count, "
      "detail::text AS detail FROM " +
      source + " WHERE id < ";
  sql += next(below) + "::bigint";
  equals("tenant", filter.tenant);
  if (filter.from_ms > 0) {
    sql += " AND at >= " + next(filter.from_ms) +
           "::bigint AND id > coalesce((SELECT id FROM audit WHERE at < " +
           next(filter.from_ms - out_of_order_ms) + "::bigint ORDER BY at DESC LIMIT 1), 0)";
  }
  if (filter.to_ms < INT64_MAX - out_of_order_ms) {
    sql += " AND at < " + next(filter.to_ms) +
           "::bigint AND id < coalesce((SELECT id FROM audit WHERE at > " +
           next(filter.to_ms + out_of_order_ms) +
           "::bigint ORDER BY at LIMIT 1), 9223372036854775807)";
  }
  if (filter.key) equals("key", *filter.key);
  if (filter.action) equals("action", *filter.action);
  if (filter.request_id) equals("request_id", *filter.request_id);
  sql += " ORDER BY id DESC LIMIT " + next(static_cast<std::int64_t>(limit)) + "::bigint";
  return {sql, std::move(params)};
}

/// The same key from another address is somebody else.
std::string who(const AuditEntry& entry) {
  return entry.key + ' ' + entry.address;
}

AuditEntry read_entry(const pg::Rows& rows, std::size_t row, const std::string& tenant) {
  AuditEntry entry;
  entry.id = rows.integer(row, "id");
  entry.at = rows.integer(row, "at");
  entry.tenant = tenant;
  entry.key = rows.text(row, "key");
  entry.action = rows.text(row, "action");
  entry.request_id = rows.opt_text(row, "request_id").value_or("");
  entry.address = rows.opt_text(row, "address").value_or("");
  entry.calls = calls_of(rows.opt_text(row, "calls").value_or(""));
  entry.count = rows.integer(row, "count");
  entry.detail = rows.opt_text(row, "detail").value_or("");
  return entry;
}

}  // namespace

/// One who waits. Shared by keep() and whoever writes.
struct StoredAuditTrail::Ticket {
  Ticket(const asio::any_io_executor& executor, AuditEntry its_entry)
      : entry(std::move(its_entry)), wake(executor) {}

  AuditEntry entry;
  asio::steady_timer wake;  // cancelled when it is settled
  bool settled = false;
  std::optional<pg::Failure> failure;
};

StoredAuditTrail::StoredAuditTrail(asio::any_io_executor executor, pg::Pool& pool,
                                   const Clock& clock, Metrics& metrics, Limits limits)
    : executor_(std::move(executor)),
      pool_(pool),
      clock_(clock),
      metrics_(metrics),
      limits_(limits),
      shown_(limits.remembered, limits.most_remembered) {}

StoredAuditTrail::StoredAuditTrail(asio::any_io_executor executor, pg::Pool& pool,
                                   const Clock& clock, Metrics& metrics)
    : StoredAuditTrail(std::move(executor), pool, clock, metrics, Limits()) {}

StoredAuditTrail::~StoredAuditTrail() = default;

asio::awaitable<void> StoredAuditTrail::keep(AuditEntry entry) {
  if (waiting_.size() >= limits_.waiting) {
    metrics_.audit_failures.Increment();
    throw pg::Failure("53400", "too many rows of the audit trail wait to be written");
  }
  const auto ticket = std::make_shared<Ticket>(executor_, std::move(entry));
  waiting_.push_back(ticket);
  metrics_.audit_waiting.Increment();
  ticket->wake.expires_after(limits_.deadline);
  if (!writing_) {
    writing_ = true;
    spawn(executor_, "audit trail", write_all());
  }
  co_await ticket->wake.async_wait(asio::as_tuple(asio::use_awaitable));
  metrics_.audit_waiting.Decrement();
  if (!ticket->settled) {
    std::erase(waiting_, ticket);  // where it is not being written already
    ticket->failure.emplace("57014", "the audit trail's row was not committed in time");
  }
  if (ticket->failure) {
    metrics_.audit_failures.Increment();
    throw pg::Failure(*ticket->failure);
  }
}

std::vector<std::shared_ptr<StoredAuditTrail::Ticket>> StoredAuditTrail::next_batch() {
  std::vector<std::shared_ptr<Ticket>> batch;
  while (!waiting_.empty() && batch.size() < limits_.batch) {
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return batch;
}

/// One transaction after the other, until nobody waits.
asio::awaitable<void> StoredAuditTrail::write_all() {
  while (true) {
    const std::vector<std::shared_ptr<Ticket>> batch = next_batch();
    if (batch.empty()) break;
    std::vector<const AuditEntry*> entries;
    for (const auto& ticket : batch) entries.push_back(&ticket->entry);
    std::optional<pg::Failure> failure;
    try {
      co_await pool_.query(insert_sql, columns_of(entries), limits_.deadline);
      metrics_.audit_batches.Increment();
      metrics_.audit_rows.Increment(static_cast<double>(batch.size()));
    } catch (const pg::Failure& thrown) {
      failure = thrown;
    }
    if (failure) log().error("audit trail: {} rows not kept: {}", batch.size(), failure->what());
    for (const auto& ticket : batch) {
      ticket->settled = true;
      ticket->failure = failure;
      ticket->wake.cancel();
    }
  }
  writing_ = false;
}

asio::awaitable<void> StoredAuditTrail::shown(AuditEntry entry) {
  const std::size_t named = entry.calls.size();
  entry.calls = shown_.fresh(entry.tenant, who(entry), std::move(entry.calls), clock_.steady());
  const auto left_out = static_cast<std::int64_t>(named - entry.calls.size());
  entry.count = std::max(entry.count - left_out, static_cast<std::int64_t>(entry.calls.size()));
  if (entry.count == 0) co_return;
  const std::string tenant = entry.tenant, key = who(entry);
  const std::vector<std::int64_t> calls = entry.calls;
  auto keeping = keep(std::move(entry));
  co_await std::move(keeping);
  shown_.remember(tenant, key, calls, clock_.steady());
}

asio::awaitable<AuditPage> StoredAuditTrail::page(AuditFilter filter, std::int64_t below,
                                                  std::size_t limit) {
  std::string sql;
  pg::Statement statement = page_statement(filter, below, limit + 1, sql);
  const pg::Rows rows = co_await pool_.query(sql, std::move(statement.params));
  AuditPage page;
  for (std::size_t row = 0; row < rows.size() && row < limit; ++row) {
    page.entries.push_back(read_entry(rows, row, filter.tenant));
  }
  if (rows.size() > limit) page.next = page.entries.back().id;
  co_return page;
}

}  // namespace cc
