// The two clocks: epoch milliseconds for people and journals, a steady one for pauses.
#pragma once

#include <chrono>
#include <cstdint>

namespace gateway {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

inline std::int64_t now_ms() {
  auto const since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<milliseconds>(since).count();
}

inline std::int64_t whole_ms(Steady::duration time) {
  return std::chrono::duration_cast<milliseconds>(time).count();
}

}  // namespace gateway
