#include <boost/test/unit_test.hpp>

#include "beijing_time.hpp"
#include "channel.hpp"
#include "e9.hpp"
#include "e9_fields.hpp"
#include "rand.hpp"
#include "samples.hpp"
#include "text.hpp"

using namespace cc;
using namespace cc::test;

namespace {

std::string show(const std::optional<TimeFact>& time) {
  if (!time) return "absent";
  constexpr std::string_view origins[] = {"own", "observed", "inferred"};
  return format_beijing(time->ms) + " " +
         std::string(origins[static_cast<std::size_t>(time->origin)]);
}

std::string show(const std::optional<CloseFact>& close) {
  return close ? close->type + " " + close->detail + " by '" + close->by + "'" : "absent";
}

ChannelEvent only_event(std::string_view body, Source source = Source::callback,
                        std::string_view subject = {}) {
  const auto understood = e9_channel().understand(e9_delivery(body, source, subject));
  BOOST_TEST(understood.problem == "");
  BOOST_TEST(understood.ignored == 0U);
  BOOST_REQUIRE_EQUAL(understood.events.size(), 1U);
  return understood.events[0];
}

std::string name_of(std::string_view body) {
  return std::string(to_text(only_event(body).event.name));
}

std::string problem(std::string_view body, Source source = Source::callback) {
  const auto understood = e9_channel().understand(e9_delivery(body, source));
  BOOST_TEST(understood.events.empty());
  return understood.problem;
}

std::string hangup(std::string_view bye_type) {
  return with(e9_hangup, ">200<", ">" + std::string(bye_type) + "<");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(e9_understand_test)

BOOST_AUTO_TEST_CASE(an_invite_of_leg_a_calls_a) {
  const auto found = only_event(e9_invite);
  const Event& event = found.event;
  BOOST_TEST(to_text(event.name) == "a.calling");
  BOOST_TEST(show(event.facts.a_call_time) == "20160324175622 own");
  BOOST_TEST(show(event.facts.a_offhook_time) == "absent");
  BOOST_TEST(event.facts.ch_state.value() == "CallInvite");
  BOOST_TEST(event.facts.caller.value() == "13912345678");
  BOOST_TEST(event.facts.called.value() == "13812345678");
  BOOST_TEST(event.facts.channel_call_id.value() == e9_call);
  BOOST_TEST(found.channel_call_id == e9_call);
  BOOST_TEST(!found.call.has_value());
  BOOST_TEST(event.attempt == 0);
  BOOST_TEST(event.channel_ms.value() == e9_invite_ms);
  BOOST_TEST(event.received_ms == e9_invite_ms + 500);
  BOOST_TEST((event.key == event_key(delivery_key(e9_delivery(e9_invite)), 0)));
  BOOST_TEST(!event.facts.truncated);
}

BOOST_AUTO_TEST_CASE(an_invite_of_leg_b_implies_that_a_answered) {
  const auto event = only_event(with(e9_invite, "<userFlag>0", "<userFlag>1")).event;
  BOOST_TEST(to_text(event.name) == "b.calling");
  BOOST_TEST(show(event.facts.b_call_time) == "20160324175622 own");
  BOOST_TEST(show(event.facts.a_offhook_time) == "20160324175622 inferred");
  BOOST_TEST(show(event.facts.a_call_time) == "absent");
}

BOOST_AUTO_TEST_CASE(an_invite_of_no_known_leg_moves_nothing) {
  for (const auto* flag : {"2", "", "null", "x"}) {
    const auto event =
        only_event(with(e9_invite, "<userFlag>0", "<userFlag>" + std::string(flag))).event;
    BOOST_TEST(to_text(event.name) == "other");
    BOOST_TEST(show(event.facts.a_call_time) == "absent");
  }
}

BOOST_AUTO_TEST_CASE(an_establish_connects_and_implies_that_b_answered) {
  const auto event = only_event(e9_establish).event;
  BOOST_TEST(to_text(event.name) == "connected");
  BOOST_TEST(show(event.facts.conn_time) == "20160324175652 own");
  BOOST_TEST(show(event.facts.b_offhook_time) == "20160324175652 inferred");
}

BOOST_AUTO_TEST_CASE(a_hangup_tells_the_whole_call) {
  const auto event = only_event(e9_hangup).event;
  BOOST_TEST(to_text(event.name) == "closed");
  BOOST_TEST(show(event.facts.a_offhook_time) == "20160324180016 own");
  BOOST_TEST(show(event.facts.b_offhook_time) == "20160324180022 own");
  BOOST_TEST(show(event.facts.conn_time) == "20160324180022 inferred");
  BOOST_TEST(show(event.facts.close_time) == "20160324180031 own");
  BOOST_TEST(event.facts.duration.value() == 9);
  BOOST_TEST(!event.facts.never_connected);
  BOOST_TEST(!event.facts.ch_audio_url.has_value());
  BOOST_TEST(show(event.facts.close) == "255 other:200 by ''");
}

BOOST_AUTO_TEST_CASE(every_bye_type_has_its_meaning) {
  BOOST_TEST(show(only_event(hangup("0")).event.facts.close) == "0 normal by ''");
  BOOST_TEST(show(only_event(hangup("1")).event.facts.close) == "1 a_unreachable by ''");
  BOOST_TEST(show(only_event(hangup("2")).event.facts.close) == "2 b_unreachable by ''");
  BOOST_TEST(show(only_event(hangup("3")).event.facts.close) == "3 a_busy by ''");
  BOOST_TEST(show(only_event(hangup("4")).event.facts.close) == "4 b_busy by ''");
  BOOST_TEST(show(only_event(hangup("5")).event.facts.close) == "5 max_duration by 'channel'");
  BOOST_TEST(show(only_event(hangup("6")).event.facts.close) == "6 channel_error by 'channel'");
  BOOST_TEST(show(only_event(hangup("7")).event.facts.close) == "7 network_error by 'channel'");
  BOOST_TEST(show(only_event(hangup("255")).event.facts.close) == "255 other:255 by ''");
  BOOST_TEST(show(only_event(hangup("8")).event.facts.close) == "255 other:8 by ''");
  BOOST_TEST(show(only_event(hangup("-1")).event.facts.close) == "255 other:-1 by ''");
  BOOST_TEST(show(only_event(hangup("oops")).event.facts.close) == "255 other:oops by ''");
}

BOOST_AUTO_TEST_CASE(an_absurd_bye_type_fits_its_column) {
  const auto facts = only_event(hangup(std::string(400, '9'))).event.facts;
  BOOST_TEST(facts.close->type == "255");
  BOOST_TEST(facts.close->detail == "other:" + std::string(16, '9'));
  BOOST_TEST(facts.truncated);
}

BOOST_AUTO_TEST_CASE(a_missing_bye_type_still_closes_but_says_no_cause) {
  for (const auto* value : {"", "null", " "}) {
    const auto event = only_event(hangup(value)).event;
    BOOST_TEST(to_text(event.name) == "closed");
    BOOST_TEST(show(event.facts.close) == "absent");
  }
  BOOST_TEST(show(only_event(with(e9_hangup, "<byeType>200</byeType>", "")).event.facts.close) ==
             "absent");
}

BOOST_AUTO_TEST_CASE(b_never_answered_means_never_connected) {
  auto body = with(e9_hangup, "<startTimeB>20160324180022</startTimeB>", "<startTimeB/>");
  body = with(body, "<duration>9<", "<duration>0<");
  const auto facts = only_event(body).event.facts;
  BOOST_TEST(facts.never_connected);
  BOOST_TEST(facts.duration.value() == 0);
  BOOST_TEST(show(facts.b_offhook_time) == "absent");
  BOOST_TEST(show(facts.conn_time) == "absent");
  BOOST_TEST(show(facts.a_offhook_time) == "20160324180016 own");
}

BOOST_AUTO_TEST_CASE(without_a_duration_only_an_unreached_leg_says_never_connected) {
  auto body = with(e9_hangup, "<startTimeB>20160324180022</startTimeB>", "");
  body = with(body, "<duration>9<", "<duration>null<");
  const auto with_bye = [&](std::string_view type) {
    return only_event(with(body, ">200<", ">" + std::string(type) + "<")).event.facts;
  };
  BOOST_TEST(!with_bye("0").never_connected);
  BOOST_TEST(!with_bye("255").never_connected);
  BOOST_TEST(with_bye("1").never_connected);
  BOOST_TEST(with_bye("4").never_connected);
  BOOST_TEST(!with_bye("5").never_connected);
  BOOST_TEST(!with_bye("1").duration.has_value());
}

BOOST_AUTO_TEST_CASE(a_second_of_talk_without_start_times_was_connected_all_the_same) {
  const auto body = with(e9_hangup, "<startTimeB>20160324180022</startTimeB>", "");
  BOOST_TEST(!only_event(body).event.facts.never_connected);
}

BOOST_AUTO_TEST_CASE(a_missing_end_time_is_inferred_from_the_event) {
  const auto body = with(e9_hangup, "<endTime>20160324180031</endTime>", "");
  BOOST_TEST(show(only_event(body).event.facts.close_time) == "20160324180031 inferred");
}

BOOST_AUTO_TEST_CASE(impossible_values_are_absent) {
  auto body = with(e9_hangup, "<duration>9<", "<duration>-9<");
  body = with(body, "<startTimeA>20160324180016<", "<startTimeA>20160230180016<");
  const auto facts = only_event(body).event.facts;
  BOOST_TEST(!facts.duration.has_value());
  BOOST_TEST(show(facts.a_offhook_time) == "absent");
  BOOST_TEST(!only_event(with(e9_hangup, "<duration>9<", "<duration>99999999999<"))
                  .event.facts.duration.has_value());
  BOOST_TEST(!only_event(with(e9_hangup, "<dateCreated>20160324180031<", "<dateCreated>soon<"))
                  .event.channel_ms.has_value());
}

BOOST_AUTO_TEST_CASE(the_recordings_url_is_kept_whole) {
  const auto url = [](std::string_view value) {
    return only_event(with(e9_hangup, "<recordUrl></recordUrl>",
                           "<recordUrl>" + std::string(value) + "</recordUrl>"))
        .event.facts;
  };
  BOOST_TEST(url("http://r.example/a.mp3?x=1&amp;y=2").ch_audio_url.value() ==
             "http://r.example/a.mp3?x=1&y=2");
  BOOST_TEST(url("http://r.example/a.mp3?x=1&y=2").ch_audio_url.value() ==
             "http://r.example/a.mp3?x=1&y=2");
  BOOST_TEST(url("<![CDATA[http://r.example/a.mp3?x=1&y=2]]>").ch_audio_url.value() ==
             "http://r.example/a.mp3?x=1&y=2");
  BOOST_TEST(!url("null").ch_audio_url.has_value());
  const auto fitting = "http://r.example/" + std::string(512 - 17, 'x');
  BOOST_TEST(url(fitting).ch_audio_url.value() == fitting);
  BOOST_TEST(!url(fitting).ch_audio_url_whole.has_value());
  BOOST_TEST(!url(fitting).truncated);
  const auto facts = url(fitting + "yz");
  BOOST_TEST(facts.ch_audio_url.value() == fitting);
  BOOST_TEST(facts.ch_audio_url_whole.value() == fitting + "yz");
  BOOST_TEST(facts.truncated);
}

BOOST_AUTO_TEST_CASE(our_echo_names_the_call_and_the_attempt) {
  const auto found = only_event(with(e9_invite, "abcdef", make_echo(7205759403792793600, 2)));
  BOOST_TEST(found.call.value() == 7205759403792793600);
  BOOST_TEST(found.event.attempt == 2);
  BOOST_TEST(only_event(with(e9_invite, "abcdef", "<![CDATA[cc1.5.1]]>")).call.value() == 5);
}

BOOST_AUTO_TEST_CASE(an_echo_is_exactly_ours_or_nobodys) {
  BOOST_TEST(parse_echo("cc1.9223372036854775807.3")->call == INT64_MAX);
  for (const auto* text : {"",
                           "cc1",
                           "cc1.",
                           "cc1.1",
                           "cc1.1.",
                           "cc1..1",
                           "cc1.0.1",
                           "cc1.1.0",
                           "cc1.01.1",
                           "cc1.1.01",
                           "cc1.-1.1",
                           "cc1.1.-1",
                           "cc1.+1.1",
                           "cc1.1.1 ",
                           " cc1.1.1",
                           "CC1.1.1",
                           "cc2.1.1",
                           "cc1.1.1.1",
                           "cc1.9223372036854775808.1",
                           "cc1.1.10",
                           "cc1.1x.1",
                           "xcc1.1.1"}) {
    BOOST_TEST(!parse_echo(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_CASE(unknown_actions_are_kept) {
  const auto event = only_event(with(e9_invite, "CallInvite", "CallTeleported")).event;
  BOOST_TEST(to_text(event.name) == "other");
  BOOST_TEST(event.facts.ch_state.value() == "CallTeleported");
  const auto long_word = std::string(100, 'A');
  const auto cut = only_event(with(e9_invite, "CallInvite", long_word)).event;
  BOOST_TEST(cut.facts.ch_state.value() == long_word.substr(0, 32));
  BOOST_TEST(cut.facts.truncated);
  BOOST_TEST(name_of("<req><userData>cc1.5.1</userData></req>") == "other");
  BOOST_TEST(name_of("<req><callId>x</callId></req>") == "other");
}

BOOST_AUTO_TEST_CASE(a_known_action_without_a_call_waits_for_one) {
  const auto found = only_event("<req><action>Hangup</action><caller>13912345678</caller></req>");
  BOOST_TEST(found.channel_call_id == "");
  BOOST_TEST(!found.call.has_value());
  BOOST_TEST(found.event.facts.caller.value() == "13912345678");
}

BOOST_AUTO_TEST_CASE(what_nobody_can_read_is_a_problem_with_a_reason) {
  for (const auto* body : {"", "hello", "\xFF\xFE", "<req></req>", "{}", "[1]", "<", "{", "null",
                           "<req><action>Unknown</action></req>", R"({"caller":"13912345678"})",
                           "<req><userData>abc</userData></req>"}) {
    BOOST_TEST(!problem(body).empty(), body);
  }
}

BOOST_AUTO_TEST_CASE(fields_stand_in_any_order_among_unknown_ones) {
  const auto facts =
      only_event(
          "<?xml version='1.0' encoding='GBK'?>\n<req>\n <byeType>3</byeType>\n "
          "<foo><bar>1</bar></foo>"
          "\n <endTime>20160324180031</endTime><!-- <callId>no</callId> -->\n"
          "<x><![CDATA[<callId>no</callId>]]></x><userData>u</userData><userFlag>0</userFlag>"
          "<callId> 420d9ec4557f4eeabfb003983d5b2049 </callId><action type='x'>Hangup</action "
          "></req>")
          .event.facts;
  BOOST_TEST(show(facts.close) == "3 a_busy by ''");
  BOOST_TEST(facts.channel_call_id.value() == e9_call);
}

BOOST_AUTO_TEST_CASE(null_and_empty_values_are_absent) {
  auto body = with(e9_hangup, ">20160324180016<", ">null<");
  body = with(body, ">20160324180022<", "> <");
  body = with(body, "<caller>13912345678<", "<caller>null<");
  const auto facts = only_event(body).event.facts;
  BOOST_TEST(show(facts.a_offhook_time) == "absent");
  BOOST_TEST(show(facts.b_offhook_time) == "absent");
  BOOST_TEST(!facts.caller.has_value());
}

BOOST_AUTO_TEST_CASE(numbers_are_canonical_where_they_can_be) {
  const auto caller = [](std::string_view value) {
    return only_event(with(e9_invite, "13912345678", value)).event.facts;
  };
  BOOST_TEST(caller("+86 139-1234-5678").caller.value() == "13912345678");
  BOOST_TEST(caller("008613912345678").caller.value() == "13912345678");
  BOOST_TEST(caller("anonymous").caller.value() == "anonymous");
  BOOST_TEST(caller("anonymous-caller-withheld").caller.value() == "anonymous-caller");
  BOOST_TEST(caller("anonymous-caller-withheld").truncated);
  BOOST_TEST(caller("\xC4\xE3").caller.value() == repair_utf8("\xC4\xE3"));
}

BOOST_AUTO_TEST_CASE(user_data_unescaped_breaks_nothing) {
  for (const std::string junk :
       {"a<b & c>d", "<", "&", "&amp", "]]>", "<![CDATA[", "<!--", "<?", "{\"test\":\"<x>\"}",
        "</req>", "<userData>", "</userData", "</userData>", "<userData></userData>",
        "\xC4\xE3\xBA\xC3", "<callId>"}) {
    const auto event = only_event(with(e9_hangup, "{\"test\":\"test\"}", junk)).event;
    BOOST_TEST(to_text(event.name) == "closed", junk);
    BOOST_TEST(event.facts.channel_call_id.value() == e9_call, junk);
    BOOST_TEST(event.facts.duration.value_or(-1) == 9, junk);
    BOOST_TEST(show(event.facts.close) == "255 other:200 by ''", junk);
  }
}

BOOST_AUTO_TEST_CASE(user_data_forges_no_field) {
  const std::string forged =
      "x</userData><callId>evil</callId><byeType>0</byeType><duration>999</duration>"
      "<userData>cc1.666.1</userData><action>Hangup</action><recordUrl>http://evil</recordUrl>";
  const auto found = only_event(with(e9_invite, "abcdef", forged));
  BOOST_TEST(to_text(found.event.name) == "a.calling");
  BOOST_TEST(found.channel_call_id == e9_call);
  BOOST_TEST(!found.call.has_value());
  BOOST_TEST(show(found.event.facts.close) == "absent");
  BOOST_TEST(!found.event.facts.duration.has_value());
  BOOST_TEST(!found.event.facts.ch_audio_url.has_value());
  // userData first of all fields, the true ones behind it.
  const auto first = "<req><userData>" + forged +
                     "</userData><action>CallInvite</action>"
                     "<userFlag>1</userFlag><callId>true</callId></req>";
  BOOST_TEST(only_event(first).channel_call_id == "true");
  BOOST_TEST(name_of(first) == "b.calling");
}

BOOST_AUTO_TEST_CASE(a_body_cut_off_inside_user_data_trusts_nothing_behind_its_start) {
  const auto body =
      std::string(e9_invite.substr(0, e9_invite.find("abcdef"))) +
      "<callId>evil</callId><action>Hangup</action><startTimeB>20160324180022</startTimeB>";
  const auto event = only_event(body).event;
  BOOST_TEST(to_text(event.name) == "a.calling");
  BOOST_TEST(event.facts.channel_call_id.value() == e9_call);
  BOOST_TEST(show(event.facts.b_offhook_time) == "absent");
}

BOOST_AUTO_TEST_CASE(a_value_cut_off_in_its_middle_is_absent) {
  BOOST_TEST(!problem("<req><action>Hang").empty());
  const auto found = only_event("<req><action>Hangup</action><callId>420d9ec");
  BOOST_TEST(found.channel_call_id == "");
}

BOOST_AUTO_TEST_CASE(json_says_the_same_as_xml) {
  const auto found = only_event(e9_hangup_json);
  const Facts& facts = found.event.facts;
  BOOST_TEST(to_text(found.event.name) == "closed");
  BOOST_TEST(found.channel_call_id == e9_call);
  BOOST_TEST(found.call.value() == 123);
  BOOST_TEST(show(facts.b_offhook_time) == "20160324180022 own");
  BOOST_TEST(show(facts.close_time) == "20160324180031 own");
  BOOST_TEST(facts.duration.value() == 9);
  BOOST_TEST(show(facts.close) == "0 normal by ''");
  BOOST_TEST(!facts.ch_audio_url.has_value());
}

BOOST_AUTO_TEST_CASE(json_may_start_late_be_spaced_and_hold_anything) {
  const auto found = only_event(
      "\xEF\xBB\xBF \r\n{ \"x\" : [1,{\"callId\":\"no\"},\"}\"] , \"action\" : \"CallInvite\" ,\n"
      "\"userFlag\" : 1 , \"callId\" : \"a\\/\\u0062\\ud83d\\ude00\" , \"dateCreated\" : "
      "20160324175622,"
      "\"caller\": null, \"y\": {\"action\":\"Hangup\"}, \"userData\": {\"callId\":\"no\"} , }");
  BOOST_TEST(to_text(found.event.name) == "b.calling");
  BOOST_TEST(found.channel_call_id == "a/b😀");
  BOOST_TEST(show(found.event.facts.b_call_time) == "20160324175622 own");
  BOOST_TEST(!found.event.facts.caller.has_value());
}

BOOST_AUTO_TEST_CASE(a_byte_order_mark_and_white_space_may_stand_before_xml) {
  BOOST_TEST(name_of("\xEF\xBB\xBF\n " + std::string(e9_hangup)) == "closed");
}

BOOST_AUTO_TEST_CASE(json_with_unescaped_user_data_is_still_read) {
  for (const std::string junk :
       {R"({"test":"test"})", R"({"callId":"evil","byeType":6})", R"(")", R"(\)", R"("")", R"({)",
        R"(",)", R"(a,"b)", R"({"action":"CallInvite","x":{"y":[1,2]}})", "\xC4\\", R"(":")"}) {
    const auto found = only_event(with(e9_hangup_json, "cc1.123.1", junk));
    BOOST_TEST(to_text(found.event.name) == "closed", junk);
    BOOST_TEST(found.channel_call_id == e9_call, junk);
    BOOST_TEST(!found.call.has_value(), junk);
    BOOST_TEST(found.event.facts.duration.value_or(-1) == 9, junk);
    BOOST_TEST(show(found.event.facts.b_offhook_time) == "20160324180022 own", junk);
    BOOST_TEST(show(found.event.facts.close) == "0 normal by ''", junk);
  }
}

BOOST_AUTO_TEST_CASE(json_user_data_at_the_end_forges_no_field) {
  const auto found = only_event(
      R"({"action":"CallInvite","userFlag":"0","callId":"true","userData":"{"action":"Hangup","byeType":"0"}"})");
  BOOST_TEST(to_text(found.event.name) == "a.calling");
  BOOST_TEST(found.channel_call_id == "true");
  BOOST_TEST(show(found.event.facts.close) == "absent");
}

BOOST_AUTO_TEST_CASE(unescaped_json_user_data_forges_no_field_that_the_vendor_left_out) {
  const auto found = only_event(
      R"({"action":"CallInvite","userFlag":0,"userData":"{"a":"b","duration":6,"startTimeB":"20160324180022"}",)"
      R"("subType":0,"callId":"true"})");
  BOOST_TEST(to_text(found.event.name) == "a.calling");
  BOOST_TEST(found.channel_call_id == "true");
  BOOST_TEST(show(found.event.facts.b_offhook_time) == "absent");
}

BOOST_AUTO_TEST_CASE(of_json_names_that_come_twice_the_one_out_of_user_datas_reach_counts) {
  const auto before = only_event(
      R"({"callId":"true","action":"Hangup","userData":"a","callId":"evil","byeType":"0"})");
  BOOST_TEST(before.channel_call_id == "true");
  const auto behind = only_event(
      R"({"action":"Hangup","userData":"a","callId":"evil","byeType":"0","callId":"true"})");
  BOOST_TEST(behind.channel_call_id == "true");
}

BOOST_AUTO_TEST_CASE(truncated_json_gives_what_stands_before_the_cut) {
  const auto found = only_event(R"({"action":"Hangup","callId":"abc","duration":9,"endTi)");
  BOOST_TEST(found.channel_call_id == "abc");
  BOOST_TEST(found.event.facts.duration.value() == 9);
}

BOOST_AUTO_TEST_CASE(a_query_answer_closes_the_call_that_was_asked_about) {
  const auto found = only_event(e9_query_answer, Source::query, "123");
  BOOST_TEST(to_text(found.event.name) == "closed");
  BOOST_TEST(to_text(found.event.source) == "query");
  BOOST_TEST(found.call.value() == 123);
  BOOST_TEST(found.event.attempt == 1);
  BOOST_TEST(found.event.facts.ch_audio_url.value() == "http://r.example/1.mp3");
  BOOST_TEST(found.event.facts.duration.value() == 9);
  // Our question is believed, not an echo that contradicts it.
  const auto other = only_event(e9_query_answer, Source::query, "124");
  BOOST_TEST(other.call.value() == 124);
  BOOST_TEST(other.event.attempt == 0);
}

BOOST_AUTO_TEST_CASE(a_query_answer_in_xml_is_read_too) {
  const auto found = only_event(
      "<?xml "
      "version='1.0'?><resp><statusCode>000000</statusCode><callNotify><action>Hangup</action>"
      "<callId>c</callId><byeType>4</byeType></callNotify></resp>",
      Source::query, "123");
  BOOST_TEST(show(found.event.facts.close) == "4 b_busy by ''");
  BOOST_TEST(show(found.event.facts.close_time) == "absent");
}

BOOST_AUTO_TEST_CASE(a_query_answer_about_a_living_call_closes_nothing) {
  auto body = with(e9_query_answer, R"("endTime":"20160324180031")", R"("endTime":null)");
  body = with(body, R"("byeType":0)", R"("byeType":"")");
  const auto event = only_event(body, Source::query, "123").event;
  BOOST_TEST(to_text(event.name) == "other");
  BOOST_TEST(show(event.facts.close_time) == "absent");
  BOOST_TEST(show(event.facts.a_offhook_time) == "20160324180016 own");
}

BOOST_AUTO_TEST_CASE(a_refused_query_is_no_event_and_no_dead_letter) {
  for (const auto* body :
       {R"({"resp":{"statusCode":"900224","represent":"too many"}})",
        R"({"resp":{"statusCode":"900219"}})", R"({"resp":{"statusCode":900218}})",
        R"({"resp":{"statusCode":"000000"}})",
        R"({"resp":{"statusCode":"000000","callNotify":{}}})",
        "<resp><statusCode>900219</statusCode></resp>"}) {
    const auto understood = e9_channel().understand(e9_delivery(body, Source::query, "123"));
    BOOST_TEST(understood.events.empty(), body);
    BOOST_TEST(understood.ignored == 1U, body);
    BOOST_TEST(understood.problem == "", body);
  }
  BOOST_TEST(!problem("<html>502 Bad Gateway</html>", Source::query).empty());
  BOOST_TEST(!problem("", Source::query).empty());
}

BOOST_AUTO_TEST_CASE(every_value_is_storable_whatever_the_bytes) {
  Rand rand(9);
  for (int i = 0; i < 3000; ++i) {
    std::string body = "<req><action>" + rand.bytes(rand.below(60)) + "</action><callId>" +
                       rand.bytes(1 + rand.below(90)) + "</callId><caller>" +
                       rand.bytes(rand.below(30)) + "</caller><recordUrl>" +
                       rand.bytes(rand.below(700)) + "</recordUrl></req>";
    const auto understood = e9_channel().understand(e9_delivery(body));
    for (const auto& found : understood.events) {
      bool cut = false;
      const auto fits = [&](const std::optional<std::string>& text, std::size_t width) {
        return !text || (repair_utf8(*text) == *text && cut_to_width(*text, width, cut) == *text);
      };
      const Facts& f = found.event.facts;
      BOOST_REQUIRE(fits(f.ch_state, 32) && fits(f.caller, 16) && fits(f.called, 16));
      BOOST_REQUIRE(fits(f.ch_audio_url, 512) && fits(f.channel_call_id, 64));
      BOOST_REQUIRE(!cut);
    }
  }
}

BOOST_AUTO_TEST_CASE(entities_and_escapes_are_decoded) {
  BOOST_TEST(decode_xml_text("&lt;&gt;&amp;&quot;&apos;&#65;&#x4e2d;&nope;&") ==
             "<>&\"'A中&nope;&");
  BOOST_TEST(decode_xml_text("a<![CDATA[&lt;]]>b<![CDATA[c") == "a&lt;bc");
  BOOST_TEST(
      decode_xml_text("&#xD800;&#x110000;&#99999999999;&#;&#x;").starts_with("\uFFFD\uFFFD&#"));
  BOOST_TEST(decode_json_string(R"(\"\\\/\b\f\n\r\tA\u4e2d\ud83d\ude00\x\)") ==
             "\"\\/\b\f\n\r\tA中😀\\x\\");
  BOOST_TEST(decode_json_string(R"(\ud83dx\ude00\u12)") == "\uFFFDx\uFFFD\\u12");
}

BOOST_AUTO_TEST_SUITE_END()
