// An event in the fold's eyes: its rank, the time that orders it, what it says of a field. Internal
// to fold.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>

#include "event.hpp"

namespace cc {

// rules.md, "The fold".
inline constexpr int rank_query = 3;
inline constexpr int rank_channel = 2;
inline constexpr int rank_hangup = 1;
inline constexpr int rank_reaper = 0;

using TimeField = std::optional<TimeFact> Facts::*;
using TextField = std::optional<std::string> Facts::*;

/// a + b, or the nearest there is.
std::int64_t saturated_sum(std::int64_t a, std::int64_t b) noexcept;

bool from_channel(const Event& event) noexcept;

/// Whether it shows that the channel took the attempt. What a polled line tells without naming a
/// call may be of another one.
bool proves_taken(const Event& event) noexcept;

/// hangup.closed and reaped: we gave up waiting, nobody told us of an end.
bool is_own_clock_close(EventName name) noexcept;

/// What decides between events that are equal otherwise.
inline auto tie_key(const Event& event) noexcept {
  return std::tuple(event.name, event.received_ms, event.key.ordinal(), event.key);
}

/// An event that counts, with what decides between it and others.
struct Voice {
  const Event* event = nullptr;
  int rank = rank_channel;
  std::int64_t time = 0;  // the channel's where it can be believed, else ours

  const Facts& facts() const noexcept { return event->facts; }

  /// Higher rank, then earlier, then the ties of rules.md.
  bool operator<(const Voice& other) const noexcept {
    return std::tuple_cat(std::tuple(-rank, time), tie_key(*event)) <
           std::tuple_cat(std::tuple(-other.rank, other.time), tie_key(*other.event));
  }
};

Voice make_voice(const Event& event) noexcept;

/// A time that competes for a field.
struct TimeVote {
  TimeFact fact;
  const Voice* voice = nullptr;

  bool operator<(const TimeVote& other) const noexcept {
    const auto order = [](const TimeVote& vote) {
      return std::tuple_cat(std::tuple(vote.fact.origin, -vote.voice->rank, vote.fact.ms),
                            tie_key(*vote.voice->event));
    };
    return order(*this) < order(other);
  }
};

/// What a voice says of a time. An event that came without a time of its own was still seen to
/// happen when we heard of it; only a query's answer tells of the past.
std::optional<TimeFact> time_told(const Voice& voice, TimeField field) noexcept;

}  // namespace cc
