#include "api/record_json.hpp"

#include <set>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "fake_calls.hpp"

using namespace cc;
using namespace cc::api;
namespace json = boost::json;

namespace {

std::string text(const json::object& object, std::string_view name) {
  return std::string(object.at(name).as_string());
}

Timeline make_timeline() {
  Timeline timeline;
  TimelineAttempt attempt;
  attempt.channel = "e9";
  attempt.agent = "13900001111";
  attempt.state = "refused";
  attempt.message = "number 13812345678 blacklisted";
  attempt.reason = "priority 100";
  timeline.attempts.push_back(attempt);
  TimelineEvent event;
  event.event.name = EventName::closed;
  event.event.source = Source::callback;
  event.event.received_ms = 1000;
  event.event.channel_ms = 900;
  event.event.attempt = 1;
  event.event.facts.caller = "13900001111";
  event.event.facts.called = "13812345678";
  event.event.facts.close_time = TimeFact{900, TimeOrigin::own};
  event.event.facts.close = CloseFact{"0", "normal", ""};
  event.event.facts.ch_audio_url = "https://rec.example/13812345678";
  event.event.facts.ivr_text = "dialled 13812345678";
  event.raw = "v1 1000 callback - - - -\n<called>13812345678</called>";
  timeline.events.push_back(event);
  return timeline;
}

constexpr Sight nobody{false, false}, numbers{true, false}, admin{false, true}, both{true, true};

}  // namespace

BOOST_AUTO_TEST_SUITE(record_json_test)

BOOST_AUTO_TEST_CASE(a_record_has_exactly_these_members) {
  const std::set<std::string> expected{
      "callId",      "tenant",    "mainNum",      "extNum",       "agent",       "channelCallId",
      "caller",      "called",    "bizData",      "channel",      "chState",     "state",
      "aCallTime",   "bCallTime", "aOffhookTime", "bOffhookTime", "connTime",    "closeTime",
      "duration",    "audioUrl",  "ivrUrl",       "ivrText",      "closeType",   "updated",
      "created",     "direction", "initiator",    "business",     "bizType",     "bizId",
      "userId",      "progress",  "closeDetail",  "closedBy",     "closeSource", "displayRequested",
      "maxDuration", "recording", "lateLife",     "recovered",    "truncated",   "version"};
  const auto record = test::make_record(720'000'000'000'000'001);
  const json::object object = to_object(record, nobody);
  std::set<std::string> names;
  for (const auto& member : object) names.insert(std::string(member.key()));
  BOOST_TEST(names == expected, boost::test_tools::per_element());
  BOOST_TEST(text(object, "callId") == "720000000000000001");
  BOOST_TEST(object.at("duration").is_null());
  BOOST_TEST(object.at("mainNum").is_null());
  BOOST_TEST(object.at("created").as_int64() == 1'795'341'600'000);
  BOOST_TEST(object.at("version").as_int64() == 1);
  const json::object& recording = object.at("recording").as_object();
  BOOST_TEST(recording.size() == 3U);
  BOOST_TEST(recording.at("state").is_null());
  BOOST_TEST(to_object(record, admin).contains("chAudioUrl"));
}

BOOST_AUTO_TEST_CASE(the_customers_number_is_masked_on_its_side) {
  auto record = test::make_record(1);
  json::object object = to_object(record, nobody);
  BOOST_TEST(text(object, "called") == "138****5678");
  BOOST_TEST(text(object, "caller") == "13900001111");
  object = to_object(record, numbers);
  BOOST_TEST(text(object, "called") == "13812345678");
  record.constants.direction = "in";
  record.constants.caller.reset();
  record.constants.called.reset();
  record.folded.caller = "13812345678";
  record.folded.called = "13900001111";
  record.folded.agent = "1001";  // so whose number it is nobody knows
  BOOST_TEST(text(to_object(record, admin), "called") == "139****1111");
  record.folded.agent = "13900001111";
  object = to_object(record, admin);
  BOOST_TEST(text(object, "caller") == "138****5678");
  BOOST_TEST(text(object, "called") == "13900001111");
  record.folded.ch_audio_url = std::nullopt;
  BOOST_TEST(to_json(record, admin).find("13812345678") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(biz_data_comes_back_as_it_was) {
  auto record = test::make_record(1);
  for (const std::string& data :
       {std::string("{\"a\": 1}\n\xe2\x80\xa8 \"q\" "), std::string("13812345678"), std::string(),
        std::string("\t\x01\x7f\\u0041 \xf0\x9f\x93\x9e")}) {
    record.constants.biz_data = data;
    const auto object = json::parse(to_json(record, nobody)).as_object();
    BOOST_TEST(text(object, "bizData") == data);
  }
}

BOOST_AUTO_TEST_CASE(a_timeline_tells_attempts_and_events) {
  const json::object object = to_object(make_timeline(), 7, both);
  BOOST_TEST(text(object, "callId") == "7");
  const auto& attempt = object.at("attempts").as_array().at(0).as_object();
  BOOST_TEST(attempt.at("attempt").as_int64() == 1);
  BOOST_TEST(text(attempt, "message") == "number 13812345678 blacklisted");
  BOOST_TEST(attempt.at("sent").is_null());
  const auto& event = object.at("events").as_array().at(0).as_object();
  BOOST_TEST(text(event, "name") == "closed");
  BOOST_TEST(text(event, "source") == "callback");
  BOOST_TEST(event.at("at").as_int64() == 1000);
  BOOST_TEST(event.at("channelTime").as_int64() == 900);
  const auto& effect = event.at("effect").as_object();
  BOOST_TEST(effect.at("closeTime").as_object().at("at").as_int64() == 900);
  BOOST_TEST(text(effect.at("closeTime").as_object(), "origin") == "own");
  BOOST_TEST(text(effect, "closeDetail") == "normal");
  BOOST_TEST(text(effect, "called") == "13812345678");
  BOOST_TEST(effect.contains("chAudioUrl"));
  BOOST_TEST(text(event, "raw") ==
             "djEgMTAwMCBjYWxsYmFjayAtIC0gLSAtCjxjYWxsZWQ+MTM4MTIzNDU2Nzg8L2NhbGxlZD4=");
}

BOOST_AUTO_TEST_CASE(raw_bytes_and_numbers_need_their_scopes) {
  Timeline timeline = make_timeline();
  for (const Sight sight : {nobody, numbers, admin}) {
    const json::object object = to_object(timeline, 7, sight);
    const auto& event = object.at("events").as_array().at(0).as_object();
    BOOST_TEST(!event.contains("raw"));
    BOOST_TEST(event.at("effect").as_object().contains("chAudioUrl") == sight.admin);
  }
  BOOST_TEST(to_json(timeline, 7, nobody).find("13812345678") == std::string::npos);
  // An inbound call's customer may stand on either side of what the channel says.
  timeline.events[0].event.facts.inbound = true;
  timeline.events[0].event.facts.caller = "13812345678";
  BOOST_TEST(to_json(timeline, 7, nobody).find("13812345678") == std::string::npos);
  timeline.events[0].event.facts.inbound = false;
  timeline.direction = "in";
  BOOST_TEST(to_json(timeline, 7, nobody).find("13812345678") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
