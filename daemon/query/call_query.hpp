// Finding calls: filters, pages, newest first. The API and ccd's commands call this; nothing in
// here knows HTTP.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "call/calls.hpp"

namespace cc {

namespace asio = boost::asio;

/// All that are set must hold. Numbers are canonical.
struct CallFilter {
  std::string tenant;  // always
  OptText agent, user, state, channel, close_type, business, biz_type, biz_id, channel_call_id;
  OptText caller, called;          // exact; api.md: scope `numbers`
  std::vector<std::int64_t> ids;   // where not empty: these only
  std::int64_t from_ms = 0;        // created, inclusive
  std::int64_t to_ms = INT64_MAX;  // created, exclusive
};

/// Where a page ends: the next one begins below `last`. It keeps `from_ms`, so that a window that
/// follows the clock does not move under the reader.
struct Cursor {
  std::int64_t last = INT64_MAX;  // id
  std::int64_t from_ms = 0;
  bool operator==(const Cursor&) const = default;
};

/// May hold fewer calls than asked for, or none, and have a `next` all the same: where few of many
/// calls pass the filter, a page ends when enough has been read.
struct CallPage {
  std::vector<StoredRecord> calls;  // newest first; merged ones are left out
  std::optional<Cursor> next;       // nothing = that was all
};

class CallQuery {
 public:
  virtual ~CallQuery() = default;

  /// At most `limit` calls below `cursor.last`. Throws pg::Failure.
  virtual asio::awaitable<CallPage> page(CallFilter filter, Cursor cursor, std::size_t limit) = 0;
};

}  // namespace cc
