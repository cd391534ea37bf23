// A call that a channel did not place is tried at another one, but only where nobody's phone can
// have rung (rules.md, "Attempts"): every row of that table.
#include <map>
#include <regex>

#include <boost/test/unit_test.hpp>

#include "several_channels.hpp"

using namespace cc::test;

namespace {

// What stands before a channel's URL has the timeout too.
Configuration::Changes changes() {
  return {health("open: 1s"),
          {"    baseUrl: @JIUYUN@\n", "    baseUrl: @JIUYUN@\n    answerTimeout: 2s\n"},
          {"    baseUrl: @JIUYUN2@\n", "    baseUrl: @JIUYUN2@\n    answerTimeout: 2s\n"}};
}

/// Its breakers are held closed: here every call is to begin at e9, however it has done before.
Stack& stack() {
  static const Configuration configuration(changes());
  static Stack one("20",
                   configuration.options({"--gateway", "--gateway-options", "--poll-ms 2000"}));
  static const bool ready = [] {
    for (const char* code : {"e9", "e9b", "hw"}) set_channel(one, code, R"({"force":"closed"})");
    return true;
  }();
  BOOST_REQUIRE(ready);
  return one;
}

/// A fault of a simulator for as long as this stands.
class Fault {
 public:
  Fault(std::string part, const std::string& keys) : part_(std::move(part)) {
    const json::value given = json::parse(keys);
    for (const auto& [key, value] : given.as_object()) {
      if (key == "code" || key == "functions") continue;  // go with the kind
      ending_ += (ending_.empty() ? "{\"" : ",\"") + std::string(key) + "\":null";
    }
    ending_ += "}";
    stack().outage(part_, keys);
  }
  ~Fault() {
    try {
      stack().outage(part_, ending_);
    } catch (const std::exception& error) {
      BOOST_ERROR(error.what());
    }
  }
  Fault(const Fault&) = delete;

 private:
  std::string part_, ending_;
};

std::string next_phone() {
  static int number = 1000;
  return "1395000" + std::to_string(number++);
}

/// Each call has a customer of its own: none is engaged by another call.
std::string customer(const std::string& digits) {
  static int number = 5000;
  return "138" + std::to_string(number++) + digits;
}

Answer post(const std::string& phone, const std::string& digits = "8001",
            const std::string& more = "", const std::vector<std::string>& headers = {}) {
  return stack().post("/v1/calls", call_body(phone, customer(digits), more), headers);
}

const std::vector<std::string> waiting{"Prefer: wait=20"};

/// Its attempts were these, the phone rang that often, and nothing of it is held any more.
void check_over(const std::string& call, const std::string& phone, const std::string& expected,
                std::size_t rung) {
  BOOST_TEST(story(stack(), call) == expected);
  BOOST_TEST(rings(stack(), phone) == rung);
  BOOST_TEST(claims(stack(), call) == "0");
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_channel_that_cannot_be_reached_is_left_for_the_next_one) {
  const Fault fault("simulator", R"({"connections":"refuse"})");
  const std::string phone = next_phone();
  const Answer posted = post(phone, "8001", R"("bizId":"7")", waiting);
  BOOST_REQUIRE_MESSAGE(posted.status == 201, posted.status << " " << posted.text);
  BOOST_TEST(posted.at("channel") == "e9b");  // it waited for the last attempt
  const std::string call = posted.at("callId");
  const json::value record = stack().await_state(call);
  BOOST_TEST(text_at(record, "channel") == "e9b");
  BOOST_TEST(text_at(record, "agent") == phone);
  BOOST_TEST(text_at(record, "caller") == phone);
  BOOST_TEST(text_at(record, "bizId") == "7");
  BOOST_TEST(text_at(record, "closeType") == "0");

  const json::array attempts = attempts_of(stack(), call);
  BOOST_REQUIRE(attempts.size() == 2U);
  BOOST_TEST(text_at(attempts[0], "channel") == "e9");
  BOOST_TEST(text_at(attempts[0], "state") == "refused");
  BOOST_TEST(text_at(attempts[0], "superseded") == "true");
  BOOST_TEST(text_at(attempts[0], "reason").find("comes first by priority 100") !=
             std::string::npos);
  BOOST_TEST(text_at(attempts[1], "channel") == "e9b");
  BOOST_TEST(text_at(attempts[1], "state") == "accepted");
  BOOST_TEST(text_at(attempts[1], "superseded") == "false");
  BOOST_TEST(text_at(attempts[1], "reason").find("attempt 1 at e9 never rang") !=
             std::string::npos);
  const std::vector<std::string> expected{
      "attempt.planned 1", "attempt.sent 1", "attempt.refused 1", "attempt.superseded 1",
      "attempt.planned 2", "attempt.sent 2", "attempt.accepted 2"};
  BOOST_TEST(steps(stack(), call) == expected, boost::test_tools::per_element());
  // And so it was with the phones.
  BOOST_TEST(originates(stack().journal("request"), call) == 0U);
  BOOST_TEST(originates(stack().second_journal("request"), call) == 1U);
  check_over(call, phone, "e9 refused, e9b accepted", 1);
  BOOST_TEST(metric(stack(), "cc_failovers_total", "from=\"e9\",to=\"e9b\"") >= 1);
}

BOOST_AUTO_TEST_CASE(what_a_channel_says_it_never_dialled_is_tried_elsewhere) {
  for (const char* code : {"900111", "900117", "900123", "900204"}) {
    BOOST_TEST_CONTEXT("code " << code) {
      const Fault fault("simulator", R"({"originate":"refuse:)" + std::string(code) + "\"}");
      const std::string phone = next_phone();
      const Answer posted = post(phone, "8001", "", waiting);
      BOOST_REQUIRE_MESSAGE(posted.status == 201, posted.status << " " << posted.text);
      const std::string call = posted.at("callId");
      BOOST_TEST(text_at(stack().await_state(call), "closeType") == "0");
      check_over(call, phone, "e9 refused, e9b accepted", 1);
      BOOST_TEST(text_at(attempts_of(stack(), call)[0], "code") == code);
      BOOST_TEST(text_at(attempts_of(stack(), call)[1], "reason").find(code) != std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_the_numbers_fault_or_not_documented_is_tried_nowhere_else) {
  struct Refused {
    const char* code;
    const char* type;
  };
  for (const Refused& refused :
       {Refused{"900200", "1"}, Refused{"900202", "2"}, Refused{"900220", "1"},
        Refused{"900221", "2"}, Refused{"900300", "6"}, Refused{"900209", "6"}}) {
    BOOST_TEST_CONTEXT("code " << refused.code) {
      const Fault fault("simulator",
                        R"({"originate":"refuse:)" + std::string(refused.code) + "\"}");
      const std::string phone = next_phone();
      const Answer posted = post(phone, "8001", "", waiting);
      BOOST_TEST(posted.status == 502, posted.text);
      const std::string call = posted.at("callId");
      BOOST_TEST(text_at(stack().await_state(call), "closeType") == refused.type);
      check_over(call, phone, "e9 refused", 0);
      BOOST_TEST(originates(stack().second_journal("request"), call) == 0U);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_may_have_rung_is_unknown_and_tried_nowhere_else) {
  struct Unclear {
    std::string outage;  // of e9's originates
    std::string digits;  // or the called number's script
    bool rings;
  };
  std::map<std::string, std::string> phones, unheard;  // by call
  for (const Unclear& one : {Unclear{"503", "8001", false}, Unclear{"drop", "8001", false},
                             Unclear{"hang", "8001", false}, Unclear{"503-dialled", "8001", true},
                             Unclear{"drop-dialled", "8001", true},
                             Unclear{"hang-dialled", "8001", true}, Unclear{"", "8033", true}}) {
    BOOST_TEST_CONTEXT("originate " << one.outage << one.digits) {
      const std::string value = one.outage.empty() ? "null" : '"' + one.outage + '"';
      const Fault fault("simulator", R"({"originate":)" + value + "}");
      const std::string phone = next_phone();
      const Answer posted = post(phone, one.digits, "", waiting);
      const std::string call = posted.at("callId");
      BOOST_REQUIRE(!call.empty());
      // Where the phones rang, their callbacks may be quicker than the timeout.
      const bool told = posted.status == 504 || (one.rings && posted.status == 201);
      BOOST_TEST(told, posted.status << " " << posted.text);
      (one.rings ? phones : unheard)[call] = phone;
    }
  }
  for (const auto& [call, phone] : phones) {
    BOOST_TEST(text_at(stack().await_state(call), "closeType") == "0");
    check_over(call, phone, "e9 accepted", 1);
    BOOST_TEST(originates(stack().second_journal("request"), call) == 0U);
  }
  for (const auto& [call, phone] : unheard) {
    BOOST_TEST(story(stack(), call) == "e9 unknown");
    BOOST_TEST(stack().get("/v1/calls/" + call).at("state") == "init");
    BOOST_TEST(claims(stack(), call) == "2");
    const Answer busy = post(phone);
    BOOST_TEST(busy.status == 409);
    BOOST_TEST(busy.at("callId") == call);
    let_hours_pass(stack(), call);
  }
  for (const auto& [call, phone] : unheard) {
    const json::value record = stack().await_state(call);
    BOOST_TEST(text_at(record, "closeType") == "7");
    BOOST_TEST(text_at(record, "closeDetail") == "outcome_unknown");
    BOOST_TEST(eventually([&, id = call] { return claims(stack(), id) == "0"; }));
    check_over(call, phone, "e9 unknown", 0);
  }
}

BOOST_AUTO_TEST_CASE(what_was_accepted_and_then_failed_is_dialled_nowhere_else) {
  std::map<std::string, std::string> calls, phones;
  for (const char* keys : {R"({"ends":6})", R"({"ends":7})", R"({"ends":6,"endsRing":true})"}) {
    const Fault fault("simulator", keys);
    const std::string phone = next_phone();
    const Answer posted = post(phone, "8001", "", waiting);
    BOOST_TEST(posted.status == 201, posted.text);
    calls[posted.at("callId")] = keys;
    phones[posted.at("callId")] = phone;
    stack().await_state(posted.at("callId"));
  }
  for (const auto& [call, keys] : calls) {
    BOOST_TEST_CONTEXT(keys) {
      const bool seven = keys.find('7') != std::string::npos;
      BOOST_TEST(text_at(stack().await_state(call), "closeType") == (seven ? "7" : "6"));
      const bool rang = keys.find("endsRing") != std::string::npos;
      check_over(call, phones[call], "e9 accepted", rang ? 1 : 0);
      BOOST_TEST(originates(stack().second_journal("request"), call) == 0U);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_channel_or_agent_that_the_request_names_is_not_left) {
  const Fault fault("simulator", R"({"connections":"refuse"})");
  const std::string first = next_phone(), second = next_phone();
  const Answer channel = post(first, "8001", R"("channel":"e9")", waiting);
  const Answer agent =
      stack().post("/v1/calls", R"({"agent":")" + second + R"(","called":"13812348001"})", waiting);
  for (const auto& [answer, phone] : {std::pair(channel, first), std::pair(agent, second)}) {
    BOOST_TEST(answer.status == 502, answer.text);
    const json::value record = stack().await_state(answer.at("callId"));
    BOOST_TEST(text_at(record, "closeType") == "7");
    BOOST_TEST(text_at(record, "channel") == "e9");
    check_over(answer.at("callId"), phone, "e9 refused", 0);
  }
  const std::string timeline = stack().get("/v1/calls/" + channel.at("callId") + "/events").text;
  BOOST_TEST(timeline.find("the request names the channel") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(there_are_three_attempts_at_most) {
  for (const char* agent : {"1000", "1001"}) {
    const Answer put =
        stack().ask("PUT", "/v1/agents/hw/" + std::string(agent),
                    R"({"handset":"1390000)" + std::string(agent) + R"(","password":")" +
                        stack().env("CC_AGENT_PASSWORD") + "\"}");
    BOOST_REQUIRE_MESSAGE(put.status < 300, put.text);
  }
  stack().await_agent("1000");
  stack().await_agent("1001");
  const Fault e9("simulator", R"({"originate":"refuse:900117"})");
  const Fault e9b("simulator2", R"({"connections":"refuse"})");
  {
    // The third one takes it: on a seat of the pool, which rings the caller's phone.
    const std::string phone = next_phone();
    const Answer posted = post(phone, "7001", "", waiting);
    BOOST_REQUIRE_MESSAGE(posted.status == 201, posted.status << " " << posted.text);
    const std::string call = posted.at("callId");
    const json::value record = stack().await_state(call);
    BOOST_TEST(text_at(record, "channel") == "hw");
    BOOST_TEST(text_at(record, "caller") == phone);
    BOOST_TEST(text_at(record, "agent") == "1000");
    BOOST_TEST(text_at(record, "closeType") == "0");
    BOOST_TEST(eventually([&] { return claims(stack(), call) == "0"; }));
    check_over(call, phone, "e9 refused, e9b refused, hw accepted", 1);
  }
  // The third one refuses too, for its line's sake; there is another line, but no fourth attempt.
  // The application is answered when the last one is decided.
  const Fault hw("gateway", R"({"kind":"retcode","code":"105-005","functions":["callout"]})");
  const std::string phone = next_phone();
  const Answer posted = post(phone, "7001", "", waiting);
  BOOST_TEST(posted.status == 502, posted.text);
  BOOST_TEST(posted.at("channelCode") == "105-005");
  const std::string call = posted.at("callId");
  const json::value record = stack().await_state(call);
  BOOST_TEST(text_at(record, "closeType") == "6");
  BOOST_TEST(text_at(record, "channel") == "hw");
  BOOST_TEST(eventually([&] { return claims(stack(), call) == "0"; }));
  check_over(call, phone, "e9 refused, e9b refused, hw refused", 0);

  // A channel that is named is not left, but its other lines are tried: this was one line's fault.
  const Answer named = stack().post(
      "/v1/calls", R"({"channel":"hw","called":")" + customer("7001") + "\"}", waiting);
  BOOST_TEST(named.status == 502, named.text);
  stack().await_state(named.at("callId"));
  BOOST_TEST(story(stack(), named.at("callId")) == "hw refused, hw refused");
  BOOST_TEST(stack().sql("SELECT count(DISTINCT agent) FROM call_attempt WHERE call = " +
                         named.at("callId")) == "2");
}

BOOST_AUTO_TEST_CASE(who_hangs_up_during_the_first_attempt_is_not_called_by_a_second_one) {
  const Fault fault("simulator", R"({"originate":"refuse:900117","originateDelayMs":1500})");
  const std::string phone = next_phone();
  const Answer posted = post(phone);
  BOOST_REQUIRE_EQUAL(posted.status, 202);
  const std::string call = posted.at("callId");
  BOOST_REQUIRE(eventually([&] { return story(stack(), call) == "e9 sending"; }));
  BOOST_TEST(stack().post("/v1/calls/" + call + "/hangup").status == 202);
  stack().await_state(call);
  check_over(call, phone, "e9 refused", 0);
  BOOST_TEST(originates(stack().second_journal("request"), call) == 0U);
}

BOOST_AUTO_TEST_CASE(a_channel_that_lied_is_told_to_hang_up_and_the_call_goes_on_elsewhere) {
  std::string call, phone = next_phone();
  {
    const Fault fault("simulator", R"({"originate":"refuse:900117"})");
    const Answer posted = post(phone, "8010", "", waiting);
    BOOST_REQUIRE_MESSAGE(posted.status == 201, posted.status << " " << posted.text);
    call = posted.at("callId");
  }
  stack().await_state(call, "conn");
  const std::string before = stack().get("/v1/calls/" + call).text;
  const double alarms = metric(stack(), "cc_abandoned_life_total");
  const std::string id = "0123456789abcdef0123456789abcdef";
  const Answer pushed = stack().simulator(
      "POST", "push",
      "<req><action>CallInvite</action><type>1</type><appId>" + stack().env("CC_E9_APP_ID") +
          "</appId><caller>" + phone +
          "</caller><called>13812348010</called><userFlag>0</userFlag>"
          "<subType>0</subType><callId>" +
          id + "</callId><dateCreated>" +
          stack().sql("SELECT to_char(now() AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDDHH24MISS')") +
          "</dateCreated><userData>cc1." + call + ".1</userData></req>");
  BOOST_TEST(pushed.status == 200);
  BOOST_TEST(eventually([&] {
    for (const json::object& line : stack().journal("request")) {
      if (text_at(line, "func") == "Calls/CancelCallback" &&
          text_at(line, "body").find(id) != std::string::npos) {
        return true;
      }
    }
    return false;
  }));
  BOOST_TEST(metric(stack(), "cc_abandoned_life_total") == alarms + 1);
  BOOST_TEST(stack().get("/v1/calls/" + call).text == before);
  BOOST_TEST(stack().second_journal("cancel").empty());
  BOOST_TEST(stack().post("/v1/calls/" + call + "/hangup").status == 202);
  const json::value record = stack().await_state(call);
  BOOST_TEST(text_at(record, "channel") == "e9b");
  check_over(call, phone, "e9 refused, e9b accepted", 1);
}

BOOST_AUTO_TEST_CASE(a_crash_between_two_attempts_dials_nobody_twice) {
  struct Point {
    const char* name;
    bool next;  // the next attempt was stored
  };
  std::map<std::string, std::string> unheard;
  for (const Point& point : {Point{"attempt.answered", false}, Point{"attempt.before_next", false},
                             Point{"attempt.next", true}}) {
    BOOST_TEST_CONTEXT("killed at " << point.name) {
      stack().part("restart", "ccd", {"--fault", point.name});
      const Fault fault("simulator", R"({"originate":"refuse:900117"})");
      const std::string phone = next_phone();
      const std::string body = call_body(phone, customer("8001"));
      const std::vector<std::string> key{"Idempotency-Key: failover-" + phone};
      stack().post("/v1/calls", body, key);  // may never be answered
      BOOST_REQUIRE_MESSAGE(eventually([] { return !stack().running("ccd"); }, Millis{20'000}),
                            "ccd did not reach " << point.name);
      stack().part("start", "ccd");
      const Answer again = stack().post("/v1/calls", body, key);
      BOOST_REQUIRE_MESSAGE(again.status == 202, again.status << " " << again.text);
      const std::string call = again.at("callId");
      if (point.next) {
        BOOST_TEST(text_at(stack().await_state(call), "closeType") == "0");
        check_over(call, phone, "e9 refused, e9b accepted", 1);
        continue;
      }
      // The refusal died with ccd: nobody knows of it, so nothing is tried elsewhere.
      BOOST_TEST(eventually([&] { return story(stack(), call) == "e9 unknown"; }, Millis{15'000}),
                 story(stack(), call));
      BOOST_TEST(claims(stack(), call) == "2");
      unheard[call] = phone;
    }
  }
  for (const auto& [call, phone] : unheard) let_hours_pass(stack(), call);
  for (const auto& [call, phone] : unheard) {
    BOOST_TEST(text_at(stack().await_state(call), "closeDetail") == "outcome_unknown");
    BOOST_TEST(eventually([&, id = call] { return claims(stack(), id) == "0"; }));
    check_over(call, phone, "e9 unknown", 0);
  }
}

BOOST_AUTO_TEST_CASE(nothing_was_dialled_twice) {
  long cancels = 0;
  for (const json::object& line : stack().journal("request")) {
    cancels += text_at(line, "func") == "Calls/CancelCallback";
  }
  BOOST_TEST_MESSAGE(cancels << " requests to cancel what the channel did not have");
  BOOST_TEST(stack().violations() == 0);
  BOOST_TEST(text_at(stack().second("health"), "violations") == "0");
  BOOST_TEST(stack().sql("SELECT call FROM call_attempt WHERE state = 'accepted' GROUP BY call "
                         "HAVING count(*) > 1") == "");
  BOOST_TEST(stack().sql("SELECT count(*) FROM dead_letter") == "0");
  const std::regex number("[^0-9]13[89][0-9]{8}[^0-9]");
  const std::string log = stack().log("ccd");
  BOOST_TEST(!std::regex_search(log, number));
}
