// The simulator's own test, of its faults: by outage, by chance.
#include <future>
#include <map>

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include "gateway_rig.hpp"
#include "gateway_stage.hpp"

namespace json = boost::json;
using rig::Client;
using rig::Seat;
using rig::Simulator;
using stage::Ready;

namespace {

// With a listener for the control API alone.
struct Apart {
  Simulator simulator{
      {"--speed", "100", "--poll-ms", "200", "--poll-gap-ms", "0", "--control", "127.0.0.1:0"}};

  void outage(std::string const& json) {
    auto const answer = simulator.control("PUT", "outage", json);
    BOOST_REQUIRE_MESSAGE(answer.status == 200, json + ": " + answer.body);
  }
  // Connecting to the gateway's port is refused.
  bool refused() {
    Client client(simulator.url());
    auto const answer = client.request("GET", "/agentgateway/resource/agentevent/999");
    return answer.status == 0 && !answer.timed_out;
  }
  int rings(int agent) {
    int count = 0;
    for (auto const& line : simulator.journal("ring")) count += line.at("agent") == agent;
    return count;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(connections_are_refused_and_taken_again, Apart) {
  Ready seat(simulator, 291);
  seat.call_out("13800007005");
  seat.story("Talking\"7\"");
  Seat waiter(simulator.url(), 291);
  waiter.guid = seat.guid;
  auto const before = simulator.health("polls");
  auto pending = std::async(std::launch::async, [&] {
    waiter.client.timeout_ms = 3000;
    return waiter.poll();
  });
  for (int i = 0; i < 400 && simulator.health("polls") <= before; ++i) rig::rest(5);
  outage(R"({"connections":"refuse"})");
  BOOST_TEST(pending.get().status == 0);
  BOOST_TEST(refused());
  // The phones know nothing of it, and no event is lost.
  BOOST_TEST(simulator.health("calls_living") == 1);
  auto const id = simulator.journal("callout").at(0).at("callId").as_string();
  BOOST_TEST(simulator.control("POST", "hangup/" + std::string(id) + "?by=customer").status == 200);
  BOOST_TEST(simulator.await("call_over", 1).size() == 1u);
  outage(R"({"connections":null})");
  BOOST_TEST(!refused());
  BOOST_TEST(seat.story("Ready") == "Customer_Release:id PhoneRelease3 Ready");
  outage(R"({"connections":"refuse"})");
  BOOST_TEST(simulator.control("POST", "reset").status == 200);  // opens it
  BOOST_TEST(!refused());
}

BOOST_FIXTURE_TEST_CASE(outages_of_all_callouts, Apart) {
  Ready seat(simulator, 291);
  seat.client.fresh_connections = true;
  auto const expect = [&](std::string const& what, std::string const& story) {
    outage(what);
    auto const answer = seat.call_out("13800007016");
    if (seat.call_id.empty() && !simulator.journal("callout").empty()) {
      auto const id = simulator.journal("callout").back().at("callId");
      if (id.is_string()) seat.call_id = id.as_string();
    }
    BOOST_TEST(seat.story() == story, what);
    return answer;
  };
  std::string const whole = stage::answered_begin + " Customer_Release:id PhoneRelease3 Ready";
  BOOST_TEST(expect(R"({"kind":"http503","functions":["callout"]})", "").status == 503);
  BOOST_TEST(expect(R"({"kind":"http504","functions":["callout"],"dialled":true})", whole).status ==
             504);
  BOOST_TEST(expect(R"({"kind":"drop","functions":["callout"],"dialled":true})", whole).status ==
             0);
  BOOST_TEST(
      expect(R"({"kind":"retcode","code":"999-999","functions":["callout"]})", "").retcode() ==
      "999-999");
  expect(R"({"kind":null,"ends":"connectFail"})", "Connect_Fail:id PhoneRelease3");
  expect(R"({"ends":"connectFailRung"})", "PhoneAlerting Connect_Fail:id PhoneRelease3");
  expect(R"({"ends":"callOutFail"})",
         "PhoneAlerting PhoneOffhook Busy Customer_Alerting:id Call_Out_Fail:id Connect_Fail:id "
         "PhoneRelease3 Ready");
  expect(R"({"ends":"platform"})", stage::answered_begin + " PhoneRelease3 Ready");
  expect(R"({"ends":null,"lose":["AgentEvent_Talking","AgentState_Ready"]})",
         "PhoneAlerting PhoneOffhook Busy Customer_Alerting:id Customer_Release:id PhoneRelease3");
  expect(R"({"lose":null})", whole);
  BOOST_TEST(simulator.violations() == "");

  for (auto wrong : {R"({"flood":1})", R"({"code":"105-005"})", R"({"ends":"never"})",
                     R"({"connections":"drop"})", R"({"calloutDelayMs":-1})", "[]",
                     R"({"kind":"retcode","dialled":true})"})
    BOOST_TEST(simulator.control("PUT", "outage", wrong).status == 400, wrong);
}

BOOST_FIXTURE_TEST_CASE(slow_callouts, Apart) {
  Ready seat(simulator, 291);
  // Not divided by --speed, unlike scripts' pauses.
  outage(R"({"calloutDelayMs":400})");
  BOOST_TEST(seat.call_out("13800007005").ms >= 400);
  BOOST_TEST(rings(291) == 2);
  BOOST_TEST(seat.release().retcode() == "0");
  outage(R"({"slowDials":false})");
  Ready patient(simulator, 292);
  auto answer = std::async(std::launch::async, [&] { return patient.call_out("13800007016"); });
  BOOST_TEST(simulator.await("callout", 2).size() == 2u);
  BOOST_TEST(rings(292) == 0);
  BOOST_TEST(answer.get().retcode() == "0");
  BOOST_TEST(patient.story().starts_with("PhoneAlerting"));
  Ready impatient(simulator, 293);
  impatient.client.timeout_ms = 100;
  BOOST_TEST(impatient.call_out("13800007016").timed_out);
  BOOST_TEST(simulator.await("hangup", 3).back().at("by").as_string() == "client_gone");
  BOOST_TEST(rings(293) == 0);
  BOOST_TEST(simulator.health("calls_living") == 0);
}

BOOST_FIXTURE_TEST_CASE(random_faults, Apart) {
  std::string const plan =
      R"({"seed":7,"callout":{"refuse":0.1,"refuseOther":0.1,"error":0.1,"errorDialled":0.1,
          "drop":0.1,"dropDialled":0.1,"hang":0.1,"hangDialled":0.1,"slow":0.2},"slowMs":[10,30],
          "ends":{"connectFail":0.1,"platform":0.1},"events":{"lose":0.1,"double":0.2}})";
  Ready seat(simulator, 291);
  seat.client.timeout_ms = 150;
  seat.client.fresh_connections = true;
  auto const round = [&] {
    auto const answer = simulator.control("PUT", "random", plan);
    BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.body);
    auto const before = simulator.journal("random").size();
    std::size_t over = simulator.journal("call_over").size();
    for (int i = 0; i < 60; ++i) {
      seat.call_out("13800007016");
      // The line is the agent's only one.
      if (simulator.journal("callout").back().at("dialled").as_bool())
        simulator.await("call_over", ++over);
    }
    std::vector<std::string> lots;
    auto const lines = simulator.journal("random");
    for (auto i = before; i < lines.size(); ++i) {
      auto line = lines[i];
      line.erase("seq");
      line.erase("at");
      lots.push_back(json::serialize(line));
    }
    return lots;
  };
  auto const first = round();
  BOOST_TEST(first.size() == 60u);
  BOOST_TEST(first == round());

  std::map<std::string, int> answers;
  auto const lots = simulator.journal("random");
  auto const callouts = simulator.journal("callout");
  BOOST_REQUIRE_EQUAL(lots.size(), callouts.size());
  for (std::size_t i = 0; i < lots.size(); ++i) {
    std::string const answer(lots[i].at("answer").as_string());
    ++answers[answer];
    bool const dials = answer == "plain" || answer.ends_with("Dialled");
    BOOST_TEST(callouts[i].at("dialled").as_bool() == dials);
    if (answer.starts_with("refuse")) BOOST_TEST(callouts[i].at("retcode") == lots[i].at("code"));
  }
  BOOST_TEST(answers.size() == 9u);
  BOOST_TEST(simulator.control("DELETE", "random").status == 200);
  BOOST_TEST(!simulator.control("GET", "random").json.at("on").as_bool());
  seat.call_out("13800007016");
  BOOST_TEST(simulator.journal("random").size() == lots.size());

  for (auto wrong : {R"({"callout":{"refuse":0.6,"hang":0.6}})", R"({"callout":{"burn":1}})",
                     R"({"ends":{"6":1}})", R"({"events":{"lose":{}}})", R"({"slowMs":[5,1]})",
                     R"({"seed":"x"})", R"({"flood":1})", R"({"callout":{"slow":2}})"})
    BOOST_TEST(simulator.control("PUT", "random", wrong).status == 400, wrong);
}
