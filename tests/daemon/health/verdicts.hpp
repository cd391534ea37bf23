// Attempts as the breaker sees them, in few words.
#pragma once

#include <vector>

#include "health/breaker.hpp"

namespace cc::test {

inline constexpr std::int64_t second = 1'000, minute = 60'000;

/// Begun and answered.
inline Judged taken(std::int64_t begun_ms, ChannelVerdict verdict, std::int64_t took_ms = 100) {
  Judged judged;
  judged.begun_ms = begun_ms;
  judged.taken = verdict;
  judged.taken_ms = begun_ms + took_ms;
  return judged;
}

inline Judged well(std::int64_t begun_ms, std::int64_t took_ms = 100) {
  return taken(begun_ms, ChannelVerdict::well, took_ms);
}
inline Judged failed(std::int64_t begun_ms) {
  return taken(begun_ms, ChannelVerdict::failed);
}
inline Judged unreachable(std::int64_t begun_ms, std::int64_t took_ms = 100) {
  return taken(begun_ms, ChannelVerdict::unreachable, took_ms);
}

/// Accepted, and then its call ended so.
inline Judged ended(std::int64_t begun_ms, ChannelVerdict verdict, std::int64_t after_ms = 5'000) {
  Judged judged = well(begun_ms);
  judged.final = verdict;
  judged.final_ms = begun_ms + after_ms;
  return judged;
}

using Verdicts = std::vector<Judged>;

inline void add(Verdicts& list, int count, const Judged& judged) {
  list.insert(list.end(), static_cast<std::size_t>(count), judged);
}

}  // namespace cc::test
