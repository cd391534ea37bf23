// The table waiting_event: rows out of it and away.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "io/pg.hpp"
#include "store/record_store.hpp"

namespace cc {

/// $1: event keys.
inline constexpr std::string_view forget_waiting_sql =
    "DELETE FROM waiting_event WHERE event_key = ANY($1::bytea[])";

struct WaitingRows {
  std::vector<NewEvent> events;
  std::vector<std::string> keys;  // of the same
};

/// A row with waiting_event's columns.
NewEvent waiting_from_row(const pg::Rows& rows, std::size_t row);

/// All that waits for a channel's call.
asio::awaitable<WaitingRows> waiting_of(pg::Transaction& transaction, std::string channel,
                                        std::string channel_call_id);
asio::awaitable<std::vector<std::string>> waiting_keys(pg::Pool& pool, std::string channel,
                                                       std::string channel_call_id);

}  // namespace cc
