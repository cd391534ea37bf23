// The simulator's own test. Run as: simulator_test -- /path/to/jiuyun-simulator
#define BOOST_TEST_MODULE jiuyun_simulator
#include <ctime>
#include <filesystem>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include "simulator_stage.hpp"

namespace json = boost::json;
using rig::Receiver;
using rig::Simulator;
using stage::actions;
using stage::call_id;
using stage::element;
using stage::Stage;
using stage::text;

BOOST_FIXTURE_TEST_CASE(answered_call, Stage) {
  auto answer = simulator.originate({{"to", "13800008001"},
                                     {"userData", "cc1.7.1"},
                                     {"needRecord", "1"},
                                     {"maxCallTime", 3600},
                                     {"fromSerNum", {"4008001234"}},
                                     {"toSerNum", {"02012345678", "4008001234"}}});
  auto id = call_id(answer);
  BOOST_TEST(id.size() == 32u);
  BOOST_TEST(text(answer.resp().at("dateCreated")).size() == 19u);
  auto truth = simulator.ended(id, 4);
  auto got = receiver.got();
  BOOST_REQUIRE_EQUAL(got.size(), 4u);
  BOOST_TEST(actions(got) == "01EH");
  for (auto const& one : got) {
    BOOST_TEST(one.head.starts_with("POST /cb?from=test HTTP/1.1"));
    BOOST_TEST(one.head.find("Content-Type: application/xml\r\n") != std::string::npos);
    BOOST_TEST(one.body.starts_with("<?xml version='1.0'?><req><action>"));
    BOOST_TEST(one.body.ends_with("</req>"));
    BOOST_TEST(element(one.body, "appId") == rig::app_id);
    BOOST_TEST(element(one.body, "caller") == "13900000001");
    BOOST_TEST(element(one.body, "called") == "13800008001");
    BOOST_TEST(element(one.body, "callId") == id);
    BOOST_TEST(element(one.body, "userData") == "cc1.7.1");
    BOOST_TEST(element(one.body, "type") == "1");
    BOOST_TEST(element(one.body, "subType") == "0");
    BOOST_TEST(element(one.body, "dateCreated").size() == 14u);
  }
  auto const& last = got[3].body;
  auto stamp = [&](char const* key) { return rig::beijing(truth.at(key).as_int64() / 1000); };
  BOOST_TEST(element(last, "startTimeA") == stamp("aAnsweredAt"));
  BOOST_TEST(element(last, "startTimeB") == stamp("bAnsweredAt"));
  BOOST_TEST(element(last, "endTime") == stamp("endedAt"));
  auto seconds = truth.at("endedAt").as_int64() / 1000 - truth.at("bAnsweredAt").as_int64() / 1000;
  BOOST_TEST(element(last, "duration") == std::to_string(seconds));
  BOOST_TEST(element(last, "byeType") == "0");
  BOOST_TEST(text(truth.at("hungUpBy")) == "b");

  auto url = element(last, "recordUrl");
  auto path = url.substr(url.find("/records/"));
  auto get = [&](std::string const& target) {
    return simulator.raw("GET " + target + " HTTP/1.1\r\nHost: test\r\n\r\n");
  };
  auto audio = get(path + "?auth=" + rig::md5_upper(rig::account_sid + ":" + rig::auth_token));
  BOOST_TEST(audio.status == 200);
  BOOST_TEST(audio.body.size() == 40u * 417u);
  BOOST_TEST(get(path).status == 403);
  BOOST_TEST(get(path + "?auth=00").status == 403);

  std::string life;
  for (auto name : {"originate", "ring", "answer", "hangup", "push"})
    life += std::to_string(simulator.journal(name, "cc1.7.1").size());
  BOOST_TEST(life == "12214");
  BOOST_TEST(simulator.end() == 0);
}

BOOST_FIXTURE_TEST_CASE(refusals_of_the_envelope, Stage) {
  auto now = std::time(nullptr);
  auto stamp = rig::beijing(now);
  std::string body =
      R"({"callback":{"appId":")" + rig::app_id + R"(","from":"13900000001","to":"13800000000"}})";
  auto code = [&](std::map<std::string, std::string> changed) {
    return simulator.vendor("Calls/callBack", body, std::move(changed)).code();
  };
  std::string lower = rig::md5_upper(rig::account_sid + rig::auth_token + stamp);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));

  BOOST_TEST(code({}) == "000000");
  BOOST_TEST(code({{"sig", std::string(32, '0')}}) == "900111");
  BOOST_TEST(code({{"timestamp", stamp}, {"sig", lower}}) == "900111");
  BOOST_TEST(code({{"sig", ""}}) == "900100");
  BOOST_TEST(code({{"Authorization", ""}}) == "900101");
  BOOST_TEST(code({{"Authorization", "Basic " + rig::base64(rig::account_sid + ":" + stamp)}}) ==
             "900102");
  BOOST_TEST(code({{"Authorization", rig::base64("somebody:" + stamp)}}) == "900104");
  BOOST_TEST(code({{"timestamp", "2024-01-01"}}) == "900105");
  BOOST_TEST(code({{"timestamp", rig::beijing(now - 13 * 3600)}}) == "900106");
  BOOST_TEST(code({{"timestamp", rig::beijing(now - 11 * 3600)}}) == "000000");
  BOOST_TEST(code({{"timestamp", rig::beijing(now + 13 * 3600)}}) == "900106");
  // Signed with one timestamp, authorized with another one.
  BOOST_TEST(code({{"timestamp", stamp},
                   {"Authorization",
                    rig::base64(rig::account_sid + ":" + rig::beijing(now - 60))}}) == "900111");
  BOOST_TEST(code({{"function", "Calls/callback"}}) == "900000");
  BOOST_TEST(code({{"method", "PUT"}}) == "900000");
  BOOST_TEST(code({{"Accept", ""}}) == "900098");
  BOOST_TEST(code({{"Content-Type", "application/json"}}) == "900098");
  auto chunked = "5b\r\n" + body + "\r\n0\r\n\r\n";
  char size[16];
  std::snprintf(size, sizeof size, "%zx", body.size());
  chunked.replace(0, 2, size);
  BOOST_TEST(simulator
                 .vendor("Calls/callBack", chunked,
                         {{"Content-Length", ""}, {"Transfer-Encoding", "chunked"}})
                 .code() == "900098");
  BOOST_TEST(simulator.vendor("Calls/callBack", "{").code() == "900098");
  BOOST_TEST(simulator.vendor("Calls/callBack", std::string(9000, ' ') + body).code() == "900098");
}

BOOST_FIXTURE_TEST_CASE(refusals_of_fields, Stage) {
  auto code = [&](json::object fields) {
    if (!fields.contains("to")) fields["to"] = "13800000000";
    return simulator.originate(std::move(fields)).code();
  };
  BOOST_TEST(code({{"extra", 1}}) == "900098");
  BOOST_TEST(code({{"appId", 5}}) == "900098");
  BOOST_TEST(code({{"appId", "x"}}) == "900113");
  BOOST_TEST(code({{"from", ""}}) == "900200");
  BOOST_TEST(code({{"from", "4008001234"}}) == "900201");
  BOOST_TEST(code({{"from", "+8613900000001"}}) == "900201");
  BOOST_TEST(code({{"from", 13900000001}}) == "900098");
  BOOST_TEST(code({{"to", ""}}) == "900202");
  BOOST_TEST(code({{"to", "123"}}) == "900203");
  BOOST_TEST(code({{"to", "0201234567890"}}) == "900203");
  for (auto fine : {"02012345670", "075512345670", "4008001230", "95550"})
    BOOST_TEST(code({{"to", fine}}) == "000000", fine);
  BOOST_TEST(code({{"fromSerNum", "4008001234"}}) == "900098");
  BOOST_TEST(code({{"fromSerNum", json::array{"4008001234", "4008001234", "4008001234",
                                              "4008001234"}}}) == "900098");
  BOOST_TEST(code({{"fromSerNum", json::array{"13800000000"}}}) == "900204");
  BOOST_TEST(code({{"toSerNum", json::array{"13800000000"}}}) == "900205");
  BOOST_TEST(code({{"maxCallTime", 0}}) == "900209");
  BOOST_TEST(code({{"maxCallTime", 28801}}) == "900209");
  BOOST_TEST(code({{"needRecord", 2}}) == "900210");
  BOOST_TEST(code({{"needRecord", true}}) == "900210");
  BOOST_TEST(code({{"userData", std::string(129, 'x')}}) == "900216");
  BOOST_TEST(code({{"userData", 7}}) == "900098");
  BOOST_TEST(code({{"to", "13800009117"}}) == "900117");
  BOOST_TEST(code({{"to", "13800009221"}}) == "900221");
  BOOST_TEST(simulator.cancel("xyz").code() == "900213");
  BOOST_TEST(simulator.cancel(std::string(32, 'a')).code() == "900217");
  BOOST_TEST(simulator.query(std::string(32, 'a')).code() == "900217");
  BOOST_TEST(
      simulator.vendor("Records/query", R"({"req":{"callId":")" + std::string(32, 'a') + R"("}})")
          .code() == "900098");
}

BOOST_FIXTURE_TEST_CASE(ends_of_calls, Stage) {
  struct Case {
    char const* to;
    int bye_type;
    char const* by;
    std::size_t pushes;
  };
  for (auto const& one :
       {Case{"13800008002", 0, "a", 4}, Case{"13800008003", 4, "bBusy", 3},
        Case{"13800008004", 2, "bNoAnswer", 3}, Case{"13800008005", 2, "bUnreachable", 3},
        Case{"13800008006", 1, "aUnreachable", 2}, Case{"13800008007", 3, "aBusy", 2},
        Case{"13800008008", 1, "aNoAnswer", 2}, Case{"13800008009", 5, "maximum", 4},
        Case{"13800008034", 200, "b", 4}}) {
    auto truth = simulator.ended(call_id(simulator.originate({{"to", one.to}})), one.pushes);
    BOOST_TEST(truth.at("byeType").as_int64() == one.bye_type, one.to);
    BOOST_TEST(text(truth.at("hungUpBy")) == one.by, one.to);
    BOOST_TEST(truth.at("pushed").as_array().size() == one.pushes, one.to);
  }
  auto got = receiver.got();
  BOOST_TEST(element(got[4].body, "userFlag") == "0");
  BOOST_TEST(simulator.journal("violation").empty());
  // maxCallTime is shorter than the talk: 10 s are 0.5 s at speed 20.
  auto truth = simulator.ended(
      call_id(simulator.originate({{"to", "13800008010"}, {"maxCallTime", 10}})), 4);
  BOOST_TEST(truth.at("byeType").as_int64() == 5);
  BOOST_TEST(truth.at("durationMs").as_int64() >= 490);
}

BOOST_FIXTURE_TEST_CASE(violations, Stage) {
  auto first = call_id(simulator.originate({{"to", "13800008010"}, {"userData", "u1"}}));
  auto second = simulator.originate({{"to", "13800008001"}, {"userData", "u2"}});
  auto truth = simulator.ended(call_id(second), 2);
  BOOST_TEST(truth.at("byeType").as_int64() == 3);
  auto lines = simulator.journal("violation", "u2");
  BOOST_REQUIRE_EQUAL(lines.size(), 1u);
  BOOST_TEST(text(lines[0].at("violation")) == "rung while busy");
  BOOST_TEST(text(lines[0].at("heldBy")) == first);
  simulator.originate({{"from", "13900000002"}, {"to", "13800009117"}, {"userData", "u1"}});
  lines = simulator.journal("violation", "u1");
  BOOST_REQUIRE_EQUAL(lines.size(), 1u);
  BOOST_TEST(text(lines[0].at("violation")) == "userData originated twice");
  BOOST_TEST(simulator.control("GET", "health").json.as_object().at("violations").as_int64() == 2);
}

BOOST_FIXTURE_TEST_CASE(cancel_and_hang_up, Stage) {
  simulator.script("13800000001", R"({"aRingMs":3600000})");
  auto id = call_id(simulator.originate({{"to", "13800000001"}, {"userData", "c1"}}));
  receiver.wait_for(1);
  BOOST_TEST(simulator.cancel(id).code() == "000000");
  auto truth = simulator.ended(id, 2);
  BOOST_TEST(truth.at("byeType").as_int64() == 0);
  BOOST_TEST(text(truth.at("hungUpBy")) == "cancel");
  BOOST_TEST(truth.at("aAnsweredAt").is_null());
  BOOST_TEST(element(receiver.got()[1].body, "action") == "Hangup");
  BOOST_TEST(element(receiver.got()[1].body, "startTimeA") == "");
  BOOST_TEST(simulator.cancel(id).code() == "900217");

  id = call_id(simulator.originate({{"to", "13800008010"}}));
  receiver.wait_for(5);  // 2 + CallInvite, CallInvite, CallEstablish
  BOOST_TEST(simulator.query(id).code() == "900218");
  BOOST_TEST(simulator.control("POST", "hangup/" + id + "?by=x").status == 400);
  BOOST_TEST(simulator.control("POST", "hangup/" + id + "?by=a").status == 200);
  truth = simulator.ended(id, 4);
  BOOST_TEST(text(truth.at("hungUpBy")) == "a");
  BOOST_TEST(simulator.control("POST", "hangup/" + id + "?by=a").status == 409);
  auto answer = simulator.query(id);
  BOOST_REQUIRE_EQUAL(answer.code(), "000000");
  auto const& notify = answer.resp().at("callNotify").as_object();
  auto last = receiver.wait_for(6).back().body;
  for (auto key :
       {"action", "callId", "startTimeA", "startTimeB", "endTime", "userData", "recordUrl"})
    BOOST_TEST(text(notify.at(key)) == element(last, key), key);
}

BOOST_FIXTURE_TEST_CASE(query_rate, Stage) {
  auto id = call_id(simulator.originate({{"to", "13800008012"}}));
  simulator.ended(id, 4);
  BOOST_TEST(receiver.got().size() == 3u);  // Hangup is lost
  for (int i = 0; i < 9; ++i) BOOST_TEST(simulator.query(id).code() == "000000");
  BOOST_TEST(simulator.query(id).code() == "900224");
}

BOOST_AUTO_TEST_CASE(pushes_time_out_and_are_never_repeated) {
  Stage stage;
  stage.receiver.delay_ms = 4000;
  stage.simulator.script("13800000000", R"({"a":"unreachable"})");
  auto truth =
      stage.simulator.ended(call_id(stage.simulator.originate({{"to", "13800000000"}})), 2);
  for (auto const& push : truth.at("pushed").as_array()) {
    auto const& one = push.as_object();
    BOOST_TEST(one.at("status").as_int64() == 0);
    BOOST_TEST(one.at("durationMs").as_int64() >= 2400);
    BOOST_TEST(one.at("durationMs").as_int64() < 4000);
    BOOST_TEST(text(one.at("error")).find("timeout") != std::string::npos);
  }
  stage.simulator.control("PUT", "callback-url", R"({"url":"http://127.0.0.1:1/nobody"})");
  truth = stage.simulator.ended(call_id(stage.simulator.originate({{"to", "13800000000"}})), 2);
  BOOST_TEST(truth.at("pushed").as_array().size() == 2u);
  BOOST_TEST(
      text(truth.at("pushed").as_array()[0].as_object().at("error")).starts_with("connect: "));
}

BOOST_AUTO_TEST_CASE(control_and_unix_socket) {
  auto folder = rig::temporary_folder();
  {
    Receiver receiver(folder + "/cb.sock");
    Simulator simulator({"--speed=50", "--clock-skew", "3600"});
    BOOST_TEST(simulator.control("PUT", "callback-url", "ftp://x").status == 400);
    BOOST_TEST(
        simulator.control("PUT", "callback-url", R"({"url":")" + receiver.url() + R"("})").status ==
        200);
    auto truth = simulator.ended(
        call_id(simulator.originate({{"to", "13800000000"}, {"userData", "x"}})), 4);
    auto got = receiver.got();
    BOOST_REQUIRE_EQUAL(got.size(), 4u);
    BOOST_TEST(element(got[3].body, "endTime") ==
               rig::beijing(truth.at("endedAt").as_int64() / 1000 + 3600));
    BOOST_TEST(simulator.control("POST", "push", "not even xml")
                   .json.as_object()
                   .at("status")
                   .as_int64() == 200);
    BOOST_TEST(receiver.wait_for(5).back().body == "not even xml");

    BOOST_TEST(simulator.control("PUT", "scripts/13800000000", R"({"talk":1})").status == 400);
    BOOST_TEST(simulator.control("PUT", "scripts/13800000000", R"({"preset":"nothing"})").status ==
               400);
    BOOST_TEST(simulator.control("PUT", "scripts/abc", "{}").status == 400);
    BOOST_TEST(simulator.control("DELETE", "scripts/13800000000").status == 404);
    BOOST_TEST(simulator.control("PUT", "default-script", R"({"preset":"a-busy"})").status == 200);
    truth = simulator.ended(call_id(simulator.originate({{"to", "13800000000"}})), 2);
    BOOST_TEST(truth.at("byeType").as_int64() == 3);
    BOOST_TEST(simulator.control("GET", "nothing").status == 404);
    BOOST_TEST(
        simulator.control("GET", "presets").json.as_object().at("presets").as_array().size() > 40u);
    BOOST_TEST(simulator.control("GET", "phones?number=13900000001")
                   .json.as_object()
                   .at("phones")
                   .as_array()[0]
                   .as_object()
                   .at("ringsA")
                   .as_int64() == 1);
    auto last = simulator.control("GET", "health").json.as_object().at("journalSeq").as_int64();
    auto waited = simulator.control("GET", "journal?waitMs=300&since=" + std::to_string(last));
    BOOST_TEST(waited.json.as_object().at("lines").as_array().empty());

    simulator.control("PUT", "default-script", R"({"preset":"long-talk"})");
    auto living = call_id(simulator.originate({{"to", "13800000001"}, {"userData", "y"}}));
    receiver.wait_for(10);
    BOOST_TEST(simulator.control("POST", "reset").status == 200);
    BOOST_TEST(simulator.control("GET", "calls/" + living).status == 404);
    BOOST_TEST(simulator.control("GET", "health").json.as_object().at("living").as_int64() == 0);
    BOOST_TEST(simulator.originate({{"to", "13800000002"}, {"userData", "y"}}).code() == "000000");
    BOOST_TEST(simulator.journal("violation").empty());
  }
  std::filesystem::remove_all(folder);
}
