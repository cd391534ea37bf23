#include <boost/test/unit_test.hpp>

#include "channel.hpp"
#include "hw.hpp"
#include "hw_samples.hpp"
#include "keys.hpp"
#include "rand.hpp"
#include "text.hpp"

using namespace cc;
using namespace cc::test;

namespace {

Understood understood(std::string body, Source source = Source::poll) {
  Delivery delivery = hw_poll(std::move(body));
  delivery.source = source;
  return hw_channel().understand(delivery);
}

ChannelEvent only_event(std::string body) {
  const Understood found = understood(std::move(body));
  BOOST_TEST(found.problem == "");
  BOOST_TEST(found.ignored == 0U);
  BOOST_REQUIRE_EQUAL(found.events.size(), 1U);
  return found.events[0];
}

std::string name_of(std::string_view type) {
  return std::string(to_text(only_event(hw_said(type)).event.name));
}

ChannelEvent query(std::string_view result) {
  Delivery delivery =
      hw_poll(R"({"message":"","retcode":"0","result":)" + std::string(result) + "}");
  delivery.source = Source::query;
  delivery.subject = "4711";
  const Understood found = hw_channel().understand(delivery);
  BOOST_TEST(found.problem == "");
  BOOST_REQUIRE_EQUAL(found.events.size(), 1U);
  return found.events[0];
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hw_understand_test)

BOOST_AUTO_TEST_CASE(it_is_registered_and_pushes_nothing) {
  BOOST_TEST(find_channel("hw") == &hw_channel());
  BOOST_TEST(!hw_channel().pushes());
  BOOST_TEST(find_channel("e9")->pushes());
  Trust trust;
  trust.tokens = {"t"};
  const auto verdict = hw_channel().verify({"POST", "t", "", "", "", "{}"}, trust).verdict;
  BOOST_TEST((verdict != Verdict::accepted));
}

BOOST_AUTO_TEST_CASE(events_in_canonical_words) {
  BOOST_TEST(name_of("AgentOther_PhoneAlerting") == "a.ringing");
  BOOST_TEST(name_of("AgentOther_PhoneOffhook") == "a.answered");
  BOOST_TEST(name_of("AgentEvent_Customer_Alerting") == "b.ringing");
  BOOST_TEST(name_of("AgentEvent_Talking") == "connected");
  BOOST_TEST(name_of("AgentEvent_Call_Out_Fail") == "closed");
  BOOST_TEST(name_of("AgentEvent_Connect_Fail") == "closed");
  BOOST_TEST(name_of("AgentEvent_Customer_Release") == "closed");
  BOOST_TEST(name_of("AgentEvent_Call_Release") == "closed");
  BOOST_TEST(name_of("PhoneRelease3") == "closed");
  BOOST_TEST(name_of("AgentEvent_Whatever") == "other");
}

BOOST_AUTO_TEST_CASE(events_about_an_agent_are_only_counted) {
  for (const char* type :
       {"AgentState_Busy", "AgentState_Ready", "AgentState_Work", "AgentState_New",
        "AgentOther_InService", "AgentOther_ShutdownService"}) {
    const Understood found = understood(hw_event(type));
    BOOST_TEST(found.events.empty(), type);
    BOOST_TEST(found.ignored == 1U, type);
    BOOST_TEST(found.problem == "", type);
  }
}

BOOST_AUTO_TEST_CASE(an_empty_poll_says_nothing) {
  for (const char* body : {R"({"message":"","retcode":"0","event":null})",
                           R"({"message":"","retcode":"0"})", R"({"retcode":"0","event":[]})"}) {
    const Understood found = understood(body);
    BOOST_TEST(found.events.empty());
    BOOST_TEST(found.problem == "");
    BOOST_TEST(!read_hw_answer(body).has_event);
  }
}

BOOST_AUTO_TEST_CASE(the_call_id_in_all_its_shapes) {
  const auto id_of = [](std::string content) {
    return only_event(hw_event("AgentEvent_Call_Release", content)).channel_call_id;
  };
  BOOST_TEST(id_of(R"("1456403661-19")") == "1456403661-19");
  BOOST_TEST(id_of(R"({"callid":"1456403661-19"})") == "1456403661-19");
  BOOST_TEST(id_of(R"({"callId":"1456403661-19"})") == "1456403661-19");
  BOOST_TEST(id_of(R"({"callid":145640366119})") == "145640366119");
  BOOST_TEST(id_of("145640366119") == "145640366119");
  BOOST_TEST(id_of("null") == "");
  BOOST_TEST(id_of(R"({"callid":null})") == "");
  BOOST_TEST(id_of("[1]") == "");
  const auto cut =
      only_event(hw_event("AgentEvent_Call_Release", '"' + std::string(200, 'x') + '"'));
  BOOST_TEST(cut.channel_call_id.size() == 64U);
  BOOST_TEST(cut.event.facts.truncated);
}

BOOST_AUTO_TEST_CASE(several_events_in_one_answer) {
  const std::string body =
      R"({"retcode":"0","event":[{"eventType":"AgentOther_PhoneAlerting","content":null},)"
      R"({"eventType":"AgentState_Busy"},null,{"eventType":"AgentEvent_Call_Release","content":"7-1"}]})";
  const Understood found = understood(body);
  BOOST_TEST(found.problem == "");
  BOOST_TEST(found.ignored == 1U);
  BOOST_REQUIRE_EQUAL(found.events.size(), 2U);
  BOOST_TEST(found.events[0].subject == "291");
  BOOST_TEST((found.events[0].event.key == event_key(delivery_key(hw_poll(body)), 0)));
  BOOST_TEST((found.events[1].event.key == event_key(delivery_key(hw_poll(body)), 1)));
  BOOST_TEST(found.events[1].channel_call_id == "7-1");
}

BOOST_AUTO_TEST_CASE(two_equal_polls_are_two_events) {
  const std::string body = hw_said("AgentOther_PhoneAlerting");
  const auto key_at = [&](std::int64_t ms) {
    return hw_channel().understand(hw_poll(body, ms)).events.at(0).event.key;
  };
  BOOST_TEST((key_at(hw_ms) != key_at(hw_ms + 1)));
  BOOST_TEST((key_at(hw_ms) == key_at(hw_ms)));
}

BOOST_AUTO_TEST_CASE(what_an_event_implies_of_times) {
  const Facts alerting = only_event(hw_said("AgentOther_PhoneAlerting")).event.facts;
  BOOST_TEST((alerting.a_call_time == TimeFact{hw_ms, TimeOrigin::inferred}));
  const Facts ringing = only_event(hw_said("AgentEvent_Customer_Alerting")).event.facts;
  BOOST_TEST((ringing.b_call_time == TimeFact{hw_ms, TimeOrigin::inferred}));
  BOOST_TEST((ringing.a_offhook_time == TimeFact{hw_ms, TimeOrigin::inferred}));
  const Facts talking = only_event(hw_said("AgentEvent_Talking")).event.facts;
  BOOST_TEST((talking.b_offhook_time == TimeFact{hw_ms, TimeOrigin::inferred}));
  BOOST_TEST(!talking.conn_time.has_value());  // observed when we heard of it
  BOOST_TEST(!talking.inbound);
}

BOOST_AUTO_TEST_CASE(newer_gateways_tell_when) {
  for (const char* time :
       {R"(,"eventGenTime":1699999999000)", R"(,"eventGenTime":"1699999999000")"}) {
    const Event event =
        only_event(hw_event("AgentEvent_Talking", R"({"callid":"7-1"})", time)).event;
    BOOST_TEST(event.channel_ms.value() == 1'699'999'999'000);
    BOOST_TEST((event.facts.conn_time == TimeFact{1'699'999'999'000, TimeOrigin::own}));
  }
  for (const char* time : {R"(,"eventGenTime":-5)", R"(,"eventGenTime":"soon")",
                           R"(,"eventGenTime":9e99)", R"(,"eventGenTime":999999999999999999)"}) {
    const Event event =
        only_event(hw_event("AgentEvent_Talking", R"({"callid":"7-1"})", time)).event;
    BOOST_TEST(!event.channel_ms.has_value(), time);
  }
}

BOOST_AUTO_TEST_CASE(feature_0_is_a_call_that_came_in) {
  const auto found = only_event(hw_event(
      "AgentEvent_Talking",
      R"({"caller":"13800000001","callid":"7-1","called":"4001234567","feature":0,"type":"main"})"));
  BOOST_TEST(found.event.facts.inbound);
  BOOST_TEST(found.event.facts.caller.value() == "13800000001");
  BOOST_TEST(found.event.facts.called.value() == "4001234567");
}

BOOST_AUTO_TEST_CASE(a_recording_s_file_is_kept_with_the_call) {
  const auto started = only_event(hw_event(
      "AgentMediaEvent_Record",
      R"({"taskId":5206,"recordID":"Yc1","fileName":"Y:/6/0/20161025/20011/1902050.V3","callId":"7-1"})"));
  BOOST_TEST(to_text(started.event.name) == "recorded");
  BOOST_TEST(started.channel_call_id == "7-1");
  BOOST_TEST(started.event.facts.ch_audio_url.value() == "Y:/6/0/20161025/20011/1902050.V3");
  BOOST_TEST(started.event.facts.audio_after.value() == 60);
  BOOST_TEST(!is_trailing(started.event));
  const auto done = only_event(hw_event("AgentMediaEvent_StopRecordDone", R"({"taskId":5451})"));
  BOOST_TEST(is_trailing(done.event));
}

BOOST_AUTO_TEST_CASE(what_may_still_be_of_the_call_before) {
  BOOST_TEST(is_trailing(only_event(hw_said("PhoneRelease3")).event));
  BOOST_TEST(!is_trailing(only_event(hw_said("AgentEvent_Call_Release")).event));
  BOOST_TEST(!is_trailing(only_event(hw_said("AgentOther_PhoneAlerting")).event));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_a_problem_and_never_an_exception) {
  for (const char* body : {"", "{", "[]", "<html>", R"({"event":7})", R"({"event":{}})",
                           R"({"event":{"eventType":""}})", R"({"event":[7]})"}) {
    const Understood found = understood(body);
    BOOST_TEST(found.events.empty(), body);
    BOOST_TEST(found.problem != "", body);
  }
  BOOST_TEST(understood(hw_said("AgentEvent_Talking"), Source::callback).problem != "");
}

BOOST_AUTO_TEST_CASE(a_query_tells_whether_it_ended_but_not_how) {
  const auto over = query(
      R"({"callid":"7-1","caller":"1","called":"2","begintime":1699999990000,"endtime":"1699999999000"})");
  BOOST_TEST(to_text(over.event.name) == "closed");
  BOOST_TEST(over.call.value() == 4711);
  BOOST_TEST((over.event.facts.close_time == TimeFact{1'699'999'999'000, TimeOrigin::own}));
  BOOST_TEST(over.event.facts.close_doubt.value() == 2);
  for (const char* end : {"", R"(,"endtime":0)", R"(,"endtime":null)", R"(,"endtime":"")"}) {
    const auto living =
        query(R"({"callid":"7-1","begintime":1699999990000)" + std::string(end) + "}");
    BOOST_TEST(to_text(living.event.name) == "other", end);
    BOOST_TEST(!living.event.facts.close.has_value(), end);
  }
}

BOOST_AUTO_TEST_CASE(a_refused_query_says_nothing) {
  Delivery delivery = hw_poll(R"({"message":"no","retcode":"300-001","result":null})");
  delivery.source = Source::query;
  delivery.subject = "4711";
  const Understood found = hw_channel().understand(delivery);
  BOOST_TEST(found.events.empty());
  BOOST_TEST(found.ignored == 1U);
}

BOOST_AUTO_TEST_CASE(the_frame_of_every_answer) {
  const HwAnswer answer =
      read_hw_answer(R"({"message":"call 13812345678","retcode":"0","result":"1476070409-38"})");
  BOOST_TEST(answer.readable);
  BOOST_TEST(answer.retcode == "0");
  BOOST_TEST(answer.call_id == "1476070409-38");
  BOOST_TEST(answer.message.find("13812345678") == std::string::npos);
  BOOST_TEST(read_hw_answer(R"({"retcode":0,"result":{}})").retcode == "0");
  BOOST_TEST(read_hw_answer(R"({"retcode":0,"result":{}})").call_id == "");
  BOOST_TEST(!read_hw_answer("<html>").readable);
}

BOOST_AUTO_TEST_CASE(mutations_of_everything_are_storable) {
  Rand rand(20261122);
  std::vector<std::string> bodies;
  for (const char* type : {"AgentOther_PhoneAlerting", "AgentEvent_Customer_Alerting",
                           "AgentEvent_Talking", "AgentEvent_Connect_Fail", "PhoneRelease3"}) {
    bodies.push_back(hw_said(type));
  }
  for (int i = 0; i < 20'000; ++i) {
    std::string body = bodies[rand.below(bodies.size())];
    for (auto n = rand.below(4) + 1; n > 0 && !body.empty(); --n) {
      const std::size_t at = rand.below(body.size());
      if (rand.one_in(3)) {
        body.erase(at, rand.below(8) + 1);
      } else {
        body[at] = static_cast<char>(rand.below(256));
      }
    }
    const Understood found = understood(body, rand.one_in(4) ? Source::query : Source::poll);
    BOOST_REQUIRE(!found.events.empty() || found.ignored > 0 || !found.problem.empty() ||
                  body.find("[]") != std::string::npos);
    for (const ChannelEvent& event : found.events) {
      const std::string json = to_json(event.event.facts);
      BOOST_REQUIRE(repair_utf8(json) == json);
      const auto facts = facts_from_json(json);
      BOOST_REQUIRE(facts && *facts == event.event.facts);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
