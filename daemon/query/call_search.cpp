#include "query/call_search.hpp"

#include <algorithm>

#include "query/call_select.hpp"
#include "store/columns.hpp"

namespace cc {
namespace {

constexpr std::string_view channels_call_sql =
    "SELECT call FROM call_attempt WHERE channel = ANY($1::varchar[]) AND channel_call_id = $2";

/// What one statement found, and where the next one begins to look; nothing = there is no more.
struct Part {
  std::vector<StoredRecord> calls;
  std::optional<std::int64_t> reached;
};

void add_rows(std::vector<StoredRecord>& calls, const pg::Rows& rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) calls.push_back(record_from_row(rows, row));
}

/// All rows that are read are rows that are wanted.
asio::awaitable<Part> read_plain(pg::Pool& pool, const CallFilter& filter, Lead lead,
                                 IdWindow window, std::size_t limit) {
  const Select select = select_calls(filter, lead, window, limit, limit);
  const pg::Rows rows = co_await pool.query(select.sql, select.params);
  Part part;
  add_rows(part.calls, rows);
  co_return part;
}

/// Looks through `scan` rows. The last one of them tells how far that was, wanted or not.
asio::awaitable<Part> read_checked(pg::Pool& pool, const CallFilter& filter, Lead lead,
                                   IdWindow window, std::size_t scan, std::size_t limit) {
  const Select select = select_checked(filter, lead, window, scan, limit);
  const pg::Rows rows = co_await pool.query(select.sql, select.params);
  Part part;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (rows.integer(row, "nth") == static_cast<std::int64_t>(scan)) {
      part.reached = rows.integer(row, "id");
    }
    if (rows.boolean(row, "passes")) part.calls.push_back(record_from_row(rows, row));
  }
  co_return part;
}

/// Of `ids`, or of all where there are none, those that a channel knows by this id.
asio::awaitable<std::vector<std::int64_t>> of_channel_call(pg::Pool& pool,
                                                           std::vector<std::string> channels,
                                                           std::string channel_call,
                                                           std::vector<std::int64_t> ids) {
  const pg::Rows rows =
      co_await pool.query(channels_call_sql, pg::params(pg::array(channels), channel_call));
  std::vector<std::int64_t> found;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::int64_t call = rows.integer(row, "call");
    if (ids.empty() || std::find(ids.begin(), ids.end(), call) != ids.end()) found.push_back(call);
  }
  co_return found;
}

void sort_out_twins(std::vector<std::int64_t>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

}  // namespace

asio::awaitable<CallPage> CallSearch::page(CallFilter filter, Cursor cursor, std::size_t limit) {
  CallPage result;
  if (filter.channel_call_id) {
    std::vector<std::string> codes =
        filter.channel ? std::vector<std::string>{*filter.channel} : channels_();
    filter.ids = co_await of_channel_call(pool_, std::move(codes), *filter.channel_call_id,
                                          std::move(filter.ids));
    if (filter.ids.empty()) co_return result;
    filter.channel.reset();  // the attempt's, which may be another than the record's
  }
  sort_out_twins(filter.ids);
  IdWindow window{id_bound(filter.from_ms), std::min(cursor.last, id_bound(filter.to_ms))};
  const Lead lead = lead_of(filter);
  const bool checked = checks_rows(filter, lead);
  std::optional<ScanGate::Pass> pass;
  if (checked && gate_ != nullptr) pass.emplace(co_await gate_->enter(filter.tenant, bounds_.wait));
  const auto begun = std::chrono::steady_clock::now();
  std::optional<std::int64_t> reached;
  for (std::size_t i = 0; i < bounds_.statements && !window.empty(); ++i) {
    if (i > 0 && std::chrono::steady_clock::now() - begun >= bounds_.time) break;
    // One more tells whether there is a next page.
    const std::size_t wanted = limit + 1 - result.calls.size();
    Part part;
    if (checked) {
      part = co_await read_checked(pool_, filter, lead, window, bounds_.rows, wanted);
    } else {
      part = co_await read_plain(pool_, filter, lead, window, wanted);
    }
    std::move(part.calls.begin(), part.calls.end(), std::back_inserter(result.calls));
    reached = part.reached;
    if (!reached || result.calls.size() > limit) break;
    window.below = *reached;
  }
  if (result.calls.size() > limit) {
    result.calls.resize(limit);
    reached = result.calls.back().constants.id;
  }
  if (reached) result.next = Cursor{*reached, filter.from_ms};
  co_return result;
}

}  // namespace cc
