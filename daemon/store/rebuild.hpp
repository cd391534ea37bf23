// Folding records anew from their history: proof that a record is its events' fold, and the way to
// mend one that is not.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "channel/channels.hpp"
#include "io/pg.hpp"
#include "result.hpp"

namespace cc {

struct RebuildOptions {
  std::int64_t from = 0, to = 0;  // call ids, both included
  bool write = false;             // write what was folded, with a `change` row each
  bool from_raw = false;          // understand the stored deliveries again, with today's code
};

/// A column whose stored value is not what the history says. `version` and `updated` are no part of
/// the fold.
struct FieldDifference {
  std::int64_t call = 0;
  std::string_view field;  // the column; "events" = what the bytes say is not what is stored
  std::optional<std::string> stored, folded;
};

struct RebuildReport {
  std::size_t calls = 0;       // looked at
  std::size_t differing = 0;   // with at least one difference
  std::size_t written = 0;     // of these
  std::size_t no_history = 0;  // their events are not kept any more: left as they are
  std::size_t unreadable = 0;  // deliveries that today's code can't read: their events stay
};

/// "FROM..TO", each a date (2026-03-01, UTC; TO's day included) or a call's id.
Result<RebuildOptions> parse_range(std::string_view text);

/// Pages through the ids; memory does not grow with the range. `tell` hears of each difference, in
/// id order. Calls under way may go on meanwhile. Throws pg::Failure.
asio::awaitable<RebuildReport> rebuild(pg::Pool& pool, const Channels& channels,
                                       RebuildOptions options, std::int64_t now_ms,
                                       std::function<void(const FieldDifference&)> tell);

}  // namespace cc
