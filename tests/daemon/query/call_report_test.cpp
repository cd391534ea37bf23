// A call as a terminal shows it: aligned, in UTC+8, numbers masked unless they are asked for.
#include "query/call_report.hpp"

#include <utility>

#include <boost/test/unit_test.hpp>

using namespace cc;

namespace {

constexpr std::int64_t at = 1'795'341'785'120;  // 2026-11-22 18:03:05.120 in UTC+8

struct Fixture {
  Fixture() {
    record.constants.id = 77;
    record.constants.tenant = "demo";
    record.constants.created = at;
    record.constants.user_id = "zhang";
    record.folded.agent = "13912340001";
    record.folded.channel = "e9";
    record.folded.caller = "13912340001";
    record.folded.called = "13812345678";
    record.folded.state = "close";
    TimelineAttempt attempt;
    attempt.channel = "e9";
    attempt.agent = "13912340001";
    attempt.state = "accepted";
    attempt.sent = at + 10;
    attempt.request_id = "84a9ba735552213089d98c61";
    attempt.message = "13812345678 called";
    timeline.attempts.push_back(attempt);
    TimelineEvent event;
    event.event.name = EventName::a_ringing;
    event.event.received_ms = at + 1000;
    event.event.channel_ms = at + 86'400'000;  // of another day
    event.event.attempt = 1;
    event.event.facts.ch_state = "for 13812345678";
    timeline.events.push_back(event);
  }
  StoredRecord record;
  Timeline timeline;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(call_report_test, Fixture)

BOOST_AUTO_TEST_CASE(times_are_local) {
  BOOST_TEST(local_time(at) == "2026-11-22 18:03:05.120");
}

BOOST_AUTO_TEST_CASE(a_report_tells_who_asked_and_ends_in_the_story) {
  const std::string text = call_report(record, timeline, "It rang.", true);
  for (const char* part :
       {"call       77 of tenant demo, outbound, close\n", "request=84a9ba735552213089d98c61",
        "user=zhang", "A (agent) 13912340001, B (customer) 13812345678", "18:03:05.130",
        "2026-11-23 18:03:05.120 18:03:06.120", "a.ringing"}) {
    BOOST_TEST(text.find(part) != std::string::npos, part << " is not in\n" << text);
  }
  BOOST_TEST(text.ends_with("\nIt rang.\n"));
}

BOOST_AUTO_TEST_CASE(a_report_tells_of_the_recording) {
  const auto told = [&] { return call_report(record, timeline, "", true); };
  BOOST_TEST(told().find("recording") == std::string::npos);
  record.folded.recording_state = "expected";
  record.folded.recording_expected_at = at;
  BOOST_TEST(told().find("recording  expected, not before 2026-11-22 18:03:05.120\n") !=
             std::string::npos);
  record.folded.recording_state = "absent";
  record.folded.recording_reason = "no such file";
  BOOST_TEST(told().find("recording  absent: no such file\n") != std::string::npos);
  timeline.events[0].event.facts.file = "ivr";
  BOOST_TEST(told().find("file=ivr") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_is_the_agent_of_an_inbound_call_too) {
  record.constants.direction = "in";
  std::swap(record.folded.caller, record.folded.called);
  const std::string text = call_report(record, timeline, "It rang.", true);
  BOOST_TEST(text.find("A (agent) 13912340001, B (customer) 13812345678") != std::string::npos,
             text);
  BOOST_TEST(call_line(record, "It rang.", true).find("  13812345678   It rang.") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(no_number_is_whole_unless_it_is_asked_for) {
  Rejection rejection;
  rejection.detail = "phone 13812345678 is busy";
  rejection.agent = "13912340001";
  const std::string text = call_report(record, timeline, "story", false) +
                           call_line(record, "story", false) + refused_line(rejection);
  BOOST_TEST(text.find("13812345678") == std::string::npos, text);
  BOOST_TEST(text.find("13912340001") == std::string::npos, text);
  BOOST_TEST(text.find("138****5678") != std::string::npos, text);
  BOOST_TEST(text.find("request=84a9ba735552213089d98c61") != std::string::npos, text);
}

BOOST_AUTO_TEST_SUITE_END()
