#include "dispatch/letter_store.hpp"

#include <string_view>

#include "text.hpp"

namespace cc {
namespace {

// A letter that came again after its replay is dead again.
const std::string replayed = "CASE WHEN replayed >= last_seen THEN replayed END";
const std::string columns = "id, channel, reason, received, first_seen, last_seen, count, " +
                            replayed + " AS replayed, octet_length(raw) AS bytes";
// $1, $2: the channels of whoever asks (null = all), and those that are configured.
const std::string seen_only =
    "($1::varchar[] IS NULL OR channel = ANY($1::varchar[]) OR channel <> ALL($2::varchar[]))";

std::string list_sql(const std::string& order) {
  return "SELECT " + columns + " FROM dead_letter WHERE " + seen_only +
         " AND ($3::varchar IS NULL OR channel = $3::varchar) "
         "AND ($4::varchar IS NULL OR starts_with(reason, $4::varchar)) "
         "AND ($5::boolean IS NULL OR (" +
         replayed +
         " IS NOT NULL) = $5::boolean) "
         "AND id < coalesce($6::bigint, 9223372036854775807) AND id > coalesce($7::bigint, 0) "
         "ORDER BY id " +
         order + " LIMIT $8::int";
}

const std::string newest_sql = list_sql("DESC");
const std::string oldest_sql = list_sql("ASC");
const std::string one_sql =
    "SELECT " + columns + ", raw FROM dead_letter WHERE " + seen_only + " AND id = $3";

constexpr std::string_view replayed_sql =
    "UPDATE dead_letter SET replayed = greatest($2::bigint, last_seen) WHERE id = $1 "
    "AND (replayed IS NULL OR replayed < last_seen)";
constexpr std::string_view unreadable_sql =
    "UPDATE dead_letter SET reason = $2 WHERE id = $1 AND reason <> $2::varchar";
constexpr std::string_view count_sql =
    "SELECT count(*) AS count FROM dead_letter WHERE replayed IS NULL OR replayed < last_seen";

pg::Param seen(const LetterFilter& filter) {
  return filter.of ? pg::array(*filter.of) : pg::Param(nullptr);
}

Letter letter_from_row(const pg::Rows& rows, std::size_t row) {
  Letter letter;
  letter.id = rows.integer(row, "id");
  letter.channel = rows.text(row, "channel");
  letter.reason = rows.text(row, "reason");
  letter.received_ms = rows.integer(row, "received");
  letter.first_seen_ms = rows.integer(row, "first_seen");
  letter.last_seen_ms = rows.integer(row, "last_seen");
  letter.count = rows.integer(row, "count");
  letter.replayed_ms = rows.opt_integer(row, "replayed");
  letter.bytes = rows.integer(row, "bytes");
  return letter;
}

// What a text of ours may hold that PostgreSQL's varchar(256) cannot.
std::string storable(const std::string& text) {
  bool cut = false;
  return cut_to_width(repair_utf8(text), 256, cut);
}

}  // namespace

asio::awaitable<std::vector<Letter>> list_letters(pg::Pool& pool, LetterFilter filter) {
  const std::string& sql = filter.oldest_first ? oldest_sql : newest_sql;
  const pg::Rows rows = co_await pool.query(
      sql, pg::params(seen(filter), pg::array(filter.known), filter.channel, filter.reason,
                      filter.replayed, filter.below, filter.above, filter.limit));
  std::vector<Letter> letters;
  letters.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    letters.push_back(letter_from_row(rows, row));
  }
  co_return letters;
}

asio::awaitable<std::optional<Letter>> read_letter(pg::Pool& pool, std::int64_t id,
                                                   LetterFilter filter) {
  const pg::Rows rows =
      co_await pool.query(one_sql, pg::params(seen(filter), pg::array(filter.known), id));
  if (rows.empty()) co_return std::nullopt;
  Letter letter = letter_from_row(rows, 0);
  letter.raw = rows.bytes(0, "raw");
  co_return letter;
}

pg::Statement mark_replayed(std::int64_t id, std::int64_t now_ms) {
  return {replayed_sql, pg::params(id, now_ms)};
}

pg::Statement mark_unreadable(std::int64_t id, const std::string& reason) {
  return {unreadable_sql, pg::params(id, storable(reason))};
}

asio::awaitable<std::int64_t> count_open_letters(pg::Pool& pool) {
  const pg::Rows rows = co_await pool.query(count_sql);
  co_return rows.integer(0, "count");
}

}  // namespace cc
