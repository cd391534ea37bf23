// One step of an attempt's life: a compare-and-set and the event that tells of it, in one
// transaction with the record locked.
#pragma once

#include "parts.hpp"
#include "store/record_store.hpp"

namespace cc {

/// Locks a record before anything else of the call is touched: everywhere the same order.
inline constexpr std::string_view lock_record_sql =
    "SELECT tenant, state, version FROM call_record WHERE id = $1 FOR UPDATE";

/// Locks the record, runs `step`, adds `event`, folds, commits and wakes who waits. Where `step`
/// touches no row nothing is added and false is returned. Throws pg::Failure.
asio::awaitable<bool> settle(Parts parts, std::int64_t call, pg::Statement step, NewEvent event);

}  // namespace cc
