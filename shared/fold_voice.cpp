#include "fold_voice.hpp"

namespace cc {

namespace {

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t most_ahead_ms = 24 * hour_ms;
constexpr std::int64_t most_behind_ms = 48 * hour_ms;
constexpr std::int64_t most_behind_query_ms = 72 * hour_ms;

int rank_of(const Event& event) noexcept {
  if (event.name == EventName::reaped) return rank_reaper;
  if (event.name == EventName::hangup_closed) return rank_hangup;
  const bool ended = event.source == Source::query && event.name == EventName::closed;
  return ended ? rank_query : rank_channel;
}

/// Whether a channel's clock can be believed, seen from the moment we heard of it.
bool credible(const Event& event, std::int64_t ms) noexcept {
  const std::int64_t behind = event.source == Source::query ? most_behind_query_ms : most_behind_ms;
  return ms <= saturated_sum(event.received_ms, most_ahead_ms) &&
         ms >= saturated_sum(event.received_ms, -behind);
}

/// The field whose moment an event of this name is; null where it is none's.
TimeField moment_field(EventName name) noexcept {
  switch (name) {
    case EventName::a_calling:
      return &Facts::a_call_time;
    case EventName::a_answered:
      return &Facts::a_offhook_time;
    case EventName::b_calling:
      return &Facts::b_call_time;
    case EventName::b_answered:
      return &Facts::b_offhook_time;
    case EventName::connected:
      return &Facts::conn_time;
    case EventName::closed:
    case EventName::attempt_refused:
    case EventName::hangup_closed:
    case EventName::reaped:
      return &Facts::close_time;
    default:
      return nullptr;
  }
}

}  // namespace

std::int64_t saturated_sum(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? INT64_MAX : INT64_MIN;
}

bool from_channel(const Event& event) noexcept {
  return event.source != Source::cc;
}

bool proves_taken(const Event& event) noexcept {
  return from_channel(event) && (event.source != Source::poll || event.facts.channel_call_id);
}

bool is_own_clock_close(EventName name) noexcept {
  return name == EventName::hangup_closed || name == EventName::reaped;
}

Voice make_voice(const Event& event) noexcept {
  const bool told =
      event.channel_ms && (!from_channel(event) || credible(event, *event.channel_ms));
  return {&event, rank_of(event), told ? *event.channel_ms : event.received_ms};
}

std::optional<TimeFact> time_told(const Voice& voice, TimeField field) noexcept {
  const Event& event = *voice.event;
  const auto& told = event.facts.*field;
  const TimeFact seen{event.received_ms, TimeOrigin::observed};
  if (told && !from_channel(event)) return TimeFact{told->ms, TimeOrigin::observed};
  if (told && (told->origin == TimeOrigin::observed || credible(event, told->ms))) return told;
  if (told) return seen;
  if (event.source != Source::query && moment_field(event.name) == field) return seen;
  return std::nullopt;
}

}  // namespace cc
