// How long a recording is tried for, and what it is called.
#include "recording/patience.hpp"

#include <boost/test/unit_test.hpp>

#include "record.hpp"
#include "recording/object_name.hpp"
#include "recording/store_standing.hpp"

using namespace cc;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t hour = 3'600'000, day = 24 * hour;

ChannelRecordings e9() {
  ChannelRecordings channel;
  channel.ready_after = 10min;
  channel.kept = 30 * 24h;
  return channel;
}

std::string verdict(TryTrouble end, std::int64_t age_ms, int tries,
                    const ChannelRecordings& channel = e9()) {
  const TryState state{1'000'000, tries, "HTTP 500"};
  return give_up(end, state, channel, 24h, 1'000'000 + age_ms).value_or("");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(patience)

BOOST_AUTO_TEST_CASE(none_ends_after_a_day_and_three_tries) {
  BOOST_TEST(verdict(TryTrouble::none, day, 10) == "");
  BOOST_TEST(verdict(TryTrouble::none, day + 600'000, 2) == "");
  BOOST_TEST(verdict(TryTrouble::none, day + 600'000, 3) ==
             "the channel has had no such file for 24 h");
  BOOST_TEST(verdict(TryTrouble::trouble, 20 * day, 100) == "");
}

BOOST_AUTO_TEST_CASE(trouble_ends_when_the_channel_has_deleted_it) {
  BOOST_TEST(verdict(TryTrouble::trouble, 30 * day - 1, 100) == "");
  BOOST_TEST(verdict(TryTrouble::trouble, 30 * day, 1) ==
             "could not be fetched before the channel deleted it: HTTP 500");
  BOOST_TEST(verdict(TryTrouble::none, 30 * day, 1) ==
             "could not be fetched before the channel deleted it: HTTP 500");
  BOOST_TEST(verdict(TryTrouble::trouble, 89 * day, 1, {}) == "");
  BOOST_TEST(verdict(TryTrouble::trouble, 90 * day, 1, {}) ==
             "could not be fetched within 90 days: HTTP 500");
  BOOST_TEST(verdict(TryTrouble::none, -day, 100) == "");
}

BOOST_AUTO_TEST_CASE(pauses_double_up_to_the_longest) {
  const Millis::rep expected[] = {60, 60, 120, 240, 480, 960, 1920, 3600, 3600};
  for (int tries = 0; tries < 9; ++tries) {
    BOOST_TEST(longest_pause_after(tries, 1min, 1h).count() == expected[tries] * 1000);
  }
  BOOST_TEST(longest_pause_after(1'000'000'000, 1min, 1h).count() == hour);
  BOOST_TEST(longest_pause_after(3, 2h, 1h).count() == hour);
}

BOOST_AUTO_TEST_CASE(problems_are_bounded_and_hold_no_number) {
  BOOST_TEST(tellable_problem("of 13812345678") == "of 138****5678");
  BOOST_TEST(tellable_problem(std::string(1000, 'x')).size() == 240U);
  BOOST_TEST(duration_text(24h) == "24 h");
  BOOST_TEST(duration_text(48h) == "2 days");
  BOOST_TEST(duration_text(90s) == "90 s");
}

BOOST_AUTO_TEST_CASE(names_tell_tenant_day_and_call) {
  // 2026-11-22T16:30Z is the 23rd in UTC+8.
  const std::int64_t call = make_call_id(1'795'365'000'000, 7);
  const std::string number = std::to_string(call);
  BOOST_TEST(object_name("acme", call, false, ".mp3") == "acme/2026/11/23/" + number + ".mp3");
  BOOST_TEST(object_name("acme", call, true, ".wav") == "acme/2026/11/23/" + number + "-ivr.wav");
  BOOST_TEST(object_name("..", call, false, "./../x") == "_./2026/11/23/" + number + "._.._x");
  BOOST_TEST(object_name("a/b c", call, false, "") == "a_b_c/2026/11/23/" + number);
}

BOOST_AUTO_TEST_CASE(a_store_that_refuses_is_left_alone_and_tried_by_one) {
  StoreStanding standing;
  StoreStanding::Time now{1h};
  BOOST_TEST(standing.allows(4, 0, now) == 4U);
  for (int i = 0; i < 7; ++i) standing.failed({"network", "reset", false}, now);
  BOOST_TEST(standing.allows(4, 0, now) == 4U);
  standing.well();
  standing.failed({"network", "reset", false}, now);
  BOOST_TEST(!standing.down());
  standing.failed({"AccessDenied", "no", true}, now);
  BOOST_TEST(standing.down());
  BOOST_TEST(standing.allows(4, 0, now) == 0U);
  now += 6s;
  BOOST_TEST(standing.allows(4, 0, now) == 1U);
  BOOST_TEST(standing.allows(4, 1, now) == 0U);
  standing.failed({"AccessDenied", "no", true}, now);
  BOOST_TEST(standing.allows(4, 0, now) == 0U);
  standing.well();
  BOOST_TEST(standing.allows(4, 0, now) == 4U);
}

BOOST_AUTO_TEST_SUITE_END()
