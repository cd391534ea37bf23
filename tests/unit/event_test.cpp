#include "event.hpp"

#include <set>

#include <boost/test/unit_test.hpp>

#include "rand.hpp"
#include "text.hpp"

using namespace cc;
using namespace std::string_literals;

namespace {

using test::Rand;

Facts random_facts(Rand& rand) {
  Facts f;
  const auto time = [&](std::optional<TimeFact>& to) {
    if (rand.one_in(2)) return;
    to = TimeFact{rand.between(INT64_MIN, INT64_MAX), static_cast<TimeOrigin>(rand.below(3))};
  };
  const auto text = [&](std::optional<std::string>& to) {
    if (rand.one_in(2)) to = rand.text(rand.below(20));
  };
  for (auto* to : {&f.a_call_time, &f.b_call_time, &f.a_offhook_time, &f.b_offhook_time,
                   &f.conn_time, &f.close_time}) {
    time(*to);
  }
  for (auto* to : {&f.ch_state, &f.ch_audio_url, &f.ch_audio_url_whole, &f.channel_call_id,
                   &f.ivr_url, &f.ivr_text, &f.caller, &f.called, &f.channel, &f.agent, &f.reason,
                   &f.code, &f.message, &f.audio_url, &f.file, &f.request_id}) {
    text(*to);
  }
  if (rand.one_in(2)) f.duration = rand.between(INT64_MIN, INT64_MAX);
  if (rand.one_in(2)) f.audio_after = rand.between(INT64_MIN, INT64_MAX);
  if (rand.one_in(2)) f.close = CloseFact{rand.text(2), rand.text(5), rand.text(1)};
  f.never_connected = rand.one_in(2);
  f.inbound = rand.one_in(2);
  f.truncated = rand.one_in(2);
  return f;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(event_test)

BOOST_AUTO_TEST_CASE(every_name_has_a_text_of_its_own) {
  std::set<std::string_view> texts;
  for (int i = 0; i <= static_cast<int>(EventName::line_released); ++i) {
    const auto name = static_cast<EventName>(i);
    texts.insert(to_text(name));
    BOOST_TEST((event_name_from_text(to_text(name)) == name));
  }
  BOOST_TEST(texts.size() == static_cast<std::size_t>(EventName::line_released) + 1);
  BOOST_TEST(!event_name_from_text("a_calling").has_value());
  BOOST_TEST(!event_name_from_text("").has_value());
}

BOOST_AUTO_TEST_CASE(names_are_the_ones_of_the_rules) {
  BOOST_TEST(to_text(EventName::a_calling) == "a.calling");
  BOOST_TEST(to_text(EventName::recorded) == "recorded");
  BOOST_TEST(to_text(EventName::attempt_superseded) == "attempt.superseded");
  BOOST_TEST(to_text(EventName::hangup_closed) == "hangup.closed");
  BOOST_TEST(to_text(EventName::reaped) == "reaped");
  BOOST_TEST(to_text(EventName::recording_deleted) == "recording.deleted");
  BOOST_TEST(to_text(EventName::line_released) == "line.released");
}

BOOST_AUTO_TEST_CASE(no_facts_are_an_empty_object) {
  BOOST_TEST(to_json(Facts{}) == "{}");
  BOOST_TEST((*facts_from_json("{}") == Facts{}));
}

BOOST_AUTO_TEST_CASE(facts_are_compact_json) {
  Facts f;
  f.a_call_time = TimeFact{1458813382000, TimeOrigin::own};
  f.duration = 9;
  f.never_connected = true;
  f.close = CloseFact{"0", "normal", ""};
  f.ch_state = "a\"\\\n玖";
  BOOST_TEST(to_json(f) ==
             R"({"a_call_time":[1458813382000,"own"],"duration":9,"never_connected":true,)"
             R"("close":{"type":"0","detail":"normal","by":""},"ch_state":"a\"\\\u000a玖"})");
}

BOOST_AUTO_TEST_CASE(random_facts_come_back) {
  Rand rand(10);
  for (int i = 0; i < 5000; ++i) {
    const Facts facts = random_facts(rand);
    const auto back = facts_from_json(to_json(facts));
    BOOST_REQUIRE(back);
    BOOST_REQUIRE(*back == facts);
  }
}

BOOST_AUTO_TEST_CASE(bytes_that_no_database_takes_are_repaired) {
  Facts f;
  f.message = "a\xFF\0b"s;
  BOOST_TEST(to_json(f) ==
             "{\"message\":\"a\xEF\xBF\xBD"
             "b\"}");
}

BOOST_AUTO_TEST_CASE(names_of_a_newer_build_are_passed_over) {
  const auto facts = facts_from_json(R"({"later":[{}],"duration":3,"caller":null})");
  BOOST_REQUIRE(facts);
  BOOST_TEST(facts->duration.value() == 3);
  BOOST_TEST(!facts->caller.has_value());
}

BOOST_AUTO_TEST_CASE(what_is_no_facts_is_refused_with_the_reason) {
  for (const auto* text : {"", "{", "[]", "null", "1", "{}x", "{\"a\":\"\xFF\"}"}) {
    BOOST_TEST(!facts_from_json(text), text);
  }
  for (const auto* text :
       {R"({"duration":"9"})", R"({"duration":1.5})", R"({"duration":9223372036854775808})",
        R"({"close":"0"})", R"({"close":{"type":"0"}})",
        R"({"close":{"type":0,"detail":"","by":""}})", R"({"a_call_time":1})",
        R"({"a_call_time":[1]})", R"({"a_call_time":["1","own"]})",
        R"({"a_call_time":[1,"guessed"]})", R"({"inbound":1})", R"({"caller":13812345678})"}) {
    const auto facts = facts_from_json(text);
    BOOST_REQUIRE(!facts);
    BOOST_TEST(facts.error().message.starts_with("fact '"), text);
  }
}

BOOST_AUTO_TEST_CASE(depth_and_size_are_bounded) {
  BOOST_TEST(!facts_from_json("{\"x\":" + std::string(100'000, '[')));
  BOOST_TEST(!facts_from_json("{\"x\":\"" + std::string(1'000'000, 'x') + "\"}"));
}

BOOST_AUTO_TEST_CASE(mutated_json_never_breaks) {
  Rand rand(11);
  for (int i = 0; i < 5000; ++i) {
    auto text = to_json(random_facts(rand));
    for (auto n = 1 + rand.below(4); n > 0; --n) text[rand.below(text.size())] = rand.bytes(1)[0];
    if (const auto facts = facts_from_json(text)) {
      BOOST_REQUIRE(*facts_from_json(to_json(*facts)) == *facts || repair_utf8(text) != text ||
                    text.find("\\u0000") != std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
