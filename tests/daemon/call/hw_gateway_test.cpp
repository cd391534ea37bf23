// What the agent gateway's answers mean for the session and for a call.
#include <boost/test/unit_test.hpp>

#include "channel/hw.hpp"

using namespace cc;
using Kind = SessionAnswer::Kind;
using Outcome = OriginateAnswer::Outcome;

namespace {

HwReply reply(std::string body, unsigned status = 200) {
  HwReply made;
  made.exchange.end = HttpExchange::End::answered;
  made.exchange.status = status;
  made.answer = read_hw_answer(body);
  made.session.code = made.answer.retcode;
  made.session.kind = judge_hw_retcode(made.answer.retcode, false);
  return made;
}

HwReply failed(HttpExchange::End end) {
  HwReply made;
  made.exchange.end = end;
  return made;
}

OriginateAnswer callout(const std::string& retcode, unsigned status = 200) {
  return judge_hw_callout(reply(R"({"message":"","retcode":")" + retcode + R"("})", status));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hw_gateway)

BOOST_AUTO_TEST_CASE(retcodes_of_a_session) {
  BOOST_TEST((judge_hw_retcode("0", false) == Kind::ok));
  for (const char* code : {"000-003", "100-006", "105-005", "105-006", "105-007"}) {
    BOOST_TEST((judge_hw_retcode(code, false) == Kind::lost), code);
    BOOST_TEST((judge_hw_retcode(code, true) == Kind::trouble), code);
  }
  for (const char* code : {"100-004", "110-016", "100-013", "100-014"}) {
    BOOST_TEST((judge_hw_retcode(code, true) == Kind::refused), code);
    BOOST_TEST((judge_hw_retcode(code, false) == Kind::trouble), code);
  }
  BOOST_TEST((judge_hw_retcode("999-999", true) == Kind::trouble));
}

BOOST_AUTO_TEST_CASE(the_guid_is_what_follows_jsessionid) {
  BOOST_TEST(guid_of("JSESSIONID=279fe21d-2caa-4437.AgentGateway0") ==
             "279fe21d-2caa-4437.AgentGateway0");
  BOOST_TEST(guid_of("JSESSIONID=a.b; Path=/") == "a.b");
  BOOST_TEST(guid_of("a.b") == "");
  BOOST_TEST(guid_of("JSESSIONID=") == "");
  BOOST_TEST(guid_of("JSESSIONID=a b") == "");
  BOOST_TEST(guid_of("JSESSIONID=" + std::string(600, 'x')) == "");
}

BOOST_AUTO_TEST_CASE(cookies_replace_their_namesakes) {
  std::string cookies = merge_cookies("", "route=1; Path=/; HttpOnly");
  BOOST_TEST(cookies == "route=1");
  cookies = merge_cookies(cookies, "lb=x");
  BOOST_TEST(cookies == "route=1; lb=x");
  cookies = merge_cookies(cookies, "route=2;Secure");
  BOOST_TEST(cookies == "lb=x; route=2");
  BOOST_TEST(merge_cookies(cookies, "nonsense") == cookies);
  BOOST_TEST(merge_cookies(cookies, "=x") == cookies);
  BOOST_TEST(merge_cookies(cookies, "big=" + std::string(5000, 'x')) == cookies);
}

BOOST_AUTO_TEST_CASE(an_accepted_callout_gives_the_call_s_id) {
  const OriginateAnswer answer =
      judge_hw_callout(reply(R"({"message":"","retcode":"0","result":"1476070409-38"})"));
  BOOST_TEST((answer.outcome == Outcome::accepted));
  BOOST_TEST(answer.channel_call_id == "1476070409-38");
  BOOST_TEST((callout("0").outcome == Outcome::accepted));
  BOOST_TEST(callout("0").channel_call_id == "");
}

BOOST_AUTO_TEST_CASE(a_session_that_is_over_has_dialled_nobody) {
  for (const char* code : {"000-003", "100-006", "105-005", "105-006", "105-007"}) {
    const OriginateAnswer answer = callout(code);
    BOOST_TEST((answer.outcome == Outcome::refused), code);
    BOOST_TEST(answer.never_dialled, code);
    BOOST_TEST(answer.session_over, code);
    BOOST_TEST(answer.close.type == "6", code);
  }
}

BOOST_AUTO_TEST_CASE(any_other_code_is_a_refusal_that_no_other_channel_mends) {
  for (const char* code : {"100-013", "100-014", "100-018", "whatever"}) {
    BOOST_TEST((callout(code).outcome == Outcome::refused), code);
    BOOST_TEST(!callout(code).never_dialled, code);
  }
  BOOST_TEST(callout("100-013").close.type == "1");
}

BOOST_AUTO_TEST_CASE(what_says_nothing_leaves_it_unknown) {
  BOOST_TEST((judge_hw_callout(reply("<html>", 502)).outcome == Outcome::unknown));
  BOOST_TEST((judge_hw_callout(reply("<html>", 200)).outcome == Outcome::unknown));
  BOOST_TEST((callout("0", 503).outcome == Outcome::unknown));
  BOOST_TEST((callout("whatever", 500).outcome == Outcome::unknown));
  BOOST_TEST((callout("100-006", 500).outcome == Outcome::refused));
  BOOST_TEST((judge_hw_callout(failed(HttpExchange::End::timed_out)).outcome == Outcome::unknown));
  BOOST_TEST((judge_hw_callout(failed(HttpExchange::End::broken)).outcome == Outcome::unknown));
  const OriginateAnswer unsent = judge_hw_callout(failed(HttpExchange::End::not_connected));
  BOOST_TEST((unsent.outcome == Outcome::refused));
  BOOST_TEST(unsent.never_dialled);
  BOOST_TEST(unsent.close.type == "7");
}

BOOST_AUTO_TEST_CASE(a_stored_session_comes_back) {
  LineSession session;
  session.ticket = "a.b";
  session.cookies = "x=\"1\"";
  session.handset = "40038";
  const Result<LineSession> read = session_from_text(to_text(session));
  BOOST_REQUIRE(static_cast<bool>(read));
  BOOST_TEST((*read == session));
  BOOST_TEST(!session_from_text("{}"));
  BOOST_TEST(!session_from_text("x"));
}

BOOST_AUTO_TEST_SUITE_END()
