// What comes late, or after something was lost: signs of life, repeats, a Redis that went back.
#include <boost/test/unit_test.hpp>

#include "stack.hpp"

using namespace cc::test;

namespace {

Stack& stack() {
  static Stack one("20");
  return one;
}

// The record's events and its sending were hours ago, as far as the reaper can see.
void let_hours_pass(const std::string& call) {
  stack().sql("UPDATE call_event SET received = received - 30000000 WHERE call = " + call);
  stack().sql("UPDATE call_attempt SET sent = sent - 30000000 WHERE call = " + call);
}

Answer field(const std::string& call, const std::string& name, const std::string& value) {
  Answer last;
  const bool came = eventually(
      [&] {
        last = stack().get("/v1/calls/" + call);
        return last.at(name) == value;
      },
      Millis{20'000});
  BOOST_REQUIRE_MESSAGE(came, name << " is not " << value << ": " << last.text);
  return last;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_call_that_lives_on_after_our_own_close_holds_its_phone_again) {
  const std::string phone = "13944440001";
  const std::string call = stack().post("/v1/calls", call_body(phone, "13812348010")).at("callId");
  const std::string id = text_at(stack().await_state(call, "conn"), "channelCallId");
  let_hours_pass(call);
  const Answer reaped = field(call, "closeSource", "cc");
  BOOST_TEST(reaped.at("closeDetail") == "no_final_event");
  BOOST_TEST(reaped.at("duration") == "");  // our clock knows no duration

  const Answer pushed = stack().simulator(
      "POST", "push",
      "<req><action>CallEstablish</action><type>1</type><appId>" + stack().env("CC_E9_APP_ID") +
          "</appId><callId>" + id + "</callId><userData>cc1." + call +
          ".1</userData><dateCreated>" +
          stack().sql("SELECT to_char(now() AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDDHH24MISS')") +
          "</dateCreated></req>");
  BOOST_TEST(pushed.status == 200);
  field(call, "lateLife", "true");
  const Answer busy = stack().post("/v1/calls", call_body(phone, "13812348001"));
  BOOST_TEST(busy.status == 409, busy.text);

  stack().simulator("POST", "hangup/" + id + "?by=b", "");
  const Answer amended = field(call, "closeSource", "callback");
  BOOST_TEST(amended.at("closeType") == "0");
  BOOST_TEST(amended.at("duration") != "");
  BOOST_TEST(stack().post("/v1/calls", call_body(phone, "13812348001")).status == 202);
  BOOST_TEST(stack().violations() == 0);
  BOOST_TEST(stack().sql("SELECT count(*) FROM change WHERE kind = 'call.amended' AND call = " +
                         call) != "0");
}

BOOST_AUTO_TEST_CASE(a_wish_to_hang_up_outlives_our_own_close_until_the_channel_can_be_told) {
  stack().simulator("PUT", "scripts/13800000088",
                    R"({"preset":"originate-hangs","talkMs":3600000,)"
                    R"("callbacks":{"lose":["CallInvite","CallEstablish","Hangup"]}})");
  const std::string call =
      stack().post("/v1/calls", call_body("13944440009", "13800000088")).at("callId");
  json::value played;
  BOOST_REQUIRE(eventually([&] {
    const json::value found = stack().simulator("calls?userData=cc1." + call + ".1");
    if (found.at("calls").as_array().empty()) return false;
    played = found.at("calls").as_array().front();
    return text_at(played, "phase") == "talking";
  }));
  BOOST_TEST(stack().post("/v1/calls/" + call + "/hangup").status == 202);
  let_hours_pass(call);
  field(call, "closeSource", "cc");
  // Only now does anybody learn what the channel calls it.
  const std::string id = text_at(played, "callId");
  stack().simulator("POST", "push",
                    "<req><action>CallEstablish</action><appId>" + stack().env("CC_E9_APP_ID") +
                        "</appId><callId>" + id + "</callId><userData>cc1." + call +
                        ".1</userData></req>");
  BOOST_TEST(
      eventually([&] { return text_at(stack().simulator("calls/" + id), "phase") == "ended"; }));
  BOOST_TEST(stack().violations() == 0);
}

BOOST_AUTO_TEST_CASE(a_repeat_hears_of_its_call_even_when_no_channel_is_open_any_more) {
  const std::string body = call_body("13944440002", "13812348001");
  const Answer first = stack().post("/v1/calls", body, {"Idempotency-Key: again"});
  BOOST_REQUIRE_EQUAL(first.status, 202);
  stack().await_state(first.at("callId"));
  stack().reconfigure("    defaultTenant: demo", "    enabled: false\n    defaultTenant: demo");
  BOOST_REQUIRE(eventually([&] {
    return stack().post("/v1/calls", call_body("13944440003", "13812348001")).status == 503;
  }));
  const Answer again = stack().post("/v1/calls", body, {"Idempotency-Key: again"});
  BOOST_TEST(again.status == 202);
  BOOST_TEST(again.at("callId") == first.at("callId"));
  // A wrong configuration is refused and the old one stays.
  stack().reconfigure("    enabled: false", "    enabled: perhaps");
  BOOST_REQUIRE(eventually(
      [&] { return stack().log("ccd").find("the old one stays") != std::string::npos; }));
  BOOST_TEST(stack().log("ccd").find("enabled") != std::string::npos);
  stack().reconfigure("    enabled: perhaps", "    enabled: true");
  BOOST_TEST(eventually([&] {
    return stack().post("/v1/calls", call_body("13944440004", "13812348001")).status == 202;
  }));
}

BOOST_AUTO_TEST_CASE(events_that_come_before_anything_knows_their_call_wait_for_it) {
  // No echo, and the originate's answer only after the call's end: nothing but the channel's id
  // tells.
  stack().simulator("PUT", "scripts/13800000077",
                    R"({"preset":"answer-after-end","callbacks":{"dropUserData":true}})");
  const std::string call =
      stack().post("/v1/calls", call_body("13944440005", "13800000077")).at("callId");
  const auto record = stack().await_state(call);
  BOOST_TEST(text_at(record, "closeType") == "0");
  BOOST_TEST(stack().sql("SELECT count(*) FROM call_event WHERE source = 'callback' AND call = " +
                         call) == "4");
  BOOST_TEST(stack().sql("SELECT count(*) FROM waiting_event") == "0");
}

BOOST_AUTO_TEST_CASE(a_redis_that_lost_its_data_is_noticed_and_read_from_its_beginning) {
  const std::string before =
      stack().post("/v1/calls", call_body("13944440006", "13812348001")).at("callId");
  stack().await_state(before);
  stack().redis({"FLUSHALL"});
  stack().part("restart", "redis");
  BOOST_TEST(
      eventually([] { return stack().log("ccd").find("Redis went back") != std::string::npos; }));
  const std::string after =
      stack().post("/v1/calls", call_body("13944440007", "13812348001")).at("callId");
  BOOST_TEST(text_at(stack().await_state(after), "closeType") == "0");
  BOOST_TEST(
      send({.url = stack().env("CC_API") + "/metrics"}).text.find("cc_stream_went_back_total 1") !=
      std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_full_redis_is_drained_all_the_same) {
  stack().part("stop", "ccd");
  const auto push = [](const std::string& call) {
    return stack()
        .simulator("POST", "push",
                   "<req><action>Hangup</action><appId>" + stack().env("CC_E9_APP_ID") +
                       "</appId><callId>0000000000000000000000000000" +
                       call.substr(call.size() - 4) + "</callId><userData>cc1." + call +
                       ".1</userData><byeType>0</byeType></req>")
        .status;
  };
  // Of calls that PostgreSQL does not know, so that each makes its record.
  const std::string now =
      stack().sql("SELECT ((extract(epoch FROM now()) * 1000)::bigint - 1577836800000) << 22");
  const std::string waits = std::to_string(std::stoll(now) + 1);
  const std::string spooled = std::to_string(std::stoll(now) + 2);
  BOOST_TEST(push(waits) == 200);
  stack().redis({"CONFIG", "SET", "maxmemory", "1"});
  BOOST_TEST(push(spooled) == 200);
  stack().part("start", "ccd");  // which notes where it stands, and must not insist
  BOOST_TEST(text_at(stack().await_state(waits), "closeType") == "0");
  BOOST_TEST(stack().get("/v1/calls/" + spooled).status == 404);
  stack().redis({"CONFIG", "SET", "maxmemory", "1gb"});
  BOOST_TEST(eventually([&] { return stack().get("/v1/calls/" + spooled).at("state") == "close"; },
                        Millis{20'000}));
}

BOOST_AUTO_TEST_CASE(what_nobody_can_read_is_kept_and_stops_nothing) {
  stack().simulator("POST", "push", std::string("\x00\xff<not>a callback", 17));
  const std::string call =
      stack().post("/v1/calls", call_body("13944440008", "13812348001")).at("callId");
  stack().await_state(call);
  BOOST_TEST(eventually([] { return stack().sql("SELECT count(*) FROM dead_letter") == "1"; }));
  BOOST_TEST(stack().sql("SELECT reason <> '' AND octet_length(raw) > 17 FROM dead_letter") == "t");
}
