#include "store/rebuild.hpp"

#include <algorithm>
#include <ctime>
#include <map>
#include <vector>

#include "fold.hpp"
#include "store/columns.hpp"
#include "store/history.hpp"
#include "store/rebuild_raw.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr std::size_t page = 200;  // calls; with their bytes fewer, for those may be large
constexpr std::size_t raw_page = 20;
// The last time that an id can hold: in 2089.
constexpr std::int64_t last_id_ms = id_epoch_ms + (std::int64_t{1} << 41) - 1;

// Record and history must be of one moment, or a call under way would seem to differ.
constexpr std::string_view snapshot_sql =
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";

std::string records_sql() {
  return "SELECT " + record_columns() +
         " FROM call_record WHERE id BETWEEN $1 AND $2 AND merged_into IS NULL ORDER BY id LIMIT "
         "$3::int";
}

constexpr std::string_view history_sql =
    "SELECT call, event_key, attempt, source, name, received, channel_time, facts, "
    "CASE WHEN $4::boolean THEN raw END AS raw FROM call_event "
    "WHERE call = ANY($1::bigint[]) AND call BETWEEN $2 AND $3";

constexpr std::string_view lock_sql = "SELECT id FROM call_record WHERE id = $1 FOR UPDATE";

using Histories = std::map<std::int64_t, std::vector<RawEvent>>;

struct Page {
  std::vector<StoredRecord> records;
  Histories histories;
};

std::size_t page_of(const RebuildOptions& options) {
  return options.from_raw ? raw_page : page;
}

asio::awaitable<Page> read_page(pg::Pool& pool, RebuildOptions options) {
  static const std::string sql = records_sql();
  Page result;
  pg::Transaction transaction = co_await pool.begin();
  co_await transaction.query(snapshot_sql);
  const pg::Rows rows = co_await transaction.query(
      sql, pg::params(options.from, options.to, static_cast<std::int64_t>(page_of(options))));
  std::vector<std::int64_t> ids;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    result.records.push_back(record_from_row(rows, row));
    ids.push_back(result.records.back().constants.id);
  }
  if (ids.empty()) co_return result;
  const pg::Rows events = co_await transaction.query(
      history_sql, pg::params(pg::array(ids), ids.front(), ids.back(), options.from_raw));
  for (std::size_t row = 0; row < events.size(); ++row) {
    RawEvent item;
    item.event = event_from_row(events, row);
    if (!events.is_null(row, "raw")) item.raw = events.bytes(row, "raw");
    result.histories[events.integer(row, "call")].push_back(std::move(item));
  }
  co_return result;
}

std::vector<Event> events_of(const std::vector<RawEvent>& history) {
  std::vector<Event> events;
  events.reserve(history.size());
  for (const RawEvent& item : history) events.push_back(item.event);
  return events;
}

/// Returns how many columns differ.
std::size_t compare(const StoredRecord& stored, const Folded& folded,
                    const std::function<void(const FieldDifference&)>& tell) {
  std::size_t differing = 0;
  for (const FoldedColumn& column : folded_columns()) {
    FieldDifference difference{stored.constants.id, column.name, column.get(stored.folded),
                               column.get(folded)};
    if (difference.stored == difference.folded) continue;
    ++differing;
    tell(difference);
  }
  return differing;
}

/// The fold is the drain's own: it reads the history again under the record's lock.
asio::awaitable<bool> write_one(pg::Pool& pool, std::int64_t call, std::vector<RawEvent> reread,
                                std::int64_t now_ms) {
  pg::Transaction transaction = co_await pool.begin();
  const pg::Rows locked = co_await transaction.query(lock_sql, pg::params(call));
  if (locked.empty()) co_return false;
  if (!reread.empty()) {
    const pg::Statement store = store_reread(call, reread);
    co_await transaction.query(store.sql, store.params);
  }
  NewEvents events;
  events[call] = {};
  const FoldReport report = co_await fold_events(transaction, events, now_ms);
  co_await transaction.commit();
  co_return !report.changed.empty() || !reread.empty();
}

std::optional<std::int64_t> day_start_ms(std::string_view text, int days_later) {
  std::tm parts{};
  const std::string date(text);
  const char* end = ::strptime(date.c_str(), "%Y-%m-%d", &parts);
  if (end == nullptr || *end != '\0' || date.size() != 10) return std::nullopt;
  const int day = parts.tm_mday;
  const std::time_t seconds = ::timegm(&parts);
  if (parts.tm_mday != day) return std::nullopt;  // the 31st of a month that has none
  return (std::int64_t{seconds} + std::int64_t{days_later} * 86'400) * 1000;
}

}  // namespace

Result<RebuildOptions> parse_range(std::string_view text) {
  const Error wrong{"the range must be FROM..TO, each a date like 2026-03-01 or a call's id"};
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) return wrong;
  const std::string_view from = text.substr(0, dots), to = text.substr(dots + 2);
  const auto end_of = [](std::string_view word, bool last) -> std::optional<std::int64_t> {
    if (const auto ms = day_start_ms(word, last ? 1 : 0)) {
      const std::int64_t id = make_call_id(std::clamp(*ms, id_epoch_ms, last_id_ms), 0);
      return last ? id - 1 : id;
    }
    const auto id = parse_integer(word);
    if (!id || *id < 0) return std::nullopt;
    return id;
  };
  RebuildOptions options;
  const auto first = end_of(from, false), last = end_of(to, true);
  if (!first || !last) return wrong;
  if (*first > *last) return Error{"the range's end is before its beginning"};
  options.from = *first;
  options.to = *last;
  return options;
}

asio::awaitable<RebuildReport> rebuild(pg::Pool& pool, const Channels& channels,
                                       RebuildOptions options, std::int64_t now_ms,
                                       std::function<void(const FieldDifference&)> tell) {
  RebuildReport report;
  for (;;) {
    Page now = co_await read_page(pool, options);
    for (const StoredRecord& stored : now.records) {
      const std::int64_t call = stored.constants.id;
      ++report.calls;
      std::vector<RawEvent>& history = now.histories[call];
      if (history.empty()) {
        ++report.no_history;
        continue;
      }
      std::vector<RawEvent> reread;
      if (options.from_raw) {
        Reread again = read_raw_again(stored, history, channels);
        report.unreadable += again.unreadable;
        reread = std::move(again.changed);
        history = std::move(again.history);
        for (const RawEvent& item : reread) {
          tell({call, "events", std::nullopt, std::string(to_text(item.event.name))});
        }
      }
      const Folded folded = fold(stored.constants, events_of(history));
      const std::size_t fields = compare(stored, folded, tell);
      if (fields == 0 && reread.empty()) continue;
      ++report.differing;
      if (!options.write) continue;
      const bool written = co_await write_one(pool, call, std::move(reread), now_ms);
      if (written) ++report.written;
    }
    if (now.records.size() < page_of(options)) break;
    const std::int64_t last = now.records.back().constants.id;
    if (last >= options.to) break;
    options.from = last + 1;
  }
  co_return report;
}

}  // namespace cc
