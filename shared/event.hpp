// Canonical events: what happened to a call, in words that are no channel's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "envelope.hpp"
#include "keys.hpp"

namespace cc {

/// The first nine are in the order of a call's life; the fold breaks ties by it. `other` is a
/// channel's event that moves nothing but is kept. The rest are CC's own (source `cc`).
enum class EventName : std::uint8_t {
  a_calling,
  a_ringing,
  a_answered,
  b_calling,
  b_ringing,
  b_answered,
  connected,
  closed,
  recorded,
  other,
  attempt_planned,
  attempt_sent,
  attempt_accepted,
  attempt_refused,
  attempt_unknown,
  attempt_superseded,
  hangup_requested,
  hangup_accepted,
  hangup_closed,
  reaped,
  recording_stored,
  recording_absent,
  recording_deleted,
  line_released,
};

std::string_view to_text(EventName name) noexcept;  // "a.calling", "attempt.planned", …
std::optional<EventName> event_name_from_text(std::string_view text) noexcept;

/// Where a time comes from, best first: the channel said when this very thing happened; we saw it
/// happen; another event implies it.
enum class TimeOrigin : std::uint8_t { own, observed, inferred };

struct TimeFact {
  std::int64_t ms = 0;  // epoch ms, UTC
  TimeOrigin origin = TimeOrigin::own;
  bool operator==(const TimeFact&) const = default;
};

/// close_type, close_detail and closed_by, which always come together from one event.
struct CloseFact {
  std::string type;    // "0" … "7", "255" (design.md, close_type)
  std::string detail;  // rules.md, close_detail: "normal", "b_busy", …, "other:<code>"
  std::string by;      // "a", "b", "app", "channel", "cc"; empty = not known
  bool operator==(const CloseFact&) const = default;
};

/// What an event says of its call. Absent = it says nothing of it, and so does not compete for it.
struct Facts {
  std::optional<TimeFact> a_call_time, b_call_time, a_offhook_time, b_offhook_time, conn_time,
      close_time;
  std::optional<std::int64_t> duration;  // seconds, the channel's own
  bool never_connected = false;          // the source says that the legs never met
  std::optional<CloseFact> close;
  // How it ended may depend on how far it had come, which only all of its events tell: these stand
  // for `close` where A had answered, and where the legs were connected.
  std::optional<CloseFact> close_after_answer, close_after_connect;
  // Absent: it says how the call ended. 1: that can be guessed from it. 2: it only says that it
  // did. Of a channel's words the least doubtful counts.
  std::optional<std::int64_t> close_doubt;
  bool engaged_on = false;  // the line stays engaged after this end, until on_hook or 5 s later
  bool on_hook = false;     // leg A's phone is free again
  std::optional<std::string> ch_state, ch_audio_url, ivr_url, ivr_text;
  std::optional<std::string> ch_audio_url_whole;  // only where ch_audio_url had to be cut
  std::optional<std::int64_t> audio_after;  // seconds from the call's end on which the file is
                                            // there; absent = 600
  std::optional<std::string> channel_call_id;     // as the channel names the call
  std::optional<std::string> caller, called;  // leg A's and leg B's number as the channel has it
  bool inbound = false;                       // the channel says that B called
  bool truncated = false;                     // a value did not fit its column
  // CC's own events:
  std::optional<std::string> channel, agent;  // attempt.planned: the line
  std::optional<std::string> reason;          // why this choice; why superseded, absent, …
  std::optional<std::string> code,
      message;                            // attempt.refused, attempt.unknown: the channel's words
  std::optional<std::string> audio_url;   // recording.stored: where the file is now
  std::optional<std::string> file;        // recording.*: "ivr"; absent = the call's recording
  std::optional<std::string> request_id;  // of the API request that led to it
  bool operator==(const Facts&) const = default;
};

/// Compact JSON with absent facts left out: what call_event.facts holds.
std::string to_json(const Facts& facts);
Result<Facts> facts_from_json(std::string_view json);

struct Event {
  EventKey key;
  EventName name = EventName::other;
  Source source = Source::callback;
  std::int64_t received_ms = 0;
  std::optional<std::int64_t> channel_ms;  // the event's own time by the channel's clock
  int attempt = 0;                         // 1…3; 0 = not known yet
  Facts facts;
};

/// Of a polled line: whether it may still be of the call before, for it comes at a call's end and
/// names none.
bool is_trailing(const Event& event) noexcept;

/// An event of a delivery with what tells whose it is.
struct ChannelEvent {
  Event event;
  std::optional<std::int64_t> call;  // our id, echoed by the channel
  std::string channel_call_id;       // empty where the channel names none
  std::string subject;               // the agent of a poll
};

}  // namespace cc
