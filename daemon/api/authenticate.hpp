// Who asks, and whether this key opens anything now, from where it comes.
#pragma once

#include <cstdint>
#include <variant>

#include "key_ring.hpp"
#include "message.hpp"
#include "problem.hpp"

namespace cc::api {

/// The owner of the request's key, where that has the scope. Otherwise why not: 401 for a key that
/// is unknown, revoked or expired (at `now_ms`, epoch ms); 403 for a disabled tenant, a wrong
/// address, a missing scope. `found` becomes the key that was recognised, whatever came of it; null
/// where none was. Lives as long as the ring.
std::variant<Principal, Problem> authenticate(const KeyRing& keys, const Request& request,
                                              Scope scope, std::int64_t now_ms,
                                              const KeyRing::Known*& found);

}  // namespace cc::api
