#include "store/record_judgement.hpp"

#include <algorithm>

#include "fold_voice.hpp"

namespace cc {
namespace {

int current_attempt(const std::vector<Event>& history) {
  int attempt = 1;
  for (const Event& event : history) {
    if (event.name == EventName::attempt_planned) attempt = std::max(attempt, event.attempt);
  }
  return attempt;
}

/// Of a closed call: its recording's news, where that is all that there is.
const char* amendment_kind(const Folded& before, const Folded& after) {
  Folded same = before;
  same.audio_url = after.audio_url;
  same.recording_state = after.recording_state;
  same.recording_reason = after.recording_reason;
  same.recording_expected_at = after.recording_expected_at;
  if (after != same || before.recording_state == after.recording_state) return "call.amended";
  if (after.recording_state == "stored") return "recording.ready";
  if (after.recording_state == "absent") return "recording.absent";
  if (after.recording_state == "deleted") return "recording.deleted";
  return "call.amended";
}

}  // namespace

bool closed_by_our_clock(const Folded& folded, const std::vector<Event>& history) {
  if (folded.state != "close" || folded.close_source != "cc") return false;
  // A refusal closes the call only if it is the current attempt's, and no sign of life belies it.
  const int current = current_attempt(history);
  const auto of_current = [&](const Event& event) { return event.attempt == current; };
  const bool belied = std::any_of(history.begin(), history.end(), [&](const Event& event) {
    return of_current(event) && proves_taken(event);
  });
  return std::any_of(history.begin(), history.end(),
                     [](const Event& event) {
                       return event.name == EventName::reaped ||
                              event.name == EventName::hangup_closed;
                     }) &&
         (belied || std::none_of(history.begin(), history.end(), [&](const Event& event) {
            return of_current(event) && event.name == EventName::attempt_refused;
          }));
}

const char* change_kind(const StoredRecord& before, const Folded& after) {
  if (before.version == 0) return "call.created";
  if (before.folded.state == "close") return amendment_kind(before.folded, after);
  if (after.state == "close") return "call.closed";
  return "call.changed";
}

bool lingers(const std::vector<Event>& history) {
  const auto told = [&](bool Facts::*fact) {
    return std::any_of(history.begin(), history.end(),
                       [&](const Event& event) { return event.facts.*fact; });
  };
  return told(&Facts::engaged_on) && !told(&Facts::on_hook);
}

bool shows_life(const std::vector<NewEvent>& events) {
  return std::any_of(events.begin(), events.end(), [](const NewEvent& item) {
    return item.event.source != Source::cc && item.event.name != EventName::closed &&
           item.event.name != EventName::recorded;
  });
}

bool young(const std::vector<NewEvent>& events, std::int64_t now_ms) {
  return std::any_of(events.begin(), events.end(), [&](const NewEvent& item) {
    return item.event.source != Source::cc && item.event.received_ms > now_ms - action_age_ms;
  });
}

std::optional<FoldReport::Judgement> judge(const StoredRecord& before, const Folded& after,
                                           const std::vector<Event>& history) {
  FoldReport::Judgement judgement;
  judgement.call = before.constants.id;
  judgement.attempt = current_attempt(history);
  judgement.channel = after.channel.value_or("");
  const bool closed = after.state == "close" && before.folded.state != "close";
  const bool met = after.state == "conn" && before.folded.state == "init";
  if (closed && after.close_source == "cc") return std::nullopt;
  if (!closed && !met) return std::nullopt;
  judgement.failed = closed && (after.close_type == "6" || after.close_type == "7");
  return judgement;
}

std::vector<int> abandoned_attempts(const std::vector<NewEvent>& events,
                                    const std::vector<Event>& history, std::int64_t now_ms) {
  std::vector<int> list;
  for (const Event& given_up : history) {
    if (given_up.name != EventName::attempt_superseded) continue;
    const int attempt = given_up.attempt;
    const bool lives = std::any_of(events.begin(), events.end(), [&](const NewEvent& item) {
      const Event& event = item.event;
      return event.attempt == attempt && event.source != Source::cc &&
             event.received_ms > now_ms - action_age_ms && event.name != EventName::closed &&
             event.name != EventName::recorded && !is_trailing(event);
    });
    const bool over = std::any_of(history.begin(), history.end(), [&](const Event& event) {
      return event.attempt == attempt && event.source != Source::cc &&
             event.name == EventName::closed;
    });
    if (lives && !over) list.push_back(attempt);
  }
  return list;
}

}  // namespace cc
