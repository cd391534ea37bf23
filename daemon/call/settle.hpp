// One step of an attempt's life: a compare-and-set and the event that tells of it, in one transaction with
// the record locked.
#pragma once

#include "call/parts.hpp"
#include "store/record_store.hpp"

namespace cc {

/// Locks the record, runs `step`, adds `event`, folds, commits and wakes who waits. Where `step` touches no
/// row nothing is added and false is returned. Throws pg::Failure.
asio::awaitable<bool> settle(CallParts parts, std::int64_t call, pg::Statement step, NewEvent event);

}  // namespace cc
