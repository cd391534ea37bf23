// A new call: its idempotency key, record, first attempt and claims, in one transaction.
#pragma once

#include <variant>

#include "access/limits.hpp"
#include "call/choose.hpp"
#include "parts.hpp"

namespace cc {

/// `Created::record` is committed when this returns; nothing has been sent yet. A Refusal leaves
/// neither a call nor a key, but a row in `rejection`. Throws pg::Failure.
asio::awaitable<std::variant<Created, Refusal>> create_call(Parts parts, CallGates& gates,
                                                            NewCall request);

/// The record by id, of this tenant or (empty) of any.
asio::awaitable<std::optional<StoredRecord>> read_record(pg::Pool& pool, std::string tenant,
                                                         std::int64_t call);

}  // namespace cc
