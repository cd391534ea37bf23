// Whole numbers of customers leave ccd only when the audit trail has told of it.
#pragma once

#include <cstdint>
#include <vector>

#include "router.hpp"

namespace cc::api {

/// To be awaited before an answer that shows these calls leaves. Does nothing for a key that sees
/// no whole numbers. Throws pg::Failure: then the answer is a problem instead.
asio::awaitable<void> tell_shown(const Exchange& exchange, std::vector<std::int64_t> calls);

/// What the key did, beside that: `action` and `detail` as in AuditEntry.
asio::awaitable<void> tell_done(const Exchange& exchange, std::string action,
                                std::vector<std::int64_t> calls, std::int64_t count,
                                std::string detail);

/// The same of what is done by now and can't be taken back: where it can't be kept that is only
/// logged. (Told before, it would hold whatever strangers wrote into a path.)
asio::awaitable<void> tell_afterwards(const Exchange& exchange, std::string action,
                                      std::vector<std::int64_t> calls, std::string detail);

}  // namespace cc::api
