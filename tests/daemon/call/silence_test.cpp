// When an open call counts as silent.
#include <boost/test/unit_test.hpp>

#include "call/reaper.hpp"

using namespace cc;

namespace {
constexpr std::int64_t minute = 60'000;

std::int64_t deadline(const Silence& silence) {
  return silence_deadline_ms(silence, Config::Reaper{});
}
}  // namespace

BOOST_AUTO_TEST_CASE(a_call_without_any_event_is_silent_three_minutes_after_sending) {
  BOOST_TEST(deadline({1000, std::nullopt, false, 3600}) == 1000 + 3 * minute);
}

BOOST_AUTO_TEST_CASE(a_call_without_a_sign_of_leg_b_is_silent_three_minutes_after_its_last_event) {
  BOOST_TEST(deadline({1000, 50'000, false, 3600}) == 50'000 + 3 * minute);
}

BOOST_AUTO_TEST_CASE(a_call_that_may_be_talking_has_its_whole_duration_and_five_minutes) {
  BOOST_TEST(deadline({1000, 50'000, true, 600}) == 50'000 + 600'000 + 5 * minute);
}

BOOST_AUTO_TEST_CASE(the_limits_are_configuration) {
  Config::Reaper limits;
  limits.silence = Millis{2000};
  limits.grace = Millis{1000};
  BOOST_TEST(silence_deadline_ms({1000, std::nullopt, false, 3600}, limits) == 3000);
  BOOST_TEST(silence_deadline_ms({1000, 50'000, true, 10}, limits) == 61'000);
}
