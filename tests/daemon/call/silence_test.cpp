// When an open call counts as silent.
#include <boost/test/unit_test.hpp>

#include "call/reaper.hpp"

using namespace cc;

namespace {
constexpr std::int64_t minute = 60'000;
}

BOOST_AUTO_TEST_CASE(a_call_without_any_event_is_silent_three_minutes_after_sending) {
  BOOST_TEST(silence_deadline_ms({1000, std::nullopt, false, 3600}) == 1000 + 3 * minute);
}

BOOST_AUTO_TEST_CASE(a_call_without_a_sign_of_leg_b_is_silent_three_minutes_after_its_last_event) {
  BOOST_TEST(silence_deadline_ms({1000, 50'000, false, 3600}) == 50'000 + 3 * minute);
}

BOOST_AUTO_TEST_CASE(a_call_that_may_be_talking_has_its_whole_duration_and_five_minutes) {
  BOOST_TEST(silence_deadline_ms({1000, 50'000, true, 600}) == 50'000 + 600'000 + 5 * minute);
}
