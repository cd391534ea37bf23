#include "dispatch/waiting_rows.hpp"

#include "store/history.hpp"

namespace cc {
namespace {

constexpr std::string_view of_call_sql =
    "SELECT event_key, channel, channel_call_id, attempt, source, name, received, channel_time, "
    "facts, raw FROM waiting_event WHERE channel = $1 AND channel_call_id = $2";

constexpr std::string_view keys_sql =
    "SELECT event_key FROM waiting_event WHERE channel = $1 AND channel_call_id = $2";

}  // namespace

NewEvent waiting_from_row(const pg::Rows& rows, std::size_t row) {
  NewEvent item;
  item.event = event_from_row(rows, row);
  if (!rows.is_null(row, "raw")) item.raw = rows.bytes(row, "raw");
  item.channel_call_id = rows.text(row, "channel_call_id");
  item.channel = rows.text(row, "channel");
  return item;
}

asio::awaitable<WaitingRows> waiting_of(pg::Transaction& transaction, std::string channel,
                                        std::string channel_call_id) {
  const pg::Rows rows =
      co_await transaction.query(of_call_sql, pg::params(channel, channel_call_id));
  WaitingRows waiting;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    waiting.events.push_back(waiting_from_row(rows, row));
    waiting.keys.emplace_back(waiting.events.back().event.key.view());
  }
  co_return waiting;
}

asio::awaitable<std::vector<std::string>> waiting_keys(pg::Pool& pool, std::string channel,
                                                       std::string channel_call_id) {
  const pg::Rows rows = co_await pool.query(keys_sql, pg::params(channel, channel_call_id));
  std::vector<std::string> keys;
  for (std::size_t row = 0; row < rows.size(); ++row) keys.push_back(rows.bytes(row, "event_key"));
  co_return keys;
}

}  // namespace cc
