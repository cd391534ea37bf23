// When a channel is left alone, tried again and trusted again (rules.md, "Health").
#include <boost/test/unit_test.hpp>

#include "verdicts.hpp"

using namespace cc;
using namespace cc::test;
using Phase = Breaker::Phase;

namespace {

constexpr std::int64_t now = 1'000 * minute;
const BreakerLimits limits;

std::optional<Breaker> judge(const Breaker& before, const Verdicts& recent, std::int64_t at = now,
                             double jitter = 0) {
  return judge_breaker(before, recent, at, limits, jitter);
}

Verdicts mixed(int good, int bad) {
  Verdicts list;
  for (int i = 0; i < good; ++i) list.push_back(well(now - 30 * second + i));
  for (int i = 0; i < bad; ++i) list.push_back(failed(now - 20 * second + i));
  return list;
}

Breaker opened(std::int64_t open_ms, bool by_finals = false) {
  Breaker breaker;
  breaker.phase = Phase::open;
  breaker.since_ms = now - open_ms;
  breaker.open_ms = open_ms;
  breaker.next_trial_ms = now;
  breaker.by_finals = by_finals;
  breaker.why = "it failed";
  return breaker;
}

Breaker half_open(int trials, std::int64_t trial_at_ms, bool by_finals = false) {
  Breaker breaker = opened(15 * second, by_finals);
  breaker.phase = Phase::half_open;
  breaker.since_ms = now - 10 * second;
  breaker.next_trial_ms = 0;
  breaker.trials = trials;
  breaker.trial_at_ms = trial_at_ms;
  return breaker;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(breaker)

BOOST_AUTO_TEST_CASE(half_of_at_least_ten_calls_opens_it) {
  BOOST_TEST(!judge({}, {}));
  BOOST_TEST(!judge({}, mixed(0, 9)));  // too few to tell
  BOOST_TEST(!judge({}, mixed(6, 5)));
  BOOST_TEST(!judge({}, mixed(51, 49)));
  for (const auto& [good, bad] : {std::pair{5, 5}, {0, 10}, {50, 50}}) {
    const auto after = judge({}, mixed(good, bad));
    BOOST_REQUIRE(after);
    BOOST_TEST((after->phase == Phase::open));
    BOOST_TEST(after->since_ms == now);
    BOOST_TEST(after->open_ms == 15 * second);
    BOOST_TEST(after->next_trial_ms == now + 15 * second);
    BOOST_TEST(!after->by_finals);
    BOOST_TEST(after->trials == 0);
    BOOST_TEST(!after->why.empty());
  }
}

BOOST_AUTO_TEST_CASE(only_the_last_minute_counts) {
  Verdicts list;
  add(list, 20, failed(now - 61 * second));
  add(list, 9, failed(now - 30 * second));
  BOOST_TEST(!judge({}, list));
  list.push_back(failed(now - 30 * second));
  BOOST_TEST(judge({}, list).has_value());
}

BOOST_AUTO_TEST_CASE(a_call_counts_by_when_the_channel_took_it) {
  Verdicts list;
  // Long calls that end badly just now: of those that ended well nobody tells.
  add(list, 10, ended(now - 20 * minute, ChannelVerdict::failed, 20 * minute - second));
  BOOST_TEST(!judge({}, list));
  add(list, 10, ended(now - 30 * second, ChannelVerdict::failed, 29 * second));
  const auto after = judge({}, list);
  BOOST_REQUIRE(after);
  BOOST_TEST(after->by_finals);
}

BOOST_AUTO_TEST_CASE(five_unreachable_in_a_row_open_it_at_once) {
  Verdicts list;
  for (int i = 0; i < 4; ++i) list.push_back(unreachable(now - 10 * second + i * second));
  BOOST_TEST(!judge({}, list));
  list.push_back(unreachable(now - second));
  const auto after = judge({}, list);
  BOOST_REQUIRE(after);
  BOOST_TEST((after->phase == Phase::open));
  // Whatever was well before them.
  for (int i = 0; i < 50; ++i) list.push_back(well(now - 40 * second + i));
  BOOST_TEST(judge({}, list).has_value());
}

BOOST_AUTO_TEST_CASE(failures_of_another_kind_are_no_row) {
  Verdicts list;
  for (int i = 0; i < 4; ++i) list.push_back(unreachable(now - 10 * second + i * second));
  list.push_back(failed(now - second));  // it was reached
  BOOST_TEST(!judge({}, list));
}

BOOST_AUTO_TEST_CASE(a_success_among_the_last_five_is_no_row) {
  Verdicts list;
  for (int i = 0; i < 5; ++i) list.push_back(unreachable(now - 10 * second + i * second));
  list.push_back(well(now - 7'500));
  BOOST_TEST(!judge({}, list));
}

BOOST_AUTO_TEST_CASE(a_success_begun_since_the_first_of_them_is_no_row) {
  // Those five have waited for 3 s each, while others that were begun later went well at once.
  Verdicts list;
  for (int i = 0; i < 5; ++i) list.push_back(unreachable(now - 4 * second + i, 3 * second));
  list.push_back(well(now - 3 * second, 50));
  BOOST_TEST(!judge({}, list));
  // One that was begun before them says nothing of now, even if it is answered among them.
  list.back() = well(now - 5 * second, 50);
  BOOST_TEST(judge({}, list).has_value());
}

BOOST_AUTO_TEST_CASE(finals_are_no_row) {
  Verdicts list;
  add(list, 9, ended(now - 20 * second, ChannelVerdict::failed));
  BOOST_TEST(!judge({}, list));
  // Accepted just now and not ended yet: the share falls.
  Verdicts more = list;
  for (int i = 0; i < 10; ++i) more.push_back(well(now - second));
  BOOST_TEST(!judge({}, more));
  list.push_back(ended(now - 10 * second, ChannelVerdict::failed));
  const auto after = judge({}, list);
  BOOST_REQUIRE(after);
  BOOST_TEST(after->by_finals);
}

BOOST_AUTO_TEST_CASE(what_fails_mostly_at_once_is_not_opened_by_finals) {
  Verdicts list;
  add(list, 6, failed(now - 20 * second));
  add(list, 5, ended(now - 20 * second, ChannelVerdict::failed));
  BOOST_TEST(!judge({}, list)->by_finals);
}

BOOST_AUTO_TEST_CASE(what_was_begun_before_it_closed_has_had_its_effect) {
  Breaker closed;
  closed.since_ms = now - 10 * second;
  closed.open_ms = 15 * second;
  Verdicts list;
  add(list, 30, unreachable(now - 11 * second, 10'900));
  BOOST_TEST(!judge(closed, list));
}

BOOST_AUTO_TEST_CASE(it_stays_open_until_its_time) {
  const Breaker before = opened(15 * second);
  BOOST_TEST(!judge(before, {}, now - 1));
  BOOST_TEST(!judge(before, mixed(100, 0), now - 1));
  const auto after = judge(before, mixed(0, 100));
  BOOST_REQUIRE(after);
  BOOST_TEST((after->phase == Phase::half_open));
  BOOST_TEST(after->since_ms == now);
  BOOST_TEST(after->trials == 3);
  BOOST_TEST(after->trial_at_ms == now);
  BOOST_TEST(after->next_trial_ms == 0);
  BOOST_TEST(after->open_ms == 15 * second);
}

BOOST_AUTO_TEST_CASE(three_trials_that_all_go_well_close_it) {
  const Breaker before = half_open(0, now - second);
  Verdicts list = {well(now - 3 * second), well(now - 2 * second)};
  BOOST_TEST(!judge(before, list));
  list.push_back(well(now - 11 * second));  // begun before it was half open: no trial
  BOOST_TEST(!judge(before, list));
  list.push_back(well(now - second));
  const auto after = judge(before, list);
  BOOST_REQUIRE(after);
  BOOST_TEST((after->phase == Phase::closed));
  BOOST_TEST(after->since_ms == now);
  BOOST_TEST(after->open_ms == 15 * second);  // how long it was, in case it fails soon
  BOOST_TEST(after->trials == 0);
  BOOST_TEST(after->why.empty());
}

BOOST_AUTO_TEST_CASE(one_trial_that_fails_opens_it_for_twice_as_long) {
  const Breaker before = half_open(1, now - second);
  const auto after = judge(before, {well(now - 3 * second), failed(now - 2 * second)});
  BOOST_REQUIRE(after);
  BOOST_TEST((after->phase == Phase::open));
  BOOST_TEST(after->open_ms == 30 * second);
  BOOST_TEST(after->next_trial_ms == now + 30 * second);
  BOOST_TEST(after->trials == 0);
  // What fails late and was begun before is no trial.
  BOOST_TEST(!judge(before, {failed(now - 11 * second)}));
}

BOOST_AUTO_TEST_CASE(the_open_time_doubles_up_to_its_bound) {
  Breaker breaker = half_open(3, now);
  std::vector<std::int64_t> times;
  std::int64_t at = now;
  for (int i = 0; i < 8; ++i) {
    breaker = *judge(breaker, {failed(at)}, at + second);
    times.push_back(breaker.open_ms / second);
    at = breaker.next_trial_ms;
    breaker = *judge(breaker, {}, at);
    BOOST_TEST((breaker.phase == Phase::half_open));
  }
  BOOST_TEST(times == (std::vector<std::int64_t>{30, 60, 120, 240, 240, 240, 240, 240}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(calm_makes_the_next_time_the_first_again) {
  for (const auto& [calm_ms, expected] :
       {std::pair{9 * minute, 240 * second}, {10 * minute, 15 * second}}) {
    Breaker closed;
    closed.since_ms = now - calm_ms;
    closed.open_ms = 120 * second;
    BOOST_TEST(judge(closed, mixed(0, 10))->open_ms == expected);
  }
}

BOOST_AUTO_TEST_CASE(an_end_of_an_opening_is_spread_by_a_tenth) {
  BOOST_TEST(judge({}, mixed(0, 10), now, 0.0)->next_trial_ms == now + 15'000);
  BOOST_TEST(judge({}, mixed(0, 10), now, 0.5)->next_trial_ms == now + 15'750);
  BOOST_TEST(judge({}, mixed(0, 10), now, 0.999)->next_trial_ms < now + 16'500);
}

BOOST_AUTO_TEST_CASE(where_calls_failed_at_their_end_being_accepted_proves_nothing) {
  const Breaker before = half_open(0, now - second, true);
  Verdicts list;
  add(list, 3, well(now - 3 * second));
  BOOST_TEST(!judge(before, list));
  list.clear();
  add(list, 3, ended(now - 8 * second, ChannelVerdict::well));
  const auto after = judge(before, list);
  BOOST_REQUIRE(after);
  BOOST_TEST((after->phase == Phase::closed));
  list.push_back(ended(now - 8 * second, ChannelVerdict::failed));
  const auto again = judge(before, list);
  BOOST_REQUIRE(again);
  BOOST_TEST((again->phase == Phase::open));
  BOOST_TEST(again->by_finals);
}

BOOST_AUTO_TEST_CASE(trials_that_nobody_judged_are_given_out_again) {
  BOOST_TEST(!judge(half_open(0, now - 14 * second), {}));
  BOOST_TEST(!judge(half_open(1, now - 16 * second), {}));  // there is one left
  const auto after = judge(half_open(0, now - 15 * second), {});
  BOOST_REQUIRE(after);
  BOOST_TEST((after->phase == Phase::half_open));
  BOOST_TEST(after->trials == 3);
  BOOST_TEST(after->trial_at_ms == now);
  // One was judged: two are missing.
  BOOST_TEST(judge(half_open(0, now - 15 * second), {well(now - 5 * second)})->trials == 2);
}

BOOST_AUTO_TEST_CASE(trials_that_are_to_end_well_have_longer) {
  BOOST_TEST(!judge(half_open(0, now - 59 * second, true), {}));
  BOOST_TEST(judge(half_open(0, now - 60 * second, true), {})->trials == 3);
}

BOOST_AUTO_TEST_CASE(without_calls_it_waits_half_open) {
  const Breaker before = half_open(3, now - 10 * second);
  BOOST_TEST(!judge(before, {}, now + 24 * 60 * minute));
}

BOOST_AUTO_TEST_SUITE_END()
