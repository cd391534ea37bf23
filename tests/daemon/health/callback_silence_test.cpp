// Whether a channel's callbacks come, and how one that fell silent is trusted again.
#include "health/callback_silence.hpp"

#include <boost/test/unit_test.hpp>

#include "health/standing.hpp"

using namespace cc;

namespace {

constexpr std::int64_t second = 1'000;
constexpr std::int64_t now = 1'000'000 * second;
const SilenceLimits limits;
using Calls = std::vector<HeardCall>;

CallbackSilence judge(const CallbackSilence& before, const Calls& calls,
                      std::int64_t drained_ms = now) {
  return judge_callback_silence(before, calls, drained_ms, now, limits);
}

HeardCall silent(std::int64_t ago_ms) {
  HeardCall call;
  call.accepted_ms = now - ago_ms;
  return call;
}

HeardCall heard(std::int64_t ago_ms, std::int64_t after_ms, std::int64_t last_after_ms) {
  HeardCall call = silent(ago_ms);
  call.first_event_ms = call.accepted_ms + after_ms;
  call.last_event_ms = call.accepted_ms + last_after_ms;
  return call;
}

HeardCall heard(std::int64_t ago_ms, std::int64_t after_ms) {
  return heard(ago_ms, after_ms, after_ms);
}

Calls three_silent() {
  return {silent(31 * second), silent(40 * second), silent(50 * second)};
}

/// Of a channel that usually is heard of within 2 s.
CallbackSilence used_to(std::int64_t p99_ms) {
  CallbackSilence state;
  state.p50_ms = p99_ms / 2;
  state.p99_ms = p99_ms;
  return state;
}

CallbackSilence fallen_silent() {
  CallbackSilence state = used_to(2 * second);
  state.since_ms = now - 20 * second;
  state.why = "silent";
  state.pause_ms = 15 * second;
  state.next_trial_ms = now - 5 * second;
  return state;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(callback_silence)

BOOST_AUTO_TEST_CASE(a_call_is_overdue_by_what_is_usual_but_never_soon) {
  BOOST_TEST(overdue_after({}, limits).count() == 30 * second);
  BOOST_TEST(overdue_after(used_to(second), limits).count() == 10 * second);
  BOOST_TEST(overdue_after(used_to(5 * second), limits).count() == 15 * second);
}

BOOST_AUTO_TEST_CASE(three_overdue_calls_without_a_word_are_silence) {
  const CallbackSilence after = judge({}, three_silent());
  BOOST_TEST(after.since_ms.value() == now);
  BOOST_TEST(after.missing == 3);
  BOOST_TEST(after.pause_ms == 15 * second);
  BOOST_TEST(after.next_trial_ms == now + 15 * second);
  BOOST_TEST(!after.why.empty());
}

BOOST_AUTO_TEST_CASE(two_are_none) {
  Calls calls = three_silent();
  calls.pop_back();
  const CallbackSilence after = judge({}, calls);
  BOOST_TEST(!after.since_ms);
  BOOST_TEST(after.missing == 2);
  // The third may still be heard of.
  calls.push_back(silent(29 * second));
  BOOST_TEST(!judge({}, calls).since_ms);
}

BOOST_AUTO_TEST_CASE(one_of_the_newest_three_that_was_heard_of_is_enough) {
  Calls calls = three_silent();
  calls.push_back(heard(35 * second, second));
  BOOST_TEST(!judge({}, calls).since_ms);
  // An older one is not.
  calls.back() = heard(100 * second, second);
  BOOST_TEST(judge({}, calls).since_ms.has_value());
}

BOOST_AUTO_TEST_CASE(any_word_since_shows_that_callbacks_come) {
  Calls calls = three_silent();
  calls.push_back(heard(600 * second, second, 599'500));  // of a long talk's end just now
  BOOST_TEST(!judge({}, calls).since_ms);
  calls.back() = heard(600 * second, second, 500 * second);
  BOOST_TEST(judge({}, calls).since_ms.has_value());
}

BOOST_AUTO_TEST_CASE(what_lies_undrained_is_no_silence) {
  BOOST_TEST(!judge({}, three_silent(), now - 10 * second).since_ms);
  BOOST_TEST(judge({}, three_silent(), now - 500).since_ms.has_value());
}

BOOST_AUTO_TEST_CASE(the_usual_delay_is_learnt_from_five_calls_on) {
  Calls calls;
  for (int i = 1; i <= 4; ++i) calls.push_back(heard(100 * second + i, i * second));
  BOOST_TEST(!judge({}, calls).p99_ms);
  calls.push_back(heard(100 * second, -300));  // it overtook the answer
  const CallbackSilence after = judge({}, calls);
  BOOST_TEST(after.p50_ms.value() == 2 * second);
  BOOST_TEST(after.p99_ms.value() == 4 * second);
}

BOOST_AUTO_TEST_CASE(what_is_usual_is_not_learnt_in_silence) {
  Calls calls;
  for (int i = 0; i < 20; ++i) calls.push_back(heard(200 * second + i, 60 * second));
  const CallbackSilence after = judge(fallen_silent(), calls);
  BOOST_TEST(after.since_ms.has_value());
  BOOST_TEST(after.p99_ms.value() == 2 * second);
}

BOOST_AUTO_TEST_CASE(silence_lasts_until_a_word_comes) {
  const CallbackSilence before = fallen_silent();
  // That trial calls are few, or none, is no word.
  BOOST_TEST(judge(before, {}).since_ms.value() == *before.since_ms);
  BOOST_TEST(judge(before, {silent(12 * second)}).since_ms.value() == *before.since_ms);
  BOOST_TEST(judge(before, {silent(12 * second)}).pause_ms == 15 * second);
  // Nor is one that came before.
  BOOST_TEST(judge(before, {heard(100 * second, second)}).since_ms.has_value());
}

BOOST_AUTO_TEST_CASE(a_trial_call_that_is_heard_of_ends_it) {
  const CallbackSilence after = judge(fallen_silent(), {heard(4 * second, second)});
  BOOST_TEST(!after.since_ms);
  BOOST_TEST(after.why.empty());
  BOOST_TEST(after.pause_ms == 0);
  BOOST_TEST(after.next_trial_ms == 0);
  // And the calls that were not heard of then don't bring it back.
  Calls calls = three_silent();
  calls.push_back(heard(4 * second, second));
  BOOST_TEST(!judge(after, calls).since_ms);
}

BOOST_AUTO_TEST_CASE(a_silent_channel_is_degraded_but_for_its_trial_call) {
  ChannelState state;
  BOOST_TEST((state.standing() == Standing::whole));
  state.silence = fallen_silent();
  BOOST_TEST((state.standing() == Standing::degraded));
  state.breaker.trials = 1;
  BOOST_TEST((state.standing() == Standing::trial));
  state.breaker.phase = Breaker::Phase::open;
  BOOST_TEST((state.standing() == Standing::out));
  state.breaker.phase = Breaker::Phase::half_open;
  BOOST_TEST((state.standing() == Standing::trial));
  state.breaker.trials = 0;
  BOOST_TEST((state.standing() == Standing::out));
  state.forced = "closed";
  BOOST_TEST((state.standing() == Standing::whole));
  state.forced = "open";
  BOOST_TEST((state.standing() == Standing::shut));
}

BOOST_AUTO_TEST_SUITE_END()
