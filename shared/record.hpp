// The unified call record (design.md section 4): what never changes, and what the fold makes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cc {

using OptText = std::optional<std::string>;
using OptMs = std::optional<std::int64_t>;

/// Written at creation, never changed by events. For an inbound call the numbers are absent here
/// and come from its events.
struct Constants {
  std::int64_t id = 0;
  std::string tenant;
  std::string direction = "out";    // out, in
  std::string initiator = "agent";  // agent, customer
  OptText main_num, ext_num, caller, called;
  OptText business, biz_type, biz_id, biz_data, user_id, display_requested;
  int max_duration = 3600;  // seconds
  bool record = true;       // whether a recording is wanted
  bool recovered = false;   // made anew from an echoed id
  std::int64_t created = 0;
};

/// What the fold makes of a call's events. Compared by value to learn whether anything changed.
struct Folded {
  OptText agent, channel, call_id, caller, called;
  OptText ch_state;
  std::string state = "init";  // init, conn, close
  std::string progress =
      "queued";  // queued, sent, a_ringing, a_answered, b_ringing, talking, closed
  OptMs a_call_time, b_call_time, a_offhook_time, b_offhook_time, conn_time, close_time;
  std::optional<std::int64_t> duration;  // seconds
  OptText ch_audio_url, audio_url, ivr_url, ivr_text;
  OptText close_type, close_detail, closed_by, close_source;
  OptText recording_state, recording_reason;  // expected, stored, absent, deleted
  OptMs recording_expected_at;
  bool late_life = false;  // a sign of life after our own clock had closed it
  bool truncated = false;
  bool operator==(const Folded&) const = default;
};

/// The epoch of call ids: 2020-01-01T00:00:00Z in epoch ms.
inline constexpr std::int64_t id_epoch_ms = 1'577'836'800'000;
inline constexpr int id_sequence_bits = 22;

/// (ms since 2020) << 22 | sequence mod 2^22: time-ordered, unique over all daemons.
constexpr std::int64_t make_call_id(std::int64_t epoch_ms, std::int64_t sequence) noexcept {
  return ((epoch_ms - id_epoch_ms) << id_sequence_bits) |
         (sequence & ((std::int64_t{1} << id_sequence_bits) - 1));
}

constexpr std::int64_t call_id_time_ms(std::int64_t id) noexcept {
  return (id >> id_sequence_bits) + id_epoch_ms;
}

}  // namespace cc
