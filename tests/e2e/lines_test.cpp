// Who polls: lines are spread over the daemons, move between living ones without anybody being
// signed out, and are taken over from dead ones; what a killed daemon had in its hand is asked for.
// And TLS is what it says.
#include <csignal>
#include <fstream>

#include <boost/test/unit_test.hpp>

#include "process.hpp"
#include "stack.hpp"

using namespace cc::test;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int first_agent = 1000, last_agent = 1039;

const std::vector<std::string> with_gateway{"--gateway", "--gateway-options", "--poll-ms 2000"};

std::string owners(const Stack& stack) {
  return stack.sql(
      "SELECT string_agg(owner || ' ' || n, ', ' ORDER BY owner) FROM (SELECT coalesce(owner, "
      "'none') AS owner, count(*) AS n FROM agent GROUP BY 1) AS s");
}

bool come_to(const Stack& stack, const std::string& expected, Millis timeout = Millis{30'000}) {
  const bool came = eventually([&] { return owners(stack) == expected; }, timeout);
  if (!came) BOOST_TEST_MESSAGE("owners are " << owners(stack));
  return came;
}

void make_agents_online(const Stack& stack) {
  stack.make_agents(first_agent, last_agent);
  BOOST_REQUIRE(eventually(
      [&] { return stack.sql("SELECT count(*) FROM agent WHERE actual = 'online'") == "40"; },
      Millis{30'000}));
}

std::string make_call(const Stack& stack, const std::string& agent, const std::string& called) {
  const Answer answer =
      stack.post("/v1/calls", R"({"agent":")" + agent + R"(","called":")" + called + "\"}");
  BOOST_REQUIRE_MESSAGE(answer.status == 202, answer.status << " " << answer.text);
  return answer.at("callId");
}

}  // namespace

BOOST_AUTO_TEST_CASE(lines_move_and_nobody_is_signed_out) {
  Stack stack("10", with_gateway);
  TempDir folder;
  make_agents_online(stack);
  BOOST_TEST(come_to(stack, "stack-1 40"));
  const std::size_t sign_ins = stack.gateway_journal("sign_in").size();
  BOOST_TEST(sign_ins == 40U);

  auto second = stack.further_ccd("stack-2", folder);
  BOOST_TEST(come_to(stack, "stack-1 20, stack-2 20"));

  // A call posted to one daemon is sent by the owner of its line, whichever that is.
  for (int agent = first_agent; agent < last_agent; agent += 3) {
    make_call(stack, std::to_string(agent), "138" + std::to_string(1000 + agent) + "7001");
  }
  const auto states = [&] {
    return stack.sql(
        "SELECT string_agg(s.told, ', ') FROM (SELECT state || coalesce(' ' || code, '') || ' ' || "
        "count(*) AS told FROM call_attempt GROUP BY state, code) AS s");
  };
  BOOST_TEST(eventually([&] { return states() == "accepted 13"; }), states());
  BOOST_TEST(stack.sql("SELECT count(*) FROM call_attempt a JOIN agent g ON g.channel = a.channel "
                       "AND g.agent = a.agent WHERE a.owner <> g.owner") == "0");

  const auto killed = Clock::now();
  second->send(SIGKILL);
  BOOST_TEST(come_to(stack, "stack-1 40", Millis{10'000}));
  BOOST_TEST_MESSAGE("a dead daemon's lines were taken over within "
                     << std::chrono::duration_cast<Millis>(Clock::now() - killed).count() << " ms");
  BOOST_TEST(eventually(
      [&] { return stack.sql("SELECT count(*) FROM call_record WHERE state <> 'close'") == "0"; },
      Millis{60'000}));

  second->end();
  second = stack.further_ccd("stack-2", folder);
  BOOST_TEST(come_to(stack, "stack-1 20, stack-2 20"));
  // A clean stop hands over at once.
  BOOST_TEST(second->end(Millis{30'000}) == 0);
  BOOST_TEST(owners(stack).find("stack-2") == std::string::npos);
  BOOST_TEST(come_to(stack, "stack-1 40"));

  BOOST_TEST(stack.gateway_journal("sign_in").size() == sign_ins);
  BOOST_TEST(stack.gateway_journal("sign_out").size() == 0U);
  BOOST_TEST(stack.gateway_journal("signed_out").size() == 0U);
  for (const json::object& line : stack.gateway_journal("violation")) {
    BOOST_ERROR(json::serialize(line));
  }
}

BOOST_AUTO_TEST_CASE(what_a_killed_daemon_had_in_its_hand_is_asked_for) {
  Stack stack("10", with_gateway);
  make_agents_online(stack);
  // Of the one call nobody is told that it ended; of the other the answer that tells it is lost.
  const std::string silent = make_call(stack, "1000", "13812347017");
  const std::string talking = make_call(stack, "1001", "13812347005");
  stack.await_state(silent, "conn");
  const std::string id = text_at(stack.await_state(talking, "conn"), "channelCallId");
  BOOST_REQUIRE(eventually([&] {
    for (const json::object& line : stack.gateway_journal("call_over")) {
      if (text_at(line, "called") == "13812347017") return true;
    }
    return false;
  }));
  stack.part("stop", "ccd");
  stack.part("start", "ccd", {"--fault", "poller.read"});
  stack.gateway("POST", "hangup/" + id + "?by=customer", "");
  BOOST_REQUIRE(eventually([&] { return !stack.running("ccd"); }, Millis{30'000}));
  BOOST_TEST(stack.get("/v1/calls/" + silent).status == 0);
  stack.part("start", "ccd");
  const json::value asked = stack.await_state(silent, "close", Millis{60'000});
  BOOST_TEST(text_at(asked, "closeSource") == "query", json::serialize(asked));
  BOOST_TEST(text_at(asked, "closeType") == "0");
  BOOST_TEST(stack.gateway_journal("query").size() >= 1U);
  // The customer's release was the lost one; that the phone is on its hook still came.
  const json::value record = stack.await_state(talking, "close", Millis{60'000});
  BOOST_TEST(!text_at(record, "duration").empty(), json::serialize(record));
  BOOST_TEST(stack.log("ccd").find("closed by our own clock") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_answer_is_stored_before_the_next_poll) {
  Stack stack("10", with_gateway);
  make_agents_online(stack);
  const std::string call = make_call(stack, "1000", "13812347005");
  const std::string id = text_at(stack.await_state(call, "conn"), "channelCallId");
  stack.part("stop", "ccd");
  stack.part("start", "ccd", {"--fault", "poller.stored"});
  stack.gateway("POST", "hangup/" + id + "?by=agent", "");
  BOOST_REQUIRE(eventually([&] { return !stack.running("ccd"); }, Millis{30'000}));
  // Whatever became of the daemon, it is in the stream.
  BOOST_TEST(stack.redis({"XRANGE", "cc:events:0", "-", "+"}).find("AgentEvent_Call_Release") !=
             std::string::npos);
  stack.part("start", "ccd");
  const json::value record = stack.await_state(call);
  BOOST_TEST(text_at(record, "closeType") == "0");
  BOOST_TEST(text_at(record, "closedBy") == "a");
}

BOOST_AUTO_TEST_CASE(tls_is_verified_against_the_authority_that_is_configured) {
  TempDir folder;
  const auto certificate = [&](const std::string& name) {
    const Outcome made =
        run({.command = {"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                         "/CN=" + name, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                         folder.file(name + ".key"), "-out", folder.file(name + ".pem")}},
            Millis{30'000});
    BOOST_REQUIRE_MESSAGE(made.status == 0, made.output);
  };
  certificate("gateway");
  certificate("stranger");
  Process gateway(
      {.command = {std::string(CC_BUILD_DIR) + "/tests/gateway/agent-gateway-simulator",
                   "--port-file", folder.file("ports"), "--tls-cert", folder.file("gateway.pem"),
                   "--tls-key", folder.file("gateway.key"), "--password", "secret"}});
  BOOST_REQUIRE(eventually([&] { return !read_file(folder.file("ports")).empty(); }));
  const std::string ports = read_file(folder.file("ports"));
  const std::string port = ports.substr(0, ports.find('\n'));

  std::string yaml = read_file(std::string(CC_SOURCE_DIR) + "/scripts/stack.d/cc.yaml");
  const std::string before = "baseUrl: @GATEWAY@/agentgateway/resource\n    plainHttp: true\n";
  BOOST_REQUIRE(yaml.find(before) != std::string::npos);
  yaml.replace(yaml.find(before), before.size(),
               "baseUrl: https://127.0.0.1:" + port +
                   "/agentgateway/resource\n    caFile: " + folder.file("stranger.pem") + "\n");
  const std::string enabled = "enabled: @GATEWAY_ON@";
  yaml.replace(yaml.find(enabled), enabled.size(), "enabled: true");
  std::ofstream(folder.file("cc.yaml")) << yaml;
  Stack stack("10", {"--cc-yaml", folder.file("cc.yaml")});
  BOOST_TEST(
      stack.ask("PUT", "/v1/agents/hw/1000", R"({"handset":"13900001000","password":"secret"})")
          .status == 201);
  const json::value failing = stack.await_agent("1000", "failing");
  BOOST_TEST(text_at(failing, "reason").find("tls") != std::string::npos, json::serialize(failing));
  stack.reconfigure("stranger.pem", "gateway.pem");
  stack.await_agent("1000");
}
