#include "history.hpp"

#include <boost/test/unit_test.hpp>

namespace cc::test {

Ev& Ev::text(std::optional<std::string> Facts::*field, std::string value) {
  facts.*field = std::move(value);
  return *this;
}

std::string show(const Folded& r) {
  std::ostringstream out;
  const auto put = [&out](const char* name, const auto& value) {
    if (value) out << name << '=' << *value << ' ';
  };
  put("agent", r.agent), put("channel", r.channel), put("call_id", r.call_id);
  put("caller", r.caller), put("called", r.called), put("ch_state", r.ch_state);
  out << "state=" << r.state << " progress=" << r.progress << ' ';
  put("a_call", r.a_call_time), put("b_call", r.b_call_time);
  put("a_off", r.a_offhook_time), put("b_off", r.b_offhook_time);
  put("conn", r.conn_time), put("close", r.close_time), put("duration", r.duration);
  put("ch_audio", r.ch_audio_url), put("audio", r.audio_url);
  put("ivr_url", r.ivr_url), put("ivr_text", r.ivr_text);
  put("type", r.close_type), put("detail", r.close_detail), put("by", r.closed_by);
  put("source", r.close_source), put("recording", r.recording_state);
  put("reason", r.recording_reason), put("expected", r.recording_expected_at);
  out << "late=" << r.late_life << " truncated=" << r.truncated;
  return out.str();
}

Folded folded(const std::vector<Ev>& list, const Constants& constants) {
  auto events = events_of(list);
  const Folded record = fold(constants, events);
  Rand rand(12);
  for (int i = 0; i < 20; ++i) {
    if (i == 0) {
      std::reverse(events.begin(), events.end());
    } else {
      std::shuffle(events.begin(), events.end(), rand.engine());
    }
    const Folded again = fold(constants, events);
    BOOST_REQUIRE_EQUAL(show(again), show(record));
    BOOST_REQUIRE(again == record);
  }
  return record;
}

}  // namespace cc::test
