// Whose an event of a polled line is that names no call.
#include "dispatch/line_events.hpp"

#include <boost/test/unit_test.hpp>

#include "dispatch/batch.hpp"

using namespace cc;

namespace {

FoundEvent event(EventName name, std::int64_t received, std::string id = {}) {
  FoundEvent item;
  item.channel = "hw";
  item.found.subject = "291";
  item.found.channel_call_id = id;
  item.found.event.name = name;
  item.found.event.source = Source::poll;
  item.found.event.received_ms = received;
  if (!id.empty()) item.found.event.facts.channel_call_id = id;
  return item;
}

LineAttempt attempt(std::int64_t call, std::int64_t sent, std::string id = {},
                    std::string state = "accepted") {
  LineAttempt made;
  made.call = call;
  made.attempt = 1;
  made.sent = sent;
  made.state = std::move(state);
  made.channel_call_id = std::move(id);
  return made;
}

/// Newest first, as they are found.
LineAttempts lines(std::vector<LineAttempt> attempts) {
  std::map<LineName, std::vector<LineAttempt>> found;
  found[{"hw", "291"}] = std::move(attempts);
  return LineAttempts(std::move(found));
}

std::int64_t owner(LineAttempts& known, FoundEvent item) {
  known.assign(item);
  return item.found.call.value_or(0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(line_events)

BOOST_AUTO_TEST_CASE(it_is_the_attempt_s_in_whose_time_it_was_read) {
  LineAttempts known = lines({attempt(2, 5000), attempt(1, 1000)});
  BOOST_TEST(owner(known, event(EventName::a_ringing, 999)) == 0);
  BOOST_TEST(owner(known, event(EventName::a_ringing, 1000)) == 1);
  BOOST_TEST(owner(known, event(EventName::a_ringing, 4999)) == 1);
  BOOST_TEST(owner(known, event(EventName::a_ringing, 5000)) == 2);
  FoundEvent elsewhere = event(EventName::a_ringing, 6000);
  elsewhere.found.subject = "292";
  BOOST_TEST(owner(known, elsewhere) == 0);
}

BOOST_AUTO_TEST_CASE(a_phone_going_on_its_hook_is_the_call_s_before_until_the_new_one_shows_life) {
  LineAttempts known = lines({attempt(2, 5000), attempt(1, 1000)});
  BOOST_TEST(owner(known, event(EventName::closed, 5100)) == 1);
  BOOST_TEST(owner(known, event(EventName::a_ringing, 5200)) == 2);
  BOOST_TEST(owner(known, event(EventName::closed, 5300)) == 2);
  // Read before that sign of life, understood after it.
  BOOST_TEST(owner(known, event(EventName::closed, 5150)) == 1);
  LineAttempts first = lines({attempt(1, 1000)});
  BOOST_TEST(owner(first, event(EventName::closed, 1100)) == 0);
}

BOOST_AUTO_TEST_CASE(an_event_whose_call_is_known_by_its_id_is_a_sign_of_life_too) {
  LineAttempts known = lines({attempt(2, 5000, "7-2"), attempt(1, 1000, "7-1")});
  known.hear(event(EventName::b_ringing, 5050, "7-2"), 2, 1);
  BOOST_TEST(owner(known, event(EventName::closed, 5100)) == 2);
}

BOOST_AUTO_TEST_CASE(an_unknown_id_is_the_attempt_s_that_has_none) {
  LineAttempts known = lines({attempt(2, 5000), attempt(1, 1000)});
  BOOST_TEST(owner(known, event(EventName::b_ringing, 5100, "7-2")) == 2);
  BOOST_TEST(owner(known, event(EventName::connected, 5200, "7-2")) == 2);
  BOOST_TEST(owner(known, event(EventName::connected, 5300, "9-9")) == 0);
  LineAttempts named = lines({attempt(1, 1000, "7-1")});
  BOOST_TEST(owner(named, event(EventName::connected, 1300, "9-9")) == 0);
}

BOOST_AUTO_TEST_CASE(a_call_that_came_in_is_not_ours) {
  LineAttempts known = lines({attempt(1, 1000)});
  FoundEvent item = event(EventName::connected, 1100, "7-1");
  item.found.event.facts.inbound = true;
  BOOST_TEST(owner(known, item) == 0);
}

BOOST_AUTO_TEST_CASE(what_never_began_has_no_events) {
  LineAttempts known = lines({attempt(1, 1000, "", "refused")});
  BOOST_TEST(owner(known, event(EventName::a_ringing, 1100)) == 0);
  LineAttempts between =
      lines({attempt(3, 5000), attempt(2, 3000, "", "refused"), attempt(1, 1000)});
  BOOST_TEST(owner(between, event(EventName::closed, 5100)) == 1);
  BOOST_TEST(owner(between, event(EventName::a_ringing, 3100)) == 1);
  LineAttempts unknown = lines({attempt(1, 1000, "", "unknown")});
  BOOST_TEST(owner(unknown, event(EventName::a_ringing, 1100)) == 1);
}

BOOST_AUTO_TEST_CASE(what_the_phone_does_after_the_end_is_no_part_of_the_call_but_going_on_its_hook) {
  LineAttempts known = lines({attempt(1, 1000, "7-1")});
  BOOST_TEST(owner(known, event(EventName::a_ringing, 1100)) == 1);
  known.hear(event(EventName::closed, 9000, "7-1"), 1, 1);
  BOOST_TEST(owner(known, event(EventName::closed, 9500)) == 1);
  BOOST_TEST(owner(known, event(EventName::a_ringing, 8'900)) == 1);  // read before the end
  BOOST_TEST(owner(known, event(EventName::a_answered, 9'100)) == 0);
  BOOST_TEST(owner(known, event(EventName::closed, 69'000)) == 1);
  BOOST_TEST(owner(known, event(EventName::recorded, 69'001)) == 0);
  BOOST_TEST(owner(known, event(EventName::b_ringing, 9600, "9-9")) == 0);
}

BOOST_AUTO_TEST_CASE(callbacks_are_none_of_its_business) {
  LineAttempts known = lines({attempt(1, 1000)});
  FoundEvent item = event(EventName::a_ringing, 1100);
  item.found.event.source = Source::callback;
  BOOST_TEST(owner(known, item) == 0);
  BOOST_TEST(!has_line_events({item}));
  BOOST_TEST(has_line_events({event(EventName::a_ringing, 1)}));
}

BOOST_AUTO_TEST_SUITE_END()
