// Reading a call's events and attempts back: for the timeline, and for the fold.
#pragma once

#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "call/calls.hpp"
#include "io/pg.hpp"

namespace cc {

/// An event of a row that has call_event's columns (event_key … facts).
Event event_from_row(const pg::Rows& rows, std::size_t row);

/// Nothing where the call is not there or is another tenant's. Of a call that was merged, the
/// survivor's.
asio::awaitable<std::optional<Timeline>> read_timeline(pg::Pool& pool, std::string tenant,
                                                       std::int64_t call);

}  // namespace cc
