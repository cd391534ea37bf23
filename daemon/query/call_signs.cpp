#include "query/call_signs.hpp"

#include <algorithm>

#include "fold_voice.hpp"

namespace cc {
namespace {

void keep_least(OptMs& least, std::int64_t ms) {
  least = std::min(least.value_or(ms), ms);
}

bool given_up(const Timeline& timeline, int attempt) {
  return std::any_of(
      timeline.attempts.begin(), timeline.attempts.end(),
      [attempt](const TimelineAttempt& one) { return one.attempt == attempt && one.superseded; });
}

}  // namespace

CallSigns call_signs(const Timeline& timeline) {
  CallSigns signs;
  for (const TimelineEvent& item : timeline.events) {
    const Event& event = item.event;
    if (event.name == EventName::hangup_requested) {
      keep_least(signs.hangup_asked, event.received_ms);
    }
    if (given_up(timeline, event.attempt)) continue;
    switch (event.name) {
      case EventName::a_ringing:
        keep_least(signs.a_ringing, make_voice(event).time);
        break;
      case EventName::b_ringing:
        keep_least(signs.b_ringing, make_voice(event).time);
        break;
      case EventName::hangup_closed:
        signs.hangup_unended = true;
        [[fallthrough]];
      case EventName::closed:
      case EventName::attempt_refused:
      case EventName::reaped:
        keep_least(signs.end_heard, event.received_ms);
        break;
      default:
        break;
    }
  }
  return signs;
}

}  // namespace cc
