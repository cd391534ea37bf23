#include "fold.hpp"

#include <algorithm>
#include <tuple>
#include <vector>

#include "fold_voice.hpp"

namespace cc {

namespace {

constexpr std::int64_t usual_audio_after = 10 * 60;  // seconds: e9's files appear about then

/// How far an event shows the call to be, as a number to compare.
enum class Step { queued, sent, a_ringing, a_answered, b_ringing, talking, closed };

std::string_view to_text(Step step) noexcept {
  switch (step) {
    case Step::queued:
      return "queued";
    case Step::sent:
      return "sent";
    case Step::a_ringing:
      return "a_ringing";
    case Step::a_answered:
      return "a_answered";
    case Step::b_ringing:
      return "b_ringing";
    case Step::talking:
      return "talking";
    case Step::closed:
      return "closed";
  }
  return "queued";
}

Step step_of(EventName name) noexcept {
  switch (name) {
    case EventName::a_calling:
    case EventName::attempt_sent:
    case EventName::attempt_accepted:
    case EventName::attempt_unknown:
      return Step::sent;
    case EventName::a_ringing:
      return Step::a_ringing;
    case EventName::a_answered:
    case EventName::b_calling:
      return Step::a_answered;
    case EventName::b_ringing:
      return Step::b_ringing;
    case EventName::b_answered:
    case EventName::connected:
      return Step::talking;
    default:
      return Step::queued;
  }
}

/// Each key once, with its smallest received-ms; the store sees to that, but nothing may depend on
/// it.
std::vector<const Event*> each_key_once(std::span<const Event> events) {
  std::vector<const Event*> once;
  once.reserve(events.size());
  for (const Event& event : events) once.push_back(&event);
  std::sort(once.begin(), once.end(), [](const Event* a, const Event* b) {
    if (a->key != b->key) return a->key < b->key;
    if (a->received_ms != b->received_ms) return a->received_ms < b->received_ms;
    const auto rest = [](const Event& e) {
      return std::tuple(e.name, e.source, e.channel_ms, e.attempt, to_json(e.facts));
    };
    return a != b && rest(*a) < rest(*b);
  });
  const auto same_key = [](const Event* a, const Event* b) { return a->key == b->key; };
  once.erase(std::unique(once.begin(), once.end(), same_key), once.end());
  return once;
}

class Folding {
 public:
  Folding(const Constants& constants, std::span<const Event> events) : constants_(constants) {
    gather(each_key_once(events));
  }

  Folded run() {
    fold_line();
    fold_texts();
    fold_times();
    fold_state();
    fold_close();  // needs to know whether they were connected
    fold_duration();
    fold_recording();
    return std::move(record_);
  }

 private:
  /// Finds the current attempt and the events that count.
  void gather(const std::vector<const Event*>& events) {
    std::vector<int> superseded;
    for (const Event* event : events) {
      if (event->name == EventName::attempt_superseded) superseded.push_back(event->attempt);
    }
    const auto counts = [&](const Event& event) {
      return event.attempt == 0 ||
             std::find(superseded.begin(), superseded.end(), event.attempt) == superseded.end();
    };
    for (const Event* event : events) {
      if (counts(*event)) voices_.push_back(make_voice(*event));
    }
    std::sort(voices_.begin(), voices_.end());
    for (const Voice& voice : voices_) {
      const Event& event = *voice.event;
      if (event.name != EventName::attempt_planned) continue;
      if (planned_ == nullptr || event.attempt > planned_->attempt) planned_ = &event;
    }
    std::vector<int> heard;  // the attempts that the channel has spoken of
    for (const Voice& voice : voices_) {
      if (proves_taken(*voice.event)) heard.push_back(voice.event->attempt);
    }
    std::erase_if(voices_, [&](const Voice& voice) {
      const Event& event = *voice.event;
      return event.name == EventName::attempt_refused && !refusal_closes(event, heard);
    });
  }

  /// A refusal ends the call if it is the current attempt's, and the channel has not shown that it
  /// took that attempt all the same.
  bool refusal_closes(const Event& refusal, const std::vector<int>& heard) const {
    if (planned_ != nullptr && refusal.attempt != 0 && refusal.attempt != planned_->attempt) {
      return false;
    }
    return std::none_of(heard.begin(), heard.end(), [&](int attempt) {
      return attempt == refusal.attempt || attempt == 0 || refusal.attempt == 0;
    });
  }

  void fold_line() {
    if (planned_ == nullptr) return;
    record_.channel = planned_->facts.channel;
    record_.agent = planned_->facts.agent;
  }

  /// Voices are sorted by rank, then time: the first that tells a text has it.
  OptText first_told(TextField field) const {
    for (const Voice& voice : voices_) {
      if (voice.facts().*field) return voice.facts().*field;
    }
    return std::nullopt;
  }

  /// The latest word of the highest rank; of the same moment, the later in a call's life.
  OptText last_state() const {
    const Voice* winner = nullptr;
    for (const Voice& voice : voices_) {
      if (!voice.facts().ch_state) continue;
      if (winner != nullptr && voice.rank < winner->rank) break;
      winner = &voice;
    }
    return winner == nullptr ? std::nullopt : winner->facts().ch_state;
  }

  void fold_texts() {
    record_.call_id = first_told(&Facts::channel_call_id);
    record_.ch_state = last_state();
    record_.ch_audio_url = first_told(&Facts::ch_audio_url);
    record_.ivr_url = first_told(&Facts::ivr_url);
    record_.ivr_text = first_told(&Facts::ivr_text);
    // What an application asked for is what it called, however a channel spells the numbers.
    const bool outbound = constants_.direction == "out";
    const auto number = [&](const OptText& constant, TextField field) {
      if (outbound && constant) return constant;
      OptText told = first_told(field);
      return told ? told : constant;
    };
    record_.caller = number(constants_.caller, &Facts::caller);
    record_.called = number(constants_.called, &Facts::called);
    record_.truncated = std::any_of(voices_.begin(), voices_.end(),
                                    [](const Voice& voice) { return voice.facts().truncated; });
  }

  std::optional<TimeVote> winner(TimeField field) const {
    std::optional<TimeVote> best;
    for (const Voice& voice : voices_) {
      if (field == &Facts::close_time && !closes(voice)) continue;
      const auto told = time_told(voice, field);
      if (!told) continue;
      const TimeVote vote{*told, &voice};
      if (!best || vote < *best) best = vote;
    }
    return best;
  }

  static OptMs ms_of(const std::optional<TimeVote>& vote) {
    return vote ? OptMs(vote->fact.ms) : std::nullopt;
  }

  void fold_times() {
    record_.a_call_time = ms_of(winner(&Facts::a_call_time));
    record_.b_call_time = ms_of(winner(&Facts::b_call_time));
    record_.a_offhook_time = ms_of(winner(&Facts::a_offhook_time));
    record_.b_offhook_time = ms_of(winner(&Facts::b_offhook_time));
    record_.conn_time = ms_of(winner(&Facts::conn_time));
    const auto close = winner(&Facts::close_time);
    record_.close_time = ms_of(close);
    closed_by_our_clock_ = close && is_own_clock_close(close->voice->event->name);
  }

  static bool closes(const Voice& voice) noexcept {
    const EventName name = voice.event->name;
    return name == EventName::closed || name == EventName::attempt_refused ||
           is_own_clock_close(name);
  }

  /// How one event has it that the call ended, seen with what the others tell.
  const CloseFact& close_told(const Facts& facts) const {
    const bool a_answered = connected_ || record_.a_offhook_time;
    if (connected_ && facts.close_after_connect) return *facts.close_after_connect;
    if (a_answered && facts.close_after_answer) return *facts.close_after_answer;
    return *facts.close;
  }

  /// close_type, close_detail, closed_by and close_source: all from one event. The channel's words
  /// come first, of these the least doubtful.
  void fold_close() {
    const Voice* winner = nullptr;
    const auto doubt = [](const Voice& voice) {
      return voice.rank < rank_channel ? INT64_MAX : voice.facts().close_doubt.value_or(0);
    };
    for (const Voice& voice : voices_) {
      if (!closes(voice) || !voice.facts().close) continue;
      if (winner == nullptr || doubt(voice) < doubt(*winner)) winner = &voice;
    }
    if (winner == nullptr) return;
    const CloseFact& close = close_told(winner->facts());
    record_.close_type = close.type;
    record_.close_detail = close.detail;
    if (!close.by.empty()) record_.closed_by = close.by;
    record_.close_source = std::string(to_text(winner->event->source));
  }

  bool happened(EventName name) const {
    return std::any_of(voices_.begin(), voices_.end(),
                       [name](const Voice& voice) { return voice.event->name == name; });
  }

  void fold_state() {
    const bool a_answered = record_.a_offhook_time || happened(EventName::a_answered);
    const bool b_answered = record_.b_offhook_time || happened(EventName::b_answered);
    connected_ = happened(EventName::connected) || (a_answered && b_answered);
    if (connected_ && !record_.conn_time && record_.a_offhook_time && record_.b_offhook_time) {
      record_.conn_time = std::max(*record_.a_offhook_time, *record_.b_offhook_time);
    }
    const bool closed = std::any_of(voices_.begin(), voices_.end(), closes);
    record_.state = closed ? "close" : connected_ ? "conn" : "init";

    Step furthest = connected_ ? Step::talking : Step::queued;
    for (const Voice& voice : voices_) furthest = std::max(furthest, step_of(voice.event->name));
    record_.progress = to_text(closed ? Step::closed : furthest);
    record_.late_life = lives_on();
  }

  /// A channel's sign of life after our own clock had closed the call. A recording is none.
  bool lives_on() const {
    OptMs closed_ms;
    for (const Voice& voice : voices_) {
      if (!is_own_clock_close(voice.event->name)) continue;
      closed_ms = std::min(closed_ms.value_or(INT64_MAX), voice.event->received_ms);
    }
    return closed_ms && std::any_of(voices_.begin(), voices_.end(), [&](const Voice& voice) {
             const Event& event = *voice.event;
             return from_channel(event) && event.name != EventName::closed &&
                    event.name != EventName::recorded && event.received_ms > *closed_ms;
           });
  }

  /// Our own clock says when we gave up, not how long they spoke: it gives no duration.
  void fold_duration() {
    bool never_connected = false;
    for (const Voice& voice : voices_) {
      if (voice.rank < rank_channel) continue;
      if (voice.facts().duration) {
        record_.duration = voice.facts().duration;
        return;
      }
      never_connected |=
          voice.facts().never_connected || voice.event->name == EventName::attempt_refused;
    }
    std::int64_t talked = 0;
    if (record_.conn_time && record_.close_time) {
      if (closed_by_our_clock_) return;
      if (__builtin_sub_overflow(*record_.close_time, *record_.conn_time, &talked)) return;
      record_.duration = std::max<std::int64_t>(talked, 0) / 1000;
    } else if (never_connected && !connected_) {
      record_.duration = 0;
    }
  }

  /// What CC did with a file of this call: its recording, or ("ivr") what its IVR took down.
  const Facts* done_with(EventName name, const OptText& file) const {
    for (const Voice& voice : voices_) {
      if (voice.event->name == name && voice.facts().file == file) return &voice.facts();
    }
    return nullptr;
  }

  void fold_recording() {
    const OptText none, ivr = "ivr";
    if (const Facts* const deleted = done_with(EventName::recording_deleted, none)) {
      record_.recording_state = "deleted";
      record_.recording_reason = deleted->reason;
    } else if (const Facts* const stored = done_with(EventName::recording_stored, none)) {
      record_.recording_state = "stored";
      record_.audio_url = stored->audio_url;
    } else if (const Facts* const absent = done_with(EventName::recording_absent, none)) {
      record_.recording_state = "absent";
      record_.recording_reason = absent->reason;
    } else if (record_.ch_audio_url) {
      record_.recording_state = "expected";
      if (record_.close_time) {
        const std::int64_t after = audio_after().value_or(usual_audio_after);
        record_.recording_expected_at = saturated_sum(*record_.close_time, after * 1000);
      }
    }
    // The channel's address of it until it lies in our store; none once it is deleted there.
    if (done_with(EventName::recording_deleted, ivr) != nullptr) {
      record_.ivr_url.reset();
    } else if (const Facts* const stored = done_with(EventName::recording_stored, ivr)) {
      record_.ivr_url = stored->audio_url;
    }
  }

  std::optional<std::int64_t> audio_after() const {
    for (const Voice& voice : voices_) {
      if (voice.facts().audio_after) {
        return std::clamp<std::int64_t>(*voice.facts().audio_after, 0, 86'400);
      }
    }
    return std::nullopt;
  }

  const Constants& constants_;
  std::vector<Voice> voices_;  // sorted: higher rank first, then earlier
  const Event* planned_ = nullptr;
  bool closed_by_our_clock_ = false;
  bool connected_ = false;
  Folded record_;
};

}  // namespace

Folded fold(const Constants& constants, std::span<const Event> events) {
  return Folding(constants, events).run();
}

}  // namespace cc
