// How long a recording is tried for. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config.hpp"

namespace cc {

/// How a try ended that brought no file.
enum class TryTrouble : std::uint8_t {
  none,     // the channel says that it has no such file, or not yet
  trouble,  // network, the channel, our store
};

/// What is known of a recording when a try at it has ended.
struct TryState {
  std::int64_t closed_ms = 0;  // the call's end
  int tries = 0;               // this one included
  std::string problem;         // of this one
};

/// Why there will be no further try, for the record. Nothing: there will be one.
std::optional<std::string> give_up(TryTrouble end, const TryState& state,
                                   const ChannelRecordings& channel, Millis absent_after,
                                   std::int64_t now_ms);

/// The longest pause after so many tries: `first` doubled after each, `longest` at most.
Millis longest_pause_after(int tries, Millis first, Millis longest) noexcept;

/// "30 days", "24 h", "90 s".
std::string duration_text(Millis duration);

/// A problem for the row, the record and logs: bounded, no number in it.
std::string tellable_problem(std::string_view problem);

/// For a channel that does not say how long it keeps files.
inline constexpr Millis usually_kept{90LL * 24 * 3'600'000};

/// How old a recording may get before somebody must look: half of what the channel keeps it for.
Millis alarming_age(const ChannelRecordings& channel) noexcept;

}  // namespace cc
