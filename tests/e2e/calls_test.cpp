// Calls of every kind that Jiuyun's simulator can play, as an application sees them.
#include <map>

#include <boost/test/unit_test.hpp>

#include "stack.hpp"

using namespace cc::test;

namespace {

Stack& stack() {
  static Stack one;
  return one;
}

// A phone of its own for each call, so that calls don't wait for one another.
std::string next_phone() {
  static int number = 0;
  return "1391000" + std::to_string(1000 + number++);
}

std::string make_call(const std::string& script_digits, const std::string& more = "") {
  const Answer answer =
      stack().post("/v1/calls", call_body(next_phone(), "1381234" + script_digits, more));
  BOOST_REQUIRE_MESSAGE(answer.status == 202, answer.status << " " << answer.text);
  return answer.at("callId");
}

struct Expected {
  const char* digits;
  const char* close_type;
  bool connected;
};

}  // namespace

BOOST_AUTO_TEST_CASE(an_answered_call_is_recorded_from_the_first_ring_to_the_end) {
  const Answer posted = stack().post(
      "/v1/calls", call_body(next_phone(), "13812348001",
                             R"("bizType":"order","bizId":"42","bizData":"{\"a\":1}")"));
  BOOST_REQUIRE_EQUAL(posted.status, 202);
  BOOST_TEST(posted.headers.at("location") == "/v1/calls/" + posted.at("callId"));
  BOOST_TEST(!posted.headers.at("request-id").empty());
  const json::value record = stack().await_state(posted.at("callId"));
  BOOST_TEST(text_at(record, "closeType") == "0");
  BOOST_TEST(text_at(record, "channel") == "e9");
  BOOST_TEST(text_at(record, "progress") == "closed");
  BOOST_TEST(text_at(record, "bizData") == R"({"a":1})");
  BOOST_TEST(text_at(record, "called") == "13812348001");

  const json::value truth = stack().simulator("calls/" + text_at(record, "channelCallId"));
  for (const auto& [ours, theirs] :
       std::map<std::string, std::string>{{"aCallTime", "aCalledAt"},
                                          {"aOffhookTime", "aAnsweredAt"},
                                          {"bCallTime", "bCalledAt"},
                                          {"bOffhookTime", "bAnsweredAt"},
                                          {"closeTime", "endedAt"}}) {
    BOOST_TEST_CONTEXT(ours << " against the phones' " << theirs) {
      BOOST_REQUIRE(!text_at(record, ours).empty());
      // Jiuyun's times are whole seconds.
      const long long off = std::stoll(text_at(record, ours)) - std::stoll(text_at(truth, theirs));
      BOOST_TEST(std::abs(off) <= 1000);
    }
  }
  BOOST_TEST(text_at(record, "duration") == text_at(truth, "duration"));
}

BOOST_AUTO_TEST_CASE(every_ending_has_its_close_type) {
  const Expected endings[] = {
      {"8002", "0", true},   {"8003", "4", false}, {"8004", "2", false}, {"8005", "2", false},
      {"8006", "1", false},  {"8007", "3", false}, {"8008", "1", false}, {"8009", "5", true},
      {"8034", "255", true}, {"8035", "6", false}, {"8036", "7", false}, {"8037", "255", false},
  };
  std::map<std::string, Expected> calls;
  for (const Expected& ending : endings) calls.emplace(make_call(ending.digits), ending);
  for (const auto& [call, expected] : calls) {
    BOOST_TEST_CONTEXT("script " << expected.digits) {
      const json::value record = stack().await_state(call);
      BOOST_TEST(text_at(record, "closeType") == expected.close_type);
      BOOST_TEST(text_at(record, "connTime").empty() == !expected.connected);
      if (!expected.connected) BOOST_TEST(text_at(record, "duration") == "0");
    }
  }
}

BOOST_AUTO_TEST_CASE(callbacks_late_lost_doubled_reordered_or_ill_formed_make_the_same_record) {
  std::map<std::string, std::string> calls;
  for (const char* digits : {"8011", "8013", "8014", "8016", "8017", "8018", "8019", "8020", "8021",
                             "8022", "8023", "8024", "8025", "8026", "8043"}) {
    calls.emplace(digits, make_call(digits));
  }
  for (const auto& [digits, call] : calls) {
    BOOST_TEST_CONTEXT("script " << digits) {
      // A closed record may still be amended by a late callback: the last one decides.
      stack().await_state(call);
      const json::value truth =
          stack().simulator("calls/" + text_at(stack().await_state(call), "channelCallId"));
      const bool agrees = eventually([&, id = call] {
        const json::value record = stack().get("/v1/calls/" + id).body();
        return text_at(record, "closeType") == "0" && text_at(record, "state") == "close" &&
               text_at(record, "duration") == text_at(truth, "duration") &&
               !text_at(record, "connTime").empty();
      });
      BOOST_TEST(agrees,
                 stack().get("/v1/calls/" + call).text << " against " << json::serialize(truth));
    }
  }
}

BOOST_AUTO_TEST_CASE(an_originate_that_may_have_rung_is_unknown_until_an_event_tells) {
  for (const char* digits : {"8027", "8030", "8032", "8033"}) {
    BOOST_TEST_CONTEXT("script " << digits) {
      const std::string call = make_call(digits);
      const json::value record = stack().await_state(call);  // its callbacks carry our id
      BOOST_TEST(text_at(record, "closeType") == "0");
    }
  }
  // Nothing rang and nothing tells: the call stays open, its phone claimed, and is never dialled
  // again.
  const std::string phone = next_phone();
  const Answer dropped =
      stack().post("/v1/calls", call_body(phone, "13812348029"), {"Prefer: wait=20"});
  BOOST_TEST(dropped.status == 504);
  const std::string call = dropped.at("callId");
  BOOST_TEST(stack().get("/v1/calls/" + call).at("state") == "init");
  BOOST_TEST(stack().sql("SELECT state FROM call_attempt WHERE call = " + call) == "unknown");
  const Answer busy = stack().post("/v1/calls", call_body(phone, "13812348001"));
  BOOST_TEST(busy.status == 409);
  BOOST_TEST(busy.at("callId") == call);
}

BOOST_AUTO_TEST_CASE(a_refusal_closes_the_call_with_the_cause_and_frees_the_phone) {
  struct Refused {
    const char* digits;
    const char* type;
  };
  for (const Refused& refused :
       {Refused{"9117", "6"}, {"9201", "1"}, {"9202", "2"}, {"9221", "2"}, {"9204", "6"}}) {
    BOOST_TEST_CONTEXT("code 900" << std::string(refused.digits).substr(1)) {
      const std::string phone = next_phone();
      const Answer answer =
          stack().post("/v1/calls", call_body(phone, "1381234" + std::string(refused.digits)),
                       {"Prefer: wait=10"});
      BOOST_TEST(answer.status == 502);
      BOOST_TEST(answer.text.find("900" + std::string(refused.digits).substr(1)) !=
                 std::string::npos);
      const json::value record = stack().await_state(answer.at("callId"));
      BOOST_TEST(text_at(record, "closeType") == refused.type);
      BOOST_TEST(text_at(record, "duration") == "0");
      BOOST_TEST(stack().post("/v1/calls", call_body(phone, "13812348006")).status == 202);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_hang_up_ends_the_call_at_the_channel) {
  const std::string call = make_call("8010");
  stack().await_state(call, "conn");
  const Answer asked = stack().post("/v1/calls/" + call + "/hangup");
  BOOST_TEST(asked.status == 202);
  const json::value record = stack().await_state(call);
  BOOST_TEST(text_at(record, "closeType") == "0");
  BOOST_TEST(stack().post("/v1/calls/" + call + "/hangup").status == 200);
  BOOST_TEST(stack().journal("cancel").size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_long_poll_answers_when_the_record_changes) {
  const std::string call = make_call("8001");
  std::string version = "0";
  std::vector<std::string> states;
  for (int i = 0; i < 20; ++i) {
    const Answer answer = stack().get("/v1/calls/" + call + "?version=" + version + "&wait=20");
    BOOST_REQUIRE_EQUAL(answer.status, 200);
    BOOST_TEST(std::stol(answer.at("version")) > std::stol(version));
    version = answer.at("version");
    states.push_back(answer.at("state"));
    if (states.back() == "close") break;
  }
  BOOST_TEST(states.front() == "init");
  BOOST_TEST(states.back() == "close");
}

BOOST_AUTO_TEST_CASE(the_timeline_tells_the_whole_story_and_hides_the_customer) {
  const std::string call = make_call("8001");
  stack().await_state(call);
  const Answer whole = stack().get("/v1/calls/" + call + "/events");
  for (const char* name : {"attempt.planned", "attempt.sent", "attempt.accepted", "a.calling",
                           "b.calling", "connected", "closed"}) {
    BOOST_TEST(whole.text.find("\"" + std::string(name) + "\"") != std::string::npos,
               name << " is missing in " << whole.text);
  }
  const Answer masked = send({.method = "GET",
                              .url = stack().env("CC_API") + "/v1/calls/" + call,
                              .headers = {"Authorization: Bearer " + stack().env("CC_KEY_PLAIN")}});
  BOOST_TEST(masked.at("called") == "138****8001");
  const Answer stranger =
      send({.method = "GET",
            .url = stack().env("CC_API") + "/v1/calls/" + call,
            .headers = {"Authorization: Bearer " + stack().env("CC_KEY_OTHER")}});
  BOOST_TEST(stranger.status == 404);
  // Nor is there a call in a month that is not kept, or not yet there, or before there were any.
  for (const char* id : {"1", "4194304000000", "9223372036854775807"}) {
    BOOST_TEST(stack().get("/v1/calls/" + std::string(id)).status == 404, id);
  }
  BOOST_TEST(stack().get("/readyz").status == 200);
}

BOOST_AUTO_TEST_CASE(a_lost_hang_up_is_learnt_by_asking_the_channel) {
  const std::string call = make_call("8012");
  const std::string id = text_at(stack().await_state(call, "conn"), "channelCallId");
  BOOST_REQUIRE(
      eventually([&] { return text_at(stack().simulator("calls/" + id), "phase") == "ended"; }));
  // Hours pass for the record, as the reaper sees it: its events and its sending were long ago.
  stack().sql("UPDATE call_event SET received = received - 30000000 WHERE call = " + call);
  stack().sql("UPDATE call_attempt SET sent = sent - 30000000 WHERE call = " + call);
  BOOST_TEST(
      eventually([&] { return stack().get("/v1/calls/" + call).at("closeSource") == "query"; },
                 Millis{40'000}),
      stack().get("/v1/calls/" + call).text);
  const json::value record = stack().get("/v1/calls/" + call).body();
  BOOST_TEST(text_at(record, "closeType") == "0");
  BOOST_TEST(!text_at(record, "duration").empty());
}

BOOST_AUTO_TEST_CASE(no_phone_rang_twice_and_no_log_holds_a_number) {
  BOOST_TEST(stack().violations() == 0);
  std::map<std::string, int> rings;
  for (const json::object& line : stack().journal("ring")) {
    if (text_at(line, "leg") == "a") ++rings[text_at(line, "callId")];
  }
  for (const auto& [call, times] : rings)
    BOOST_TEST(times == 1, call << " rang " << times << " times");
  for (const char* part : {"ccd", "nginx", "nginx.access"}) {
    const std::string text = stack().log(part);
    BOOST_TEST(text.find("1381234") == std::string::npos,
               part << "'s log holds a customer's number");
    BOOST_TEST(text.find("1391000") == std::string::npos, part << "'s log holds an agent's number");
    for (const char* secret : {"CC_KEY", "CC_TOKEN", "CC_E9_AUTH_TOKEN"}) {
      BOOST_TEST(text.find(stack().env(secret)) == std::string::npos,
                 part << "'s log holds " << secret);
    }
  }
  BOOST_TEST(stack().nginx_alarms() == "");
  BOOST_TEST(stack().sql("SELECT count(*) FROM dead_letter") == "0");
}
