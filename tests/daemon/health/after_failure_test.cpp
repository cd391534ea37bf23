// Whether a call whose attempt failed may be tried elsewhere: the table of rules.md, "Attempts",
// row by row, with what the channel's codes make of it.
#include <boost/test/unit_test.hpp>

#include "call/failover.hpp"
#include "channel/e9.hpp"

using namespace cc;

namespace {

constexpr std::int64_t created = 1'000'000;

/// An attempt that may be followed by another.
FailedAttempt never_rang() {
  FailedAttempt failed;
  failed.channel = "e9";
  failed.agent = "13900001111";
  failed.refused = failed.never_dialled = failed.ours = true;
  failed.words = "connect: connection refused";
  return failed;
}

Failover decide(const FailedAttempt& failed, bool names_agent = false, bool names_channel = false,
                std::int64_t after_ms = 1'000) {
  return after_failure(failed, names_agent, names_channel, created, created + after_ms);
}

/// As the channel's answer has it.
FailedAttempt refused_with(const std::string& code, long http_status = 200) {
  const OriginateAnswer answer = judge_e9_refusal(code, "", http_status);
  FailedAttempt failed = never_rang();
  failed.refused = answer.outcome == OriginateAnswer::Outcome::refused;
  failed.never_dialled = answer.never_dialled;
  return failed;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(failing_over)

BOOST_AUTO_TEST_CASE(what_was_never_sent_may_go_to_another_channel) {
  const Failover decision = decide(never_rang());
  BOOST_TEST(decision.next);
  BOOST_TEST(decision.other_channel);
  BOOST_TEST(!decision.same_channel);
  BOOST_TEST(decision.reason == "attempt 1 at e9 never rang (connect: connection refused)");
}

BOOST_AUTO_TEST_CASE(so_may_what_was_refused_with_a_code_of_the_list) {
  for (const char* code : {"900000", "900107", "900122", "900199", "900204", "900208", "900222"}) {
    BOOST_TEST(decide(refused_with(code)).next, code);
  }
  BOOST_TEST(decide(refused_with("900122", 503)).next);  // documented, whatever the status
}

BOOST_AUTO_TEST_CASE(what_was_refused_for_the_number_or_with_any_other_code_never) {
  for (const char* code : {"900200", "900201", "900202", "900203", "900220", "900221", "900209",
                           "900210", "900215", "900224", "800001", "900300", "nonsense"}) {
    const Failover decision = decide(refused_with(code));
    BOOST_TEST(!decision.next, code);
    BOOST_TEST(!decision.reason.empty());
  }
}

BOOST_AUTO_TEST_CASE(what_nobody_knows_of_never) {
  FailedAttempt failed = never_rang();
  failed.refused = failed.never_dialled = false;  // timed out, broken, 5xx
  BOOST_TEST(!decide(failed).next);
  BOOST_TEST(decide(failed).reason == "it may have rung");
  BOOST_TEST(!decide(refused_with("112", 500)).next);  // somebody else's code
}

BOOST_AUTO_TEST_CASE(what_is_not_wanted_any_more_never) {
  FailedAttempt failed = never_rang();
  failed.hangup_asked = true;
  BOOST_TEST(!decide(failed).next);
}

BOOST_AUTO_TEST_CASE(a_late_refusal_closes_and_never_fails_over) {
  FailedAttempt failed = never_rang();
  failed.ours = false;
  BOOST_TEST(!decide(failed).next);
}

BOOST_AUTO_TEST_CASE(an_agent_that_the_request_names_is_never_left) {
  BOOST_TEST(!decide(never_rang(), true, false).next);
  BOOST_TEST(!decide(never_rang(), true, true).next);
  FailedAttempt failed = never_rang();
  failed.line_fault = true;
  BOOST_TEST(!decide(failed, true, false).next);
}

BOOST_AUTO_TEST_CASE(a_channel_that_the_request_names_only_for_another_line_of_it) {
  BOOST_TEST(!decide(never_rang(), false, true).next);
  FailedAttempt failed = never_rang();
  failed.line_fault = true;
  const Failover decision = decide(failed, false, true);
  BOOST_TEST(decision.next);
  BOOST_TEST(decision.same_channel);
  BOOST_TEST(!decision.other_channel);
}

BOOST_AUTO_TEST_CASE(a_line_that_failed_leaves_its_channel_open) {
  FailedAttempt failed = never_rang();
  failed.line_fault = true;
  const Failover decision = decide(failed);
  BOOST_TEST(decision.next);
  BOOST_TEST(decision.same_channel);
  BOOST_TEST(decision.other_channel);
}

BOOST_AUTO_TEST_CASE(there_are_three_attempts_at_most) {
  FailedAttempt failed = never_rang();
  failed.attempt = 2;
  BOOST_TEST(decide(failed).next);
  failed.attempt = 3;
  BOOST_TEST(!decide(failed).next);
}

BOOST_AUTO_TEST_CASE(all_of_them_begin_within_fifteen_seconds) {
  BOOST_TEST(decide(never_rang(), false, false, 14'999).next);
  BOOST_TEST(!decide(never_rang(), false, false, 15'000).next);
}

BOOST_AUTO_TEST_SUITE_END()
