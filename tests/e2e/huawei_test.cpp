// Calls over Huawei's agent gateway, as an application sees them: agents are signed in, polled, and
// what the polls say becomes records like any other.
#include <map>
#include <set>

#include <boost/test/unit_test.hpp>

#include "process.hpp"
#include "stack.hpp"

using namespace cc::test;

namespace {

constexpr int first_agent = 1000, last_agent = 1039;

/// Agents are online when it stands. Each test takes some of them.
Stack& stack() {
  // Polls end soon, so that nobody waits for one.
  static Stack one("10", {"--gateway", "--gateway-options", "--poll-ms 2000"});
  static const bool ready = [] {
    one.make_agents(first_agent, last_agent);
    one.await_agent(std::to_string(first_agent));
    one.await_agent(std::to_string(last_agent));
    return true;
  }();
  BOOST_REQUIRE(ready);
  return one;
}

std::string next_agent() {
  static int next = first_agent;
  BOOST_REQUIRE(next <= last_agent);
  stack().await_agent(std::to_string(next));
  return std::to_string(next++);
}

Answer post_call(const std::string& agent, const std::string& called,
                 const std::string& more = "") {
  return stack().post("/v1/calls", R"({"agent":")" + agent + R"(","called":")" + called + '"' +
                                       (more.empty() ? "" : "," + more) + "}");
}

std::string make_call(const std::string& agent, const std::string& called,
                      const std::string& more = "") {
  const Answer answer = post_call(agent, called, more);
  BOOST_REQUIRE_MESSAGE(answer.status == 202, answer.status << " " << answer.text);
  return answer.at("callId");
}

/// Each call has a customer of its own, by whom the gateway's journal is searched.
std::string customer(const std::string& digits) {
  static int number = 1000;
  return "1381" + std::to_string(number++).substr(1) + digits;
}

long rings(const std::string& called, const std::string& leg) {
  long count = 0;
  for (const json::object& line : stack().gateway_journal("ring")) {
    count += text_at(line, "called") == called && text_at(line, "leg") == leg;
  }
  return count;
}

std::multiset<std::string> words(const json::value& timeline, const std::string& member) {
  std::multiset<std::string> found;
  for (const json::value& event : timeline.at("events").as_array()) {
    found.insert(text_at(event, member));
  }
  return found;
}

/// Until the record's history has as many events from polls as the gateway told about the call.
json::value await_history(const std::string& call, std::size_t polled) {
  json::value timeline;
  const bool all = eventually([&] {
    timeline = stack().get("/v1/calls/" + call + "/events").body();
    return words(timeline, "source").count("poll") >= polled;
  });
  BOOST_TEST(all, json::serialize(timeline));
  return timeline;
}

/// On a line that has just been in a call: as soon as its phone is on the hook.
std::string make_next_call(const std::string& agent, const std::string& called) {
  Answer answer;
  BOOST_REQUIRE_MESSAGE(eventually([&] {
                          answer = post_call(agent, called);
                          return answer.status == 202;
                        }),
                        answer.status << " " << answer.text);
  return answer.at("callId");
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_call_is_recorded_like_any_other) {
  const std::string agent = next_agent(), called = customer("7001");
  const std::string call = make_call(agent, called, R"("bizId":"42")");
  const json::value record = stack().await_state(call);
  BOOST_TEST(text_at(record, "channel") == "hw");
  BOOST_TEST(text_at(record, "agent") == agent);
  BOOST_TEST(text_at(record, "caller") == "1397000" + agent);
  BOOST_TEST(text_at(record, "called") == called);
  BOOST_TEST(text_at(record, "closeType") == "0");
  BOOST_TEST(text_at(record, "closedBy") == "b");
  BOOST_TEST(text_at(record, "closeSource") == "poll");
  BOOST_TEST(text_at(record, "bizId") == "42");
  const json::value truth = stack().gateway("calls/" + text_at(record, "channelCallId"));
  BOOST_TEST(text_at(truth, "called") == called);
  for (const auto& [ours, theirs] :
       std::map<std::string, std::string>{{"aOffhookTime", "aAnsweredAt"},
                                          {"connTime", "connectedAt"},
                                          {"closeTime", "endedAt"}}) {
    BOOST_REQUIRE(!text_at(record, ours).empty());
    // No more than what polls are apart, and one on its way.
    const long long late = std::stoll(text_at(record, ours)) - std::stoll(text_at(truth, theirs));
    BOOST_TEST(late >= 0, ours);
    BOOST_TEST(late < 5000, ours);
  }
  const json::value timeline = await_history(call, 6);
  const auto names = words(timeline, "name");
  for (const char* name : {"a.ringing", "a.answered", "b.ringing", "connected"}) {
    BOOST_TEST(names.count(name) == 1U, name);
  }
  BOOST_TEST(names.count("closed") == 2U);  // the customer's release, and the phone on its hook
  BOOST_TEST(rings(called, "A") == 1);
  BOOST_TEST(rings(called, "B") == 1);
}

BOOST_AUTO_TEST_CASE(every_ending_has_its_close_type) {
  struct Expected {
    const char* digits;
    const char* type;
    const char* by;
    bool connected;
  };
  std::vector<std::pair<std::string, Expected>> calls;
  for (const Expected expected :
       {Expected{"7002", "0", "a", true}, Expected{"7003", "2", "", false},
        Expected{"7004", "1", "", false}, Expected{"7006", "6", "channel", true},
        Expected{"7007", "0", "a", false}, Expected{"7008", "0", "b", true},
        Expected{"7009", "0", "b", true}, Expected{"7010", "0", "b", true},
        Expected{"7014", "0", "b", true}, Expected{"7015", "0", "b", true},
        Expected{"7016", "0", "b", true}, Expected{"7022", "0", "b", true}}) {
    calls.emplace_back(make_call(next_agent(), customer(expected.digits)), expected);
  }
  for (const auto& [call, expected] : calls) {
    const json::value record = stack().await_state(call);
    BOOST_TEST_CONTEXT(expected.digits << " " << json::serialize(record)) {
      BOOST_TEST(text_at(record, "closeType") == expected.type);
      BOOST_TEST(text_at(record, "closedBy") == expected.by);
      BOOST_TEST(!text_at(record, "connTime").empty() == expected.connected);
      BOOST_TEST(!text_at(record, "channelCallId").empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_line_is_free_as_soon_as_its_phone_is) {
  const std::string agent = next_agent();
  for (int i = 0; i < 3; ++i) {
    const std::string call = make_next_call(agent, customer("7016"));
    const json::value record = stack().await_state(call);
    BOOST_TEST(text_at(record, "closeType") == "0");
  }
  // In a call it is busy, and says with which.
  const std::string call = make_next_call(agent, customer("7005"));
  const Answer busy = post_call(agent, customer("7001"));
  BOOST_TEST(busy.status == 409);
  BOOST_TEST(busy.at("callId") == call);
  BOOST_TEST(stack().get("/v1/agents/hw/" + agent).at("call") == call);
  stack().await_state(call, "conn");
  BOOST_TEST(stack().post("/v1/calls/" + call + "/hangup").status == 202);
  BOOST_TEST(text_at(stack().await_state(call), "closeSource") == "poll");
}

BOOST_AUTO_TEST_CASE(a_hang_up_before_the_call_has_a_name) {
  const std::string agent = next_agent(), called = customer("9991");
  // The callout is answered late, and A's phone rings for long: no event names the call yet.
  BOOST_REQUIRE(stack()
                    .gateway("PUT", "scripts/" + called,
                             R"({"aRingMs":60000,"callout":{"delayMs":50000,"afterEvents":0}})")
                    .status < 300);
  const std::string call = make_call(agent, called);
  BOOST_TEST(eventually([&] { return rings(called, "A") == 1; }));
  BOOST_TEST(stack().post("/v1/calls/" + call + "/hangup").status == 202);
  const json::value record = stack().await_state(call);
  BOOST_TEST(text_at(record, "closeType") == "1", json::serialize(record));
  BOOST_TEST(rings(called, "B") == 0);
}

BOOST_AUTO_TEST_CASE(another_handset_is_signed_in_with_before_the_call) {
  const std::string agent = next_agent(), called = customer("7001");
  const std::string call = make_call(agent, called, R"("caller":"13911112222","channel":"hw")");
  const json::value record = stack().await_state(call);
  BOOST_TEST(text_at(record, "closeType") == "0");
  BOOST_TEST(text_at(record, "caller") == "13911112222");
  BOOST_TEST(text_at(stack().gateway("agents/" + agent), "phonenum") == "13911112222");
  // And back again.
  make_next_call(agent, customer("7016"));
  BOOST_TEST(eventually([&] {
    return text_at(stack().gateway("agents/" + agent), "phonenum") == "1397000" + agent;
  }));
}

BOOST_AUTO_TEST_CASE(a_handset_that_is_changed_is_signed_in_with_when_no_call_is_on_the_line) {
  const std::string agent = next_agent();
  const std::string call = make_call(agent, customer("7005"));
  stack().await_state(call, "conn");
  const std::string change = R"({"handset":"13955556666"})";
  const Answer busy = stack().ask("PUT", "/v1/agents/hw/" + agent, change);
  BOOST_TEST(busy.status == 409, busy.text);
  BOOST_TEST(busy.at("callId") == call);
  stack().post("/v1/calls/" + call + "/hangup");
  stack().await_state(call);
  BOOST_REQUIRE(eventually(
      [&] { return stack().ask("PUT", "/v1/agents/hw/" + agent, change).status == 200; }));
  BOOST_TEST(eventually(
      [&] { return text_at(stack().gateway("agents/" + agent), "phonenum") == "13955556666"; }));
  stack().await_agent(agent);
  const json::value record = stack().await_state(make_call(agent, customer("7016")));
  BOOST_TEST(text_at(record, "caller") == "13955556666");
}

BOOST_AUTO_TEST_CASE(a_session_that_is_over_costs_no_call) {
  const std::string agent = next_agent(), called = customer("7001");
  BOOST_REQUIRE(stack().gateway("POST", "agents/" + agent + "/expire-guid", "").status < 300);
  const json::value record = stack().await_state(make_call(agent, called));
  BOOST_TEST(text_at(record, "closeType") == "0", json::serialize(record));
  BOOST_TEST(rings(called, "A") == 1);
  // Signed out behind our back: seen by the next poll or by the callout, whichever is first.
  const std::string other = next_agent(), second = customer("7001");
  BOOST_REQUIRE(stack().gateway("POST", "agents/" + other + "/sign-out", "").status < 300);
  BOOST_TEST(text_at(stack().await_state(make_call(other, second)), "closeType") == "0");
  BOOST_TEST(rings(second, "A") == 1);
}

BOOST_AUTO_TEST_CASE(refusals) {
  struct Expected {
    const char* digits;
    const char* type;
  };
  for (const Expected expected :
       {Expected{"6013", "1"}, Expected{"6018", "6"}, Expected{"6999", "6"}}) {
    const std::string called = customer(expected.digits);
    const std::string call = make_call(next_agent(), called);
    const json::value record = stack().await_state(call);
    BOOST_TEST(text_at(record, "closeType") == expected.type, json::serialize(record));
    BOOST_TEST(rings(called, "A") == 0);
    const json::value timeline = stack().get("/v1/calls/" + call + "/events").body();
    BOOST_TEST(words(timeline, "name").count("attempt.refused") == 1U);
  }
}

BOOST_AUTO_TEST_CASE(a_callout_whose_answer_is_lost_is_settled_by_its_events) {
  for (const char* digits : {"7019", "7020"}) {
    const std::string called = customer(digits);
    const std::string call = make_call(next_agent(), called);
    const json::value record = stack().await_state(call);
    BOOST_TEST(text_at(record, "closeType") == "0", json::serialize(record));
    BOOST_TEST(!text_at(record, "channelCallId").empty());
    BOOST_TEST(rings(called, "A") == 1);
  }
}

BOOST_AUTO_TEST_CASE(wrong_passwords_and_locks_are_not_tried_again_before_somebody_acts) {
  const std::string agent = next_agent();
  BOOST_REQUIRE(stack().gateway("PUT", "agents/" + agent, R"({"password":"other-secret"})").status <
                300);
  BOOST_REQUIRE(stack().gateway("POST", "agents/" + agent + "/sign-out", "").status < 300);
  const json::value refused = stack().await_agent(agent, "refused");
  BOOST_TEST(text_at(refused, "reason").find("100-004") != std::string::npos);
  const auto sign_ins = [&] {
    long count = 0;
    for (const json::object& line : stack().gateway_journal("sign_in")) {
      count += text_at(line, "agent") == agent;
    }
    return count;
  };
  const long before = sign_ins();
  const Answer call = post_call(agent, customer("7001"));
  BOOST_TEST(call.status == 409);
  BOOST_TEST(call.text.find("line-offline") != std::string::npos, call.text);
  BOOST_TEST(eventually([&] {
    return send({.url = stack().env("CC_API") + "/readyz"}).text.find("refused") !=
           std::string::npos;
  }));
  BOOST_TEST(sign_ins() == before);
  BOOST_TEST(
      stack().ask("PUT", "/v1/agents/hw/" + agent, R"({"password":"other-secret"})").status == 200);
  stack().await_agent(agent);

  BOOST_REQUIRE(stack().gateway("PUT", "agents/" + agent, R"({"locked":true})").status < 300);
  BOOST_REQUIRE(stack().gateway("POST", "agents/" + agent + "/sign-out", "").status < 300);
  stack().await_agent(agent, "refused");
  BOOST_REQUIRE(stack().gateway("PUT", "agents/" + agent, R"({"locked":false})").status < 300);
  BOOST_TEST(stack().ask("POST", "/v1/agents/hw/" + agent + "/retry").status == 202);
  stack().await_agent(agent);
}

BOOST_AUTO_TEST_CASE(an_agent_goes_offline_and_away) {
  const std::string agent = next_agent();
  BOOST_TEST(stack().ask("PUT", "/v1/agents/hw/" + agent, R"({"desired":"offline"})").status ==
             200);
  stack().await_agent(agent, "offline");
  BOOST_TEST(text_at(stack().gateway("agents/" + agent), "online") == "false");
  BOOST_TEST(post_call(agent, customer("7001")).status == 409);
  BOOST_TEST(stack().ask("PUT", "/v1/agents/hw/" + agent, R"({"desired":"online"})").status == 200);
  stack().await_agent(agent);
  const Answer gone = stack().ask("DELETE", "/v1/agents/hw/" + agent);
  BOOST_TEST(gone.status == 204);
  BOOST_TEST(!gone.headers.contains("content-length"));
  BOOST_TEST(stack().get("/v1/agents/hw/" + agent).status == 404);
  BOOST_TEST(
      eventually([&] { return text_at(stack().gateway("agents/" + agent), "online") == "false"; }));
  BOOST_TEST(eventually(
      [&] {
        return stack().sql("SELECT count(*) FROM agent WHERE agent = '" + agent + "'") == "0";
      },
      Millis{30'000}));
}

BOOST_AUTO_TEST_CASE(a_call_that_comes_in_has_a_record) {
  const std::string agent = next_agent();
  const Answer started = stack().gateway("POST", "inbound/" + agent, R"({"caller":"13855556666"})");
  BOOST_REQUIRE_MESSAGE(started.status < 300, started.text);
  const std::string id = started.at("callId");
  std::string call;
  BOOST_REQUIRE(eventually([&] {
    call = stack().sql("SELECT call FROM call_attempt WHERE channel_call_id = '" + id + "'");
    return !call.empty();
  }));
  const json::value record = stack().await_state(call);
  BOOST_TEST(text_at(record, "direction") == "in");
  BOOST_TEST(text_at(record, "agent") == agent);
  BOOST_TEST(text_at(record, "caller") == "13855556666");
  // What came before the event that named the call is its own too.
  const json::value timeline = await_history(call, 5);
  BOOST_TEST(words(timeline, "name").count("a.ringing") == 1U, json::serialize(timeline));
}

BOOST_AUTO_TEST_CASE(redis_away_stops_no_poll_and_loses_no_event) {
  const std::string agent = next_agent(), called = customer("7001");
  const std::string call = make_call(agent, called);
  BOOST_REQUIRE(eventually([&] { return rings(called, "A") == 1; }));
  stack().part("kill", "redis");
  const bool over = eventually([&] {
    for (const json::object& line : stack().gateway_journal("call_over")) {
      if (text_at(line, "called") == called) return true;
    }
    return false;
  });
  BOOST_REQUIRE(over);
  const bool handed_out =
      eventually([&] { return text_at(stack().gateway("agents/" + agent), "queued") == "0"; });
  BOOST_TEST(handed_out);
  stack().part("start", "redis");
  const json::value record = stack().await_state(call, "close", Millis{60'000});
  BOOST_TEST(text_at(record, "closeType") == "0");
  const auto names = words(await_history(call, 6), "name");
  BOOST_TEST(names.count("connected") == 1U);
}

BOOST_AUTO_TEST_CASE(postgresql_away_stops_no_poll) {
  const std::string agent = next_agent(), called = customer("7001");
  const std::string call = make_call(agent, called);
  BOOST_REQUIRE(eventually([&] { return rings(called, "A") == 1; }));
  stack().part("kill", "postgres");
  BOOST_REQUIRE(eventually([&] {
    for (const json::object& line : stack().gateway_journal("call_over")) {
      if (text_at(line, "called") == called) return true;
    }
    return false;
  }));
  BOOST_TEST(
      eventually([&] { return text_at(stack().gateway("agents/" + agent), "queued") == "0"; }));
  stack().part("start", "postgres");
  const json::value record = stack().await_state(call, "close", Millis{60'000});
  BOOST_TEST(text_at(record, "closeType") == "0");
}

BOOST_AUTO_TEST_CASE(secrets_are_nowhere_in_clear) {
  const std::string password = stack().env("CC_AGENT_PASSWORD");
  BOOST_TEST(stack().log("ccd").find(password) == std::string::npos);
  BOOST_TEST(
      stack().sql("SELECT count(*) FROM agent WHERE position('" + password +
                  "'::bytea IN password) > 0 OR position('AgentGateway'::bytea IN session) > 0") ==
      "0");
  BOOST_TEST(
      stack().sql("SELECT count(*) FROM agent WHERE session IS NULL AND actual = 'online'") == "0");
}

BOOST_AUTO_TEST_CASE(the_gateway_had_nothing_to_complain_of) {
  for (const json::object& line : stack().gateway_journal("violation")) {
    BOOST_ERROR(json::serialize(line));
  }
  for (const json::object& line : stack().gateway_journal("signed_out")) {
    BOOST_TEST(text_at(line, "reason") != "idle", json::serialize(line));
  }
  BOOST_TEST(stack().sql("SELECT count(*) FROM dead_letter") == "0");
  BOOST_TEST(stack().sql("SELECT string_agg(reason, '; ') FROM dead_letter") == "");
}
