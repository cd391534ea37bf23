// The simulator's own test, of its faults: by script, by outage, by chance.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

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

namespace {

// With a listener for the control API alone.
struct Apart {
  Receiver receiver;
  Simulator simulator{
      {"--speed", "20", "--callback-url", receiver.url(), "--control", "127.0.0.1:0"}};

  void outage(std::string const& json) {
    auto const answer = simulator.control("PUT", "outage", json);
    BOOST_REQUIRE_MESSAGE(answer.status == 200, json + ": " + answer.body);
  }
  std::size_t rings(std::string const& user_data) {
    return simulator.journal("ring", user_data).size();
  }
  // Called by the test's Nth agent.
  rig::Answer call(int agent, std::string const& user_data, int wait_ms = 20000) {
    return simulator.originate({{"from", std::to_string(13900000100 + agent)},
                                {"to", "13800000000"},
                                {"userData", user_data}},
                               wait_ms);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(faults_of_the_originate, Stage) {
  struct Case {
    char const* to;
    int status;
    bool dials;
  };
  int index = 0;
  for (auto const& one : {Case{"13800008027", -1, true}, Case{"13800008028", -1, false},
                          Case{"13800008029", 0, false}, Case{"13800008030", 0, true},
                          Case{"13800008031", 500, false}, Case{"13800008032", 502, true},
                          Case{"13800008033", 200, true}}) {
    auto user_data = "f" + std::to_string(index);
    auto answer = simulator.originate(
        {{"from", "1390000001" + std::to_string(index++)}, {"to", one.to}, {"userData", user_data}},
        400);
    BOOST_TEST(answer.status == one.status, one.to);
    auto list = simulator.control("GET", "calls?userData=" + user_data)
                    .json.as_object()
                    .at("calls")
                    .as_array();
    BOOST_REQUIRE_EQUAL(list.size(), one.dials ? 1u : 0u);
    if (one.dials) simulator.ended(text(list[0].as_object().at("callId")), 4);
    BOOST_TEST(simulator.journal("ring", user_data).size() == (one.dials ? 2u : 0u), one.to);
  }
  BOOST_TEST(simulator.originate({{"to", "13800008024"}, {"userData", "before"}}).code() ==
             "000000");
  auto reply = simulator.journal("reply", "before").at(0).at("seq").as_int64();
  BOOST_TEST(simulator.journal("push", "before").at(0).at("seq").as_int64() < reply);
  auto sub = simulator.originate({{"from", "13900000020"}, {"to", "13800008038"}});
  BOOST_TEST(text(sub.resp().at("subStatusCode")) == "900205");

  simulator.control("PUT", "outage", R"({"originate":"503"})");
  BOOST_TEST(simulator.originate({{"to", "13800000000"}}).status == 503);
  simulator.control("PUT", "outage", R"({"originate":"drop"})");
  BOOST_TEST(simulator.originate({{"to", "13800000000"}}).status == 0);
  simulator.control("PUT", "outage", R"({"originate":"refuse:900117"})");
  BOOST_TEST(simulator.originate({{"to", "13800000000"}}).code() == "900117");
  simulator.control("PUT", "outage", R"({"originate":null})");
  BOOST_TEST(simulator.originate({{"from", "13900000021"}, {"to", "13800000000"}}).code() ==
             "000000");
  BOOST_TEST(simulator.control("PUT", "outage", R"({"originate":"maybe"})").status == 400);
}

BOOST_AUTO_TEST_CASE(faults_of_callbacks) {
  struct Case {
    char const* script;
    std::size_t total;
    char const* order;
  };
  for (auto const& one :
       {Case{R"({"preset":"lost-establish"})", 3, "01H"},
        Case{R"({"preset":"only-hangup"})", 1, "H"}, Case{R"({"preset":"doubled"})", 8, "0011EEHH"},
        Case{R"({"preset":"reversed"})", 4, "HE10"},
        Case{R"({"callbacks":{"order":["CallEstablish","CallInvite1"]}})", 4, "E10H"},
        Case{R"({"preset":"callbacks-late","callbacks":{"delayMs":2000}})", 4, "01EH"}}) {
    Stage stage;
    stage.simulator.script("13800000000", one.script);
    auto id = call_id(stage.simulator.originate({{"to", "13800000000"}}));
    stage.simulator.ended(id, std::max<std::size_t>(one.total, 4));
    BOOST_TEST(actions(stage.receiver.got()) == one.order, one.script);
    if (one.total == 8) BOOST_TEST(stage.receiver.got()[0].body == stage.receiver.got()[1].body);
  }
  Stage stage;
  auto first = [&](std::string const& number, std::string const& script) {
    stage.simulator.script(number, script);
    auto before = stage.receiver.got().size();
    auto id =
        call_id(stage.simulator.originate({{"to", number}, {"userData", "<" + number + ">"}}));
    stage.simulator.ended(id, 4);
    return stage.receiver.got().at(before);
  };
  BOOST_TEST(first("13800000001", "{}").body.find("<userData><13800000001></userData>") !=
             std::string::npos);
  BOOST_TEST(first("13800000002", R"({"preset":"ill-formed-user-data"})")
                 .body.find("<userData><&\"<13800000002>\"&<</userData>") != std::string::npos);
  BOOST_TEST(element(first("13800000003", R"({"preset":"no-user-data"})").body, "userData") == "");
  BOOST_TEST(
      element(
          first("13800000004", R"({"callbacks":{"dropUserData":true,"literalNull":true}})").body,
          "userData") == "null");
  auto plain = json::parse(first("13800000005", R"({"preset":"json"})").body).as_object();
  BOOST_TEST(plain.at("userFlag").as_int64() == 0);
  BOOST_TEST(text(plain.at("userData")) == "<13800000005>");
  auto rooted = json::parse(first("13800000006", R"({"preset":"json-strings"})").body).as_object();
  BOOST_TEST(text(rooted.at("req").as_object().at("userFlag")) == "0");
}

BOOST_FIXTURE_TEST_CASE(connections_are_refused_and_taken_again, Apart) {
  simulator.script("13800000000", R"({"preset":"long-talk"})");
  auto const id = call_id(call(1, "living"));
  auto const open = simulator.connect();
  outage(R"({"connections":"refuse"})");
  BOOST_TEST(simulator.refused());
  BOOST_TEST(open.ended());  // the open connections go too
  // The phones know nothing of it, and the control API is where it was.
  receiver.wait_for(3);
  BOOST_TEST(simulator.control("POST", "hangup/" + id + "?by=a").status == 200);
  BOOST_TEST(text(simulator.ended(id, 4).at("hungUpBy")) == "a");
  outage(R"({"connections":"refuse","callbacks":"lose"})");  // twice is once
  BOOST_TEST(simulator.refused());
  outage(R"({"connections":null})");
  BOOST_TEST(!simulator.refused());
  call_id(call(1, "again"));
  outage(R"({"connections":"refuse"})");
  BOOST_TEST(simulator.control("POST", "reset").status == 200);  // opens it
  BOOST_TEST(!simulator.refused());
  // What is on the vendor's port is not on the control API's, but the other way round it is.
  BOOST_TEST(simulator.raw_to_control("POST /2016-01-01/ HTTP/1.1\r\nHost: t\r\n\r\n").status ==
             404);
  BOOST_TEST(simulator.raw("GET /_control/health HTTP/1.1\r\nHost: t\r\n\r\n").status == 200);
}

BOOST_FIXTURE_TEST_CASE(outages_of_all_originates, Apart) {
  outage(R"({"originate":"hang-dialled"})");
  BOOST_TEST(call(1, "h", 300).status == -1);
  outage(R"({"originate":"drop-dialled"})");
  BOOST_TEST(call(2, "d").status == 0);
  outage(R"({"originate":"504-dialled"})");
  BOOST_TEST(call(3, "e").status == 504);
  outage(R"({"originate":"502"})");
  BOOST_TEST(call(4, "u").status == 502);
  outage(R"({"originate":"refuse:900204"})");
  BOOST_TEST(call(5, "r").code() == "900204");
  outage(R"({"originate":null,"ends":6})");
  auto truth = simulator.ended(call_id(call(6, "six")), 2);
  BOOST_TEST(truth.at("byeType").as_int64() == 6);
  outage(R"({"ends":7,"endsRing":true})");
  truth = simulator.ended(call_id(call(7, "seven")), 2);
  BOOST_TEST(truth.at("byeType").as_int64() == 7);
  outage(R"({"ends":null,"endsRing":null,"callbacks":["CallInvite"]})");
  auto const before = receiver.got().size();
  truth = simulator.ended(call_id(call(8, "lost")), 4);
  auto got = receiver.got();
  got.erase(got.begin(), got.begin() + static_cast<long>(before));
  BOOST_TEST(element(got.back().body, "action") == "Hangup");
  for (auto const& one : got) {
    bool const of_it = element(one.body, "userData") == "lost";
    BOOST_TEST((!of_it || element(one.body, "action") != "CallInvite"));
  }
  outage(R"({"callbacks":null})");
  auto const rung = [&](char const* user_data) { return rings(user_data); };
  BOOST_TEST(rung("u") == 0u);
  BOOST_TEST(rung("r") == 0u);
  BOOST_TEST(rung("six") == 0u);
  BOOST_TEST(rung("seven") == 1u);
  BOOST_TEST(rung("lost") == 2u);
  auto const shown = simulator.control("GET", "outage").json.as_object();
  BOOST_TEST(std::ranges::count_if(shown, [](auto const& one) { return one.value().is_null(); }) ==
             6);  // all but the delay (0) and the two flags

  for (auto wrong : {R"({"originate":"maybe"})", R"({"originate":"499"})", R"({"flood":1})",
                     R"({"query":"hang-dialled"})", R"({"callbacks":["Hang"]})", R"({"ends":"6"})",
                     R"({"connections":"drop"})", R"({"originateDelayMs":-1})", "[]"})
    BOOST_TEST(simulator.control("PUT", "outage", wrong).status == 400, wrong);
}

BOOST_FIXTURE_TEST_CASE(slow_answers, Apart) {
  // Not divided by --speed, unlike scripts' pauses.
  outage(R"({"originateDelayMs":600})");
  auto const begin = rig::now_ms();
  call_id(call(1, "slow"));
  BOOST_TEST(rig::now_ms() - begin >= 600);
  auto const reply = simulator.journal("reply", "slow").at(0).at("seq").as_int64();
  BOOST_TEST(simulator.journal("ring", "slow").at(0).at("seq").as_int64() < reply);

  outage(R"({"slowDials":false})");
  simulator.ended(call_id(call(2, "patient")), 4);
  BOOST_TEST(simulator.journal("ring", "patient").at(0).at("seq").as_int64() >
             simulator.journal("reply", "patient").at(0).at("seq").as_int64());
  BOOST_TEST(call(3, "impatient", 100).status == -1);
  BOOST_TEST(simulator.await("undialled", "impatient", 1).size() == 1u);
  BOOST_TEST(rings("impatient") == 0u);
  BOOST_TEST(simulator.control("GET", "health").json.at("living").as_int64() == 0);
}

BOOST_FIXTURE_TEST_CASE(random_faults, Apart) {
  simulator.control("PUT", "default-script", R"({"preset":"instant"})");
  std::string const plan =
      R"({"seed":7,"originate":{"refuse":0.1,"refuseNumber":0.1,"refuseDisplay":0.05,"error":0.1,
          "errorDialled":0.1,"drop":0.1,"dropDialled":0.1,"hang":0.1,"hangDialled":0.1,"slow":0.2},
          "slowMs":[10,30],"ends":{"6":0.1,"7":0.1},"lateMs":[10,50],
          "callbacks":{"lose":0.1,"double":0.2,"reorder":0.2,"late":0.2}})";
  auto const round = [&](std::string const& name) {
    auto const answer = simulator.control("PUT", "random", plan);
    BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.body);
    for (int i = 0; i < 80; ++i) call(i, name + std::to_string(i), 150);
    std::vector<std::string> lots;
    for (int i = 0; i < 80; ++i) {
      auto line = simulator.journal("random", name + std::to_string(i)).at(0);
      for (auto key : {"seq", "at", "callId", "userData"}) line.erase(key);
      lots.push_back(json::serialize(line));
    }
    return lots;
  };
  auto const first = round("a");
  BOOST_TEST(first == round("b"));  // the same seed and numbers: the same lots

  std::map<std::string, int> answers;
  for (int i = 0; i < 80; ++i) {
    auto const name = "a" + std::to_string(i);
    auto const lot = simulator.journal("random", name).at(0);
    auto const answer = text(lot.at("answer"));
    ++answers[answer];
    auto const refusals = simulator.journal("refused", name);
    BOOST_TEST(refusals.size() == (answer.starts_with("refuse") ? 1u : 0u));
    if (!refusals.empty()) BOOST_TEST(refusals[0].at("statusCode") == lot.at("code"));
    bool const dials = answer == "plain" || answer.ends_with("Dialled");
    BOOST_TEST(simulator.journal("originate", name).size() == (dials ? 1u : 0u), answer);
    if (lot.contains("ends") && dials)
      BOOST_TEST(simulator.await("hangup", name, 1).at(0).at("byeType") == lot.at("ends"));
  }
  BOOST_TEST(answers.size() == 10u);
  BOOST_TEST(simulator.control("DELETE", "random").status == 200);
  BOOST_TEST(!simulator.control("GET", "random").json.at("on").as_bool());
  call(90, "calm");
  BOOST_TEST(simulator.journal("random", "calm").empty());

  for (auto wrong :
       {R"({"originate":{"refuse":0.6,"hang":0.6}})", R"({"originate":{"burn":1}})",
        R"({"ends":{"8":1}})", R"({"callbacks":{"lose":{"CallInvite":1}}})", R"({"slowMs":[5,1]})",
        R"({"seed":"x"})", R"({"flood":1})", R"({"originate":{"slow":2}})"})
    BOOST_TEST(simulator.control("PUT", "random", wrong).status == 400, wrong);
}
