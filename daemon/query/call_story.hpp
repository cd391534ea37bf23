// What happened in a call, in one plain sentence for a support engineer. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "call/calls.hpp"

namespace cc {

enum class Tongue : std::uint8_t { english, chinese };

/// Says no more than record and timeline know: what is not known is said to be not known. Holds no
/// number. `now_ms` tells for how long it has been going on, where the call is open.
std::string call_story(const StoredRecord& record, const Timeline& timeline, std::int64_t now_ms,
                       Tongue tongue);

}  // namespace cc
