// Why Redis did not take a delivery.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace cc {

enum class Trouble : std::uint8_t {
  none,
  redis_down,     // no connection that takes entries
  redis_error,    // it answered an error: not stored
  redis_lost,     // the connection ended before the answer; may be stored
  redis_timeout,  // the deadline passed before the answer; may be stored
  full,           // too much waits for Redis already
  stream_full,    // the stream is above its high-water mark: nobody drains it
};

inline constexpr std::array<std::string_view, 7> trouble_names = {
    "none", "redis_down", "redis_error", "redis_lost", "redis_timeout", "full", "stream_full"};

constexpr std::size_t index_of(Trouble trouble) noexcept {
  return static_cast<std::size_t>(trouble);
}

}  // namespace cc
