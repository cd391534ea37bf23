// NGINX's clock, read once a tick of the loop.
#pragma once

#include "ngx.hpp"

#include <cstdint>

namespace cc {

/// Epoch milliseconds, UTC.
inline std::int64_t wall_clock_ms() noexcept {
  const ngx_time_t* now = ngx_timeofday();
  return static_cast<std::int64_t>(now->sec) * 1000 + static_cast<std::int64_t>(now->msec);
}

}  // namespace cc
