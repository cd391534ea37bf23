// A channel over an hour, with calls as they come: its state must follow it, and not flutter.
#include <algorithm>
#include <functional>

#include <boost/test/unit_test.hpp>

#include "verdicts.hpp"

using namespace cc;
using namespace cc::test;
using Phase = Breaker::Phase;

namespace {

struct Hour {
  int changes = 0;       // of the phase
  int openings = 0;      // of a closed one
  int sent_bad = 0;      // calls that the channel got while it was bad
  int sent_good = 0;     // and while it was well
  int good_seconds = 0;  // for which it was well
  Phase last = Phase::closed;
};

/// A call each second, which goes there where the breaker allows it.
Hour live_through(const std::function<ChannelVerdict(std::int64_t)>& verdict_at) {
  const BreakerLimits limits;
  Breaker breaker;
  Verdicts recent;
  Hour hour;
  const auto judge = [&](std::int64_t at) {
    const auto after = judge_breaker(breaker, recent, at, limits, 0.5);
    if (!after) return;
    if (after->phase != breaker.phase) ++hour.changes;
    if (breaker.phase == Phase::closed) ++hour.openings;
    BOOST_REQUIRE(after->trials >= 0);
    breaker = *after;
  };
  constexpr std::int64_t begin = 1'000'000'000;
  for (std::int64_t at = begin; at < begin + 60 * minute; at += second) {
    const ChannelVerdict verdict = verdict_at(at - begin);
    if (verdict == ChannelVerdict::well) ++hour.good_seconds;
    judge(at);
    bool goes = breaker.phase == Phase::closed;
    if (breaker.phase == Phase::half_open && breaker.trials > 0) {
      --breaker.trials;
      breaker.trial_at_ms = at;
      goes = true;
    }
    if (!goes) continue;
    ++(verdict == ChannelVerdict::well ? hour.sent_good : hour.sent_bad);
    recent.push_back(taken(at, verdict, 200));
    std::erase_if(recent, [&](const Judged& old) { return old.taken_ms < at - 60 * minute; });
    judge(at + 200);
  }
  hour.last = breaker.phase;
  return hour;
}

ChannelVerdict good_if(bool good, ChannelVerdict otherwise = ChannelVerdict::failed) {
  return good ? ChannelVerdict::well : otherwise;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(flapping)

BOOST_AUTO_TEST_CASE(a_channel_that_does_well_is_never_left_alone) {
  const Hour hour = live_through([](std::int64_t) { return ChannelVerdict::well; });
  BOOST_TEST(hour.changes == 0);
  BOOST_TEST(hour.sent_good == 3600);
}

BOOST_AUTO_TEST_CASE(
    a_person_in_three_who_declines_is_no_fault_and_three_in_ten_failures_are_borne) {
  const Hour hour = live_through([](std::int64_t ms) { return good_if(ms / second % 10 >= 3); });
  BOOST_TEST(hour.changes == 0);
}

BOOST_AUTO_TEST_CASE(a_channel_that_is_out_for_an_hour_gets_a_handful_of_calls) {
  for (const ChannelVerdict how : {ChannelVerdict::failed, ChannelVerdict::unreachable}) {
    const Hour hour = live_through([how](std::int64_t) { return how; });
    BOOST_TEST((hour.last != Phase::closed));
    BOOST_TEST(hour.sent_bad <= 30);
  }
}

BOOST_AUTO_TEST_CASE(good_and_bad_minutes_in_turns_do_not_make_it_flutter) {
  for (const ChannelVerdict how : {ChannelVerdict::failed, ChannelVerdict::unreachable}) {
    const Hour hour =
        live_through([how](std::int64_t ms) { return good_if(ms / minute % 2 == 0, how); });
    BOOST_TEST_MESSAGE(hour.changes << " changes, " << hour.openings << " openings, "
                                    << hour.sent_bad << " calls failed");
    // Thirty bad minutes: were it opened, tried and closed each time, that would be 90 changes.
    // Each opening lasts twice as long as the one before, until one in four minutes is left.
    BOOST_TEST(hour.changes <= 40);
    BOOST_TEST(hour.openings <= 9);
    BOOST_TEST(hour.sent_bad <= 240);
  }
}

BOOST_AUTO_TEST_CASE(after_ten_bad_minutes_the_calls_come_back) {
  const Hour hour =
      live_through([](std::int64_t ms) { return good_if(ms < 10 * minute || ms >= 20 * minute); });
  BOOST_TEST((hour.last == Phase::closed));
  // The opening that its last failure brought lasts at most as long as it was bad.
  BOOST_TEST(hour.sent_good >= hour.good_seconds - 15 * 60);
  BOOST_TEST(hour.sent_bad <= 40);
}

BOOST_AUTO_TEST_SUITE_END()
