// The simulator's own test, of calls.
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <thread>

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include "gateway_rig.hpp"
#include "gateway_stage.hpp"

namespace json = boost::json;
using rig::Seat;
using rig::Simulator;
using stage::answered_begin;
using stage::Quick;
using stage::Ready;

BOOST_FIXTURE_TEST_CASE(sequences_of_the_presets, Quick) {
  std::string const hello = "PhoneAlerting PhoneOffhook Busy Customer_Alerting:id";
  std::string const goodbye = " Customer_Release:id PhoneRelease3 Ready";
  std::map<std::string, std::string> const expected{
      {"7001", answered_begin + goodbye},
      {"7002", answered_begin + " Call_Release:id PhoneRelease2 Ready"},
      {"7003", hello + " Call_Out_Fail:id Connect_Fail:id PhoneRelease3 Ready"},
      {"7004", "PhoneAlerting Connect_Fail:id PhoneRelease3"},
      {"7006", answered_begin + " PhoneRelease3 Ready"},
      {"7007", hello + " Call_Release:id PhoneRelease2 Ready"},
      {"7009",
       "PhoneAlerting PhoneOffhook Busy Customer_Alerting:Id Talking7:Id Customer_Release:Id "
       "PhoneRelease3 Ready"},
      {"7014",
       answered_begin + " Record:Id Customer_Release:id StopRecordDone PhoneRelease3 Ready"},
      {"7015",
       "PhoneAlerting PhoneOffhook Busy Novelty Customer_Alerting:id Talking\"7\":id Novelty:id" +
           goodbye},
      {"7016", answered_begin + goodbye},
      {"7017", answered_begin},
      {"7022", answered_begin + goodbye}};
  std::map<std::string, std::future<std::string>> told;
  for (auto const& [digits, story] : expected) {
    int const agent = 200 + static_cast<int>(told.size());
    told[digits] = std::async(std::launch::async, [&, agent, number = "1380000" + digits] {
      Seat seat(simulator.url(), agent);
      seat.sign_in();
      seat.reset_skills();
      seat.call_out(number);
      return seat.story();
    });
  }
  for (auto const& [digits, story] : expected)
    BOOST_TEST(told.at(digits).get() == story, digits << " told something else");
  BOOST_TEST(simulator.violations() == "");
  BOOST_TEST(simulator.health("calls_living") == 0);
  for (auto const& line : simulator.journal("ring"))
    if (line.at("leg") == json::value("A"))
      BOOST_TEST(line.at("number").as_string() ==
                 std::to_string(40000 + line.at("agent").as_int64()));
  BOOST_TEST(simulator.journal("call_over").size() == expected.size());
  // What is in the control API is in the file too.
  std::ifstream file(simulator.folder() + "/journal");
  std::int64_t lines = 0;
  for (std::string line; std::getline(file, line); ++lines)
    BOOST_REQUIRE_EQUAL(json::parse(line).at("seq").as_int64(), lines + 1);
  BOOST_TEST(lines == simulator.health("journal_seq"));
  BOOST_TEST(simulator.end() == 0);
}

BOOST_FIXTURE_TEST_CASE(contents_are_the_documented_ones, Quick) {
  Ready seat(simulator, 291);
  seat.call_out("13800007014", {{"caller", "4008001234"}, {"callappdata", "cc1.5.1"}});
  auto const id = seat.call_id;
  seat.story();
  json::object contents;
  for (auto const& line : simulator.journal("event_ready"))
    contents[line.at("eventType").as_string()] = line.at("content");
  BOOST_TEST(contents.at("AgentOther_PhoneAlerting").is_null());
  BOOST_TEST(contents.at("AgentEvent_Customer_Alerting") ==
             (json::object{{"callid", id},
                           {"otherPhoneWorkno", ""},
                           {"otherPhone", "13800007014"},
                           {"type", "main"}}));
  BOOST_TEST(contents.at("AgentEvent_Talking") == (json::object{{"caller", "4008001234"},
                                                                {"callid", id},
                                                                {"called", "13800007014"},
                                                                {"feature", "7"},
                                                                {"type", "main"},
                                                                {"mediaAbility", "1"}}));
  BOOST_TEST(contents.at("AgentEvent_Customer_Release") ==
             (json::object{{"callid", id}, {"number", "13800007014"}}));
  BOOST_TEST(contents.at("AgentOther_PhoneRelease") == (json::object{{"phoneState", 3}}));
  auto const& record = contents.at("AgentMediaEvent_Record").as_object();
  BOOST_TEST(record.at("callId").as_string() == id);
  auto const& done = contents.at("AgentMediaEvent_StopRecordDone").as_object();
  BOOST_TEST(done.at("taskId") == record.at("taskId"));
  BOOST_TEST(done.at("endTime").as_int64() >= done.at("beginTime").as_int64());
  auto const callout = simulator.journal("callout").at(0);
  BOOST_TEST(callout.at("callappdata").as_string() == "cc1.5.1");
  BOOST_TEST(callout.at("callId").as_string() == id);
  BOOST_TEST(simulator.violations() == "");
}

BOOST_FIXTURE_TEST_CASE(hanging_up_and_asking, Quick) {
  Ready seat(simulator, 205);
  seat.call_out("13800007005");
  auto const id = seat.call_id;
  BOOST_TEST(seat.story("Talking\"7\"") == answered_begin);
  auto const alive = seat.query(id).json.at("result").as_object();
  BOOST_TEST(alive.at("callid").as_string() == id);
  BOOST_TEST(alive.at("called").as_string() == "13800007005");
  BOOST_TEST((!alive.contains("endtime") || alive.at("endtime") == json::value(0)));
  BOOST_TEST(seat.query("1-1").retcode() == "300-001");
  BOOST_TEST(seat.drop("1-1").retcode() == "300-001");
  BOOST_TEST(seat.drop(id).retcode() == "0");
  BOOST_TEST(seat.drop(id).retcode() == "300-001");
  BOOST_TEST(seat.story() == "Call_Release:id PhoneRelease3 Ready");
  auto const ended = seat.query(id).json.at("result").as_object();
  BOOST_TEST(ended.at("endtime").as_int64() >= ended.at("begintime").as_int64());

  seat.call_out("13800007005");
  seat.story("Talking\"7\"");
  BOOST_TEST(seat.release().retcode() == "0");
  BOOST_TEST(seat.story() == "Call_Release:id PhoneRelease2 Ready");
  BOOST_TEST(seat.release().retcode() == "300-001");

  simulator.control("PUT", "scripts/100", R"({"aRingMs":3600000})");
  seat.call_out("100");
  seat.story("PhoneAlerting");
  BOOST_TEST(seat.release().retcode() == "0");
  BOOST_TEST(seat.story() == "Connect_Fail:id PhoneRelease3");
  BOOST_TEST(simulator.violations() == "");
  BOOST_TEST(simulator.journal("hangup").size() == 3u);
  BOOST_TEST(simulator.journal("hangup_asked").size() == 6u);
}

BOOST_FIXTURE_TEST_CASE(answers_of_the_callout, Quick) {
  Ready seat(simulator, 301);
  auto const null = seat.call_out("13800007008");
  BOOST_TEST(null.retcode() == "0");
  BOOST_TEST(null.json.at("result").is_null());
  BOOST_TEST(seat.story().ends_with("PhoneRelease3 Ready"));

  // 7010: the answer comes after two events were handed out.
  {
    Seat other(simulator.url(), 301);
    other.guid = seat.guid;
    auto answer = std::async(std::launch::async, [&] { return seat.call_out("13800007010"); });
    simulator.await("ring", 3);
    other.client.keep_cookies = false;
    other.client.headers.clear();
    other.story("PhoneAlerting");
    BOOST_TEST((answer.wait_for(std::chrono::seconds(0)) == std::future_status::timeout));
    other.story("PhoneOffhook");
    BOOST_TEST(answer.get().retcode() == "0");
    BOOST_TEST(!seat.call_id.empty());
    BOOST_TEST(seat.story().ends_with("PhoneRelease3 Ready"));
    BOOST_TEST(simulator.violations() == "cookie");
    simulator.control("POST", "reset");
  }
  seat.client.timeout_ms = 200;
  BOOST_TEST(seat.call_out("13800007011").timed_out);
  seat.client.timeout_ms = 5000;
  BOOST_TEST(seat.story().starts_with("PhoneAlerting PhoneOffhook"));
  auto const rings = simulator.journal("ring").size();
  auto const dropped = seat.call_out("13800007012");
  BOOST_TEST(dropped.status == 0);
  BOOST_TEST(!dropped.timed_out);
  auto const bad = seat.call_out("13800007013");
  BOOST_TEST(bad.status == 502);
  BOOST_TEST(bad.headers.at("content-type") == "text/html");
  BOOST_TEST(seat.story() == "");
  BOOST_TEST(simulator.journal("ring").size() == rings);
  BOOST_TEST(seat.call_out("13800007020").status == 502);
  BOOST_TEST(seat.story().starts_with("PhoneAlerting PhoneOffhook"));

  for (auto const& [digits, code] :
       {std::pair("6003", "000-003"), std::pair("6105", "105-005"), std::pair("6016", "110-016"),
        std::pair("6999", "999-999"), std::pair("8123", "100-123")})
    BOOST_TEST(seat.call_out("1380000" + std::string(digits)).retcode() == code);
  BOOST_TEST(seat.story() == "");
  BOOST_TEST(simulator.health("violations") == 0);
}

BOOST_FIXTURE_TEST_CASE(busy_agents_and_phones, Quick) {
  Ready seat(simulator, 401);
  seat.call_out("13800007005");
  seat.story("Talking\"7\"");
  auto const id = seat.call_id;
  BOOST_TEST(seat.call_out("13800007001").retcode() == "100-018");
  BOOST_TEST(simulator.violations_of("second_call") == 1);

  // Another agent with the same phone: it is engaged.
  Seat other(simulator.url(), 402);
  other.sign_in({{"phonenum", "40401"}});
  other.reset_skills();
  other.call_out("13800007001");
  BOOST_TEST(other.story() == "Connect_Fail:id PhoneRelease3");
  BOOST_TEST(simulator.violations_of("rung_while_busy") == 1);
  seat.drop(id);
  seat.story();
  other.call_out("13800007001");
  BOOST_TEST(other.story().ends_with("Ready"));

  Seat resting(simulator.url(), 403);
  resting.sign_in({{"status", "3"}});
  BOOST_TEST(resting.call_out("13800007001").retcode() == "100-018");
  BOOST_TEST(simulator.violations() ==
             "callout_not_idle rung_while_busy second_call skills_not_reset");
}

BOOST_FIXTURE_TEST_CASE(inbound_calls, Quick) {
  Ready seat(simulator, 291);
  auto const call = simulator.control("POST", "inbound/291", R"({"caller":"13912345678"})");
  seat.call_id = call.text("callId");
  BOOST_TEST(seat.story() ==
             "PhoneAlerting PhoneOffhook Busy Talking\"0\":id Customer_Release:id PhoneRelease3 "
             "Ready");
  auto const missed = simulator.control("POST", "inbound/291",
                                        R"({"caller":"13912345678","preset":"a-no-answer"})");
  seat.call_id = missed.text("callId");
  BOOST_TEST(seat.story() == "PhoneAlerting Connect_Fail:id PhoneRelease3");
  auto const talk =
      simulator.control("POST", "inbound/291", R"({"caller":"139","preset":"long-talk"})");
  seat.call_id = talk.text("callId");
  seat.story("Talking\"0\"");
  BOOST_TEST(simulator.control("POST", "inbound/291", R"({"caller":"139"})").status == 409);
  BOOST_TEST(simulator.control("POST", "hangup/" + seat.call_id + "?by=platform").status == 200);
  BOOST_TEST(seat.story() == "PhoneRelease3 Ready");
  BOOST_TEST(simulator.control("POST", "hangup/" + seat.call_id + "?by=agent").status == 409);
}

BOOST_AUTO_TEST_CASE(synthetic_load) {
  Simulator simulator({"--journal-level", "calls", "--poll-gap-ms", "0", "--poll-ms", "300"});
  std::vector<std::unique_ptr<Seat>> seats;
  for (int id = 1000; id < 1010; ++id) {
    seats.push_back(std::make_unique<Seat>(simulator.url(), id));
    seats.back()->sign_in();
  }
  auto const set = R"({"agents":"1000-1009","share":0.5,"period_ms":200})";
  BOOST_TEST(simulator.control("POST", "load", set).status == 200);
  std::vector<std::thread> threads;
  for (auto& seat : seats)
    threads.emplace_back([&seat] {
      for (int i = 0; i < 12; ++i) seat->poll();
    });
  for (auto& thread : threads) thread.join();
  simulator.control("POST", "load", R"({"share":0})");
  auto const summary = simulator.control("GET", "load/summary").json;
  BOOST_TEST(summary.at("calls").as_int64() >= 5);
  BOOST_TEST(summary.at("events_handed_out").as_int64() >= 40);
  auto const& delay = summary.at("delay_ms").as_object();
  BOOST_TEST(delay.at("count").as_int64() == summary.at("events_handed_out").as_int64());
  BOOST_TEST(delay.at("p50").to_number<double>() <= delay.at("p99").to_number<double>());
  BOOST_TEST(delay.at("p99").to_number<double>() <= delay.at("max").to_number<double>());
  BOOST_TEST(simulator.journal("event_ready").empty());
  BOOST_TEST(!simulator.journal("connected").empty());
  BOOST_TEST(simulator.violations() == "");
}

BOOST_AUTO_TEST_CASE(seeded_chance_repeats) {
  auto scripts = [](char const* seed) {
    Simulator own({"--seed", seed, "--speed", "1000"});
    std::string names;
    for (int id = 101; id < 113; ++id) {
      Ready seat(own, id);
      seat.call_out("13800007018");
      auto const calls = own.control("GET", "calls?limit=1").json.at("calls");
      names += std::string(calls.at(0).at("script").as_string()) + " ";
    }
    return names;
  };
  auto const once = scripts("7");
  BOOST_TEST(once == scripts("7"));
  BOOST_TEST(once != scripts("8"));
}
