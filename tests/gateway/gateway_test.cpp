// The simulator's own test: sessions, polls, faults, the control API. Calls are in
// gateway_calls_test.cpp. Run as: gateway_test -- /path/to/agent-gateway-simulator
#define BOOST_TEST_MODULE agent_gateway_simulator
#include <algorithm>
#include <future>

#include <boost/test/unit_test.hpp>

#include "gateway_rig.hpp"
#include "gateway_stage.hpp"

using rig::Client;
using rig::Seat;
using rig::Simulator;
using stage::Quick;
using stage::Ready;

BOOST_FIXTURE_TEST_CASE(signing_in_and_out, Quick) {
  Seat seat(simulator.url(), 291);
  BOOST_TEST(seat.sign_in({{"password", "wrong"}}).retcode() == "100-004");
  BOOST_TEST(seat.sign_in({{"phonenum", "sip:1"}}).retcode() == "100-013");
  BOOST_TEST(seat.sign_in({{"phonenum", std::string(30, '1')}}).retcode() == "100-014");
  BOOST_TEST(seat.poll().retcode() == "100-006");
  simulator.control("PUT", "agents/291", R"({"locked":true})");
  BOOST_TEST(seat.sign_in().retcode() == "110-016");
  simulator.control("PUT", "agents/291", R"({"locked":false,"password":"own"})");
  BOOST_TEST(seat.sign_in().retcode() == "100-004");
  auto const answer = seat.sign_in({{"password", "own"}});
  BOOST_TEST(answer.retcode() == "0");
  BOOST_TEST(answer.headers.at("set-guid").starts_with("JSESSIONID="));
  BOOST_TEST(answer.headers.at("set-guid").ends_with(".AgentGateway0"));
  BOOST_TEST(answer.headers.at("set-guid").size() == 11u + 36 + 14);
  BOOST_TEST(answer.headers.at("set-cookie").starts_with("JSESSIONID="));
  BOOST_TEST(seat.sign_in({{"password", "own"}}).retcode() == "100-002");

  // A forced sign-in ends the older session's poll.
  Seat usurper(simulator.url(), 291);
  auto old = std::async(std::launch::async, [&] { return seat.poll(); });
  for (int i = 0; i < 100 && simulator.health("polls") < 1; ++i) rig::rest(5);
  BOOST_TEST(usurper.sign_in({{"password", "own"}}, true).retcode() == "0");
  BOOST_TEST(old.get().retcode() == "000-003");
  BOOST_TEST(seat.poll().retcode() == "000-003");
  BOOST_TEST(usurper.poll().retcode() == "0");

  auto pending = std::async(std::launch::async, [&] { return usurper.poll(); });
  for (int i = 0; i < 100 && simulator.health("polls") < 3; ++i) rig::rest(5);
  Seat leaver(simulator.url(), 291);
  leaver.guid = usurper.guid;
  BOOST_TEST(leaver.sign_out().retcode() == "0");  // without the cookie
  BOOST_TEST(pending.get().retcode() == "100-006");
  BOOST_TEST(usurper.sign_out().retcode() == "100-006");
  BOOST_TEST(simulator.health("agents_online") == 0);
  BOOST_TEST(simulator.journal("sign_in").size() == 8u);
  BOOST_TEST(simulator.journal("sign_out").size() == 2u);
  BOOST_TEST(simulator.violations() == "cookie guid_missing member");  // the phonenum was no digits
}

BOOST_AUTO_TEST_CASE(overlapping_sign_ins_are_violations) {
  Simulator simulator({"--sign-ms", "200", "--agents", "1000-1999"});
  Seat one(simulator.url(), 1000);
  Seat two(simulator.url(), 1000);
  auto first = std::async(std::launch::async, [&] { return one.sign_in(); });
  rig::rest(60);
  BOOST_TEST(two.sign_in().retcode() == "100-002");
  BOOST_TEST(first.get().retcode() == "0");
  BOOST_TEST(simulator.violations() == "sign_overlap");
  Seat stranger(simulator.url(), 2000);
  BOOST_TEST(stranger.sign_in().retcode() == "100-001");
}

BOOST_AUTO_TEST_CASE(long_polls) {
  Simulator simulator({"--poll-ms", "400", "--stamp", "on", "--event-time", "on"});
  Ready seat(simulator, 291);
  auto const empty = seat.poll();
  BOOST_TEST(empty.ms >= 390);
  BOOST_TEST(empty.json.at("event").is_null());
  rig::rest(200);
  auto const absent = seat.poll();
  BOOST_TEST(absent.ms >= 390);
  BOOST_TEST(!absent.json.as_object().contains("event"));
  BOOST_TEST(simulator.violations() == "");

  // An event ends a waiting poll at once, two events take two polls.
  auto waiting = std::async(std::launch::async, [&] {
    rig::rest(200);
    return seat.poll();
  });
  for (int i = 0; i < 200 && simulator.health("polls") < 3; ++i) rig::rest(5);
  auto const injected =
      simulator.control("POST", "events/291", R"({"eventType":"AgentState_Work"})");
  simulator.control("POST", "events/291", R"({"eventType":"AgentState_Ready","content":"x"})");
  auto const got = waiting.get();
  auto const event = got.json.at("event").as_object();
  BOOST_TEST(got.ms < 390);
  BOOST_TEST(event.at("eventType").as_string() == "AgentState_Work");
  BOOST_TEST(event.at("workNo").as_string() == "291");
  BOOST_TEST(event.at("content").is_null());
  BOOST_TEST(event.at("simSeq") == injected.json.at("eventSeq"));
  BOOST_TEST(event.at("simReady") == injected.json.at("readyAt"));
  BOOST_TEST(event.at("eventGenTime") == injected.json.at("readyAt"));
  auto const next = seat.poll();
  BOOST_TEST(next.ms < 300);
  BOOST_TEST(next.json.at("event").at("content").as_string() == "x");
  BOOST_TEST(simulator.violations() == "poll_too_soon");
  BOOST_TEST(simulator.journal("violation").at(0).at("sameConnection").as_bool());
  auto const out = simulator.await("event_handed_out", 2);
  BOOST_TEST(out.at(0).at("eventSeq") == injected.json.at("eventSeq"));
  BOOST_TEST(simulator.control("GET", "load/summary").json.at("delay_ms").at("count").as_int64() ==
             2);

  // A second poll sends the first one home.
  Seat twin(simulator.url(), 291);
  twin.guid = seat.guid;
  rig::rest(200);
  auto first = std::async(std::launch::async, [&] { return seat.poll(); });
  for (int i = 0; i < 200 && simulator.health("polls") < 5; ++i) rig::rest(5);
  auto second = std::async(std::launch::async, [&] { return twin.poll(); });
  BOOST_TEST(first.get().ms < 390);
  simulator.control("POST", "events/291", R"({"eventType":"AgentState_Work"})");
  BOOST_TEST(second.get().json.at("event").is_object());
  BOOST_TEST(simulator.journal("double_poll").size() == 1u);
}

BOOST_AUTO_TEST_CASE(events_that_nobody_reads) {
  Simulator simulator({"--poll-gap-ms", "0", "--service-events", "on"});
  Ready seat(simulator, 291);
  BOOST_TEST(seat.story("InService") == "InService");
  seat.client.timeout_ms = 150;
  BOOST_TEST(seat.poll().timed_out);
  simulator.control("POST", "events/291", R"({"eventType":"AgentState_Work"})");
  auto const out = simulator.await("event_handed_out", 2);
  BOOST_REQUIRE_EQUAL(out.size(), 2u);
  BOOST_TEST(!out[0].at("peerGone").as_bool());
  BOOST_TEST(out[1].at("peerGone").as_bool());
  // Queued events go with the session.
  simulator.control("POST", "events/291", R"({"eventType":"AgentState_Ready"})");
  BOOST_TEST(simulator.health("events_queued") == 1);
  BOOST_TEST(simulator.control("POST", "agents/291/sign-out").status == 200);
  auto const lost = simulator.journal("event_lost");
  BOOST_REQUIRE_EQUAL(lost.size(), 1u);
  BOOST_TEST(lost[0].at("why").as_string() == "control");
  BOOST_TEST(simulator.journal("signed_out").at(0).at("reason").as_string() == "control");
  BOOST_TEST(simulator.health("events_queued") == 0);
}

BOOST_AUTO_TEST_CASE(idle_agents_are_signed_out) {
  Simulator simulator({"--poll-ms", "100", "--idle-ms", "400", "--poll-gap-ms", "0"});
  Ready seat(simulator, 291);
  for (int i = 0; i < 6; ++i) BOOST_TEST(seat.poll().retcode() == "0");
  BOOST_TEST(simulator.journal("signed_out").empty());
  auto const gone = simulator.await("signed_out", 1);
  BOOST_REQUIRE_EQUAL(gone.size(), 1u);
  BOOST_TEST(gone[0].at("reason").as_string() == "idle");
  BOOST_TEST(gone[0].at("sinceLastPollMs").as_int64() >= 400);
  BOOST_TEST(seat.poll().retcode() == "100-006");
  BOOST_TEST(seat.sign_in().retcode() == "0");
}

BOOST_AUTO_TEST_CASE(guids_are_renewed_and_expire) {
  Simulator simulator({"--poll-ms", "50", "--guid-renew", "2", "--poll-gap-ms", "0"});
  Seat seat(simulator.url(), 291);
  seat.sign_in();
  auto const first = seat.guid;
  seat.reset_skills();
  BOOST_TEST(seat.guid == first);
  BOOST_TEST(seat.poll().headers.contains("set-guid"));
  auto const second = seat.guid;
  BOOST_TEST(second != first);
  // Until the second one is used, the first is good; then it isn't.
  for (int i = 0; i < 3; ++i) {
    seat.guid = first;
    BOOST_TEST(seat.poll().retcode() == "0");
    BOOST_TEST(seat.guid == first);
  }
  seat.guid = second;
  BOOST_TEST(seat.poll().retcode() == "0");
  seat.guid = first;
  BOOST_TEST(seat.poll().retcode() == "000-003");
  seat.guid = "";
  BOOST_TEST(seat.poll().retcode() == "000-003");
  BOOST_TEST(simulator.violations() == "guid_missing");

  BOOST_TEST(seat.sign_in({}, true).retcode() == "0");
  BOOST_TEST(simulator.control("POST", "agents/291/expire-guid").status == 200);
  BOOST_TEST(seat.poll().retcode() == "000-003");
  BOOST_TEST(seat.sign_in().retcode() == "100-002");
  BOOST_TEST(seat.sign_in({}, true).retcode() == "0");
  BOOST_TEST(simulator.control("POST", "expire-guids").json.at("agents").as_int64() == 1);
  BOOST_TEST(seat.poll().retcode() == "000-003");
}

BOOST_AUTO_TEST_CASE(shapes) {
  Simulator simulator({"--shape", "mixed", "--poll-gap-ms", "0", "--forcelogin-events", "lose"});
  Ready seat(simulator, 291);
  std::string kinds;
  for (int i = 0; i < 4; ++i) {
    simulator.control("POST", "events/291", R"({"eventType":"AgentState_Work"})");
    kinds += seat.poll().json.at("event").is_array() ? 'a' : 'o';
  }
  BOOST_TEST((kinds == "aoao" || kinds == "oaoa"));
  simulator.control("POST", "events/291", R"({"eventType":"AgentState_Work"})");
  seat.sign_in({}, true);
  BOOST_TEST(simulator.journal("event_lost").at(0).at("why").as_string() == "forcelogin");
}

BOOST_FIXTURE_TEST_CASE(outages, Quick) {
  Ready seat(simulator, 291);
  auto strike = [&](std::string const& what) {
    BOOST_REQUIRE_EQUAL(simulator.control("PUT", "outage", what).status, 200);
  };
  strike(R"({"kind":"http500","functions":["poll"]})");
  BOOST_TEST(seat.poll().status == 500);
  BOOST_TEST(seat.query("1-1").retcode() == "300-001");
  strike(R"({"kind":"retcode","code":"105-006","functions":["callout","query"]})");
  BOOST_TEST(seat.call_out("13800007001").retcode() == "105-006");
  BOOST_TEST(seat.query("1-1").retcode() == "105-006");
  BOOST_TEST(seat.poll().retcode() == "0");
  strike(R"({"kind":"drop"})");
  auto const dropped = seat.poll();
  BOOST_TEST(dropped.status == 0);
  BOOST_TEST(!dropped.timed_out);
  strike(R"({"kind":"hang","functions":["signin"]})");
  Seat other(simulator.url(), 292);
  other.client.timeout_ms = 150;
  BOOST_TEST(other.sign_in().timed_out);
  strike(R"({"kind":"none"})");
  BOOST_TEST(other.sign_in().retcode() == "0");
  BOOST_TEST(simulator.journal("ring").empty());
  BOOST_TEST(simulator.health("violations") == 0);
}

BOOST_FIXTURE_TEST_CASE(restarts, Quick) {
  Ready seat(simulator, 291);
  seat.call_out("13800007005");
  seat.story("Talking\"7\"");
  // On a connection of its own: libcurl silently asks again where a used one breaks.
  Seat fresh(simulator.url(), 291);
  fresh.guid = seat.guid;
  auto const before = simulator.health("polls");
  auto pending = std::async(std::launch::async, [&] { return fresh.poll(); });
  for (int i = 0; i < 200 && simulator.health("polls") == before; ++i) rig::rest(2);
  BOOST_TEST(simulator.control("POST", "restart", R"({"forget":false})").status == 200);
  BOOST_TEST(pending.get().status == 0);
  BOOST_TEST(seat.poll().retcode() == "0");  // the session outlived it
  BOOST_TEST(simulator.health("calls_living") == 1);
  auto const down = R"({"forget":true,"down_ms":300})";
  BOOST_TEST(simulator.control("POST", "restart", down).status == 200);
  BOOST_TEST(simulator.health("calls_living") == 0);
  BOOST_TEST(fresh.poll().status == 0);
  rig::rest(350);
  BOOST_TEST(simulator.health("agents_online") == 0);
  BOOST_TEST(seat.poll().retcode() == "100-006");
  BOOST_TEST(simulator.journal("signed_out").at(0).at("reason").as_string() == "restart");
  BOOST_TEST(seat.sign_in().retcode() == "0");
  BOOST_TEST(seat.reset_skills().retcode() == "0");
  seat.call_out("13800007016");
  BOOST_TEST(seat.story().ends_with("Ready"));
}

BOOST_FIXTURE_TEST_CASE(form_of_requests, Quick) {
  Client client(simulator.url());
  BOOST_TEST(client.request("GET", "/elsewhere").status == 404);
  BOOST_TEST(client.request("GET", "/agentgateway/resource/agentevent/12x").status == 404);
  BOOST_TEST(client.request("POST", "/agentgateway/resource/agentevent/291").status == 405);
  BOOST_TEST(simulator.violations() == "unknown_path wrong_method");
  simulator.control("POST", "reset");
  BOOST_TEST(simulator.health("violations") == 0);

  client.headers = {"Content-Type: text/plain"};
  auto const path = "/agentgateway/resource/onlineagent/291";
  BOOST_TEST(client.request("PUT", path, "no json").text("retcode") == "000-001");
  BOOST_TEST(simulator.violations_of("content_type") == 1);
  BOOST_TEST(simulator.violations_of("body") == 1);
  Ready seat(simulator, 291);
  BOOST_TEST(simulator.health("violations") == 2);
  seat.sign_in({{"agenttyp", "4"}, {"releasephone", false}});
  BOOST_TEST(simulator.violations_of("unknown_member") == 1);
  BOOST_TEST(simulator.violations_of("member") == 1);
  BOOST_TEST(seat.call_out("+8613800000000").retcode() == "000-001");
  BOOST_TEST(simulator.violations_of("called") == 1);
  seat.send("GET", "agentevent/291?x=1");
  BOOST_TEST(simulator.violations_of("query") == 1);
}

BOOST_FIXTURE_TEST_CASE(control_refuses_nonsense, Quick) {
  auto refused = [&](std::string const& method, std::string const& path, std::string const& body,
                     int status) {
    auto const answer = simulator.control(method, path, body);
    BOOST_TEST(answer.status == status, method << ' ' << path << ' ' << answer.body);
    BOOST_TEST(!answer.text("error").empty());
  };
  refused("GET", "nothing", "", 404);
  refused("GET", "agents/12", "", 404);
  refused("GET", "agents/x", "", 404);
  refused("PUT", "agents/291", "[]", 400);
  refused("PUT", "agents/291", R"({"locked":1})", 400);
  refused("PUT", "agents/291", R"({"colour":"red"})", 400);
  refused("POST", "agents/291/expire-guid", "", 409);
  refused("POST", "agents/291/sign-out", "", 409);
  refused("POST", "agents/291/dance", "", 404);
  refused("PUT", "scripts/abc", "{}", 400);
  refused("PUT", "scripts/100", "{", 400);
  refused("PUT", "scripts/100", R"({"preset":"unheard"})", 400);
  refused("PUT", "scripts/100", R"({"talkMs":-1})", 400);
  refused("PUT", "scripts/100", R"({"callout":{"retcode":"7"}})", 400);
  refused("DELETE", "scripts/100", "", 404);
  refused("PUT", "default-script", R"({"outcome":"bliss"})", 400);
  refused("POST", "events/291", R"({"eventType":"x"})", 409);
  refused("POST", "inbound/291", R"({"caller":"1"})", 409);
  refused("PUT", "outage", R"({"kind":"flood"})", 400);
  refused("PUT", "outage", R"({})", 400);
  refused("PUT", "outage", R"({"kind":"drop","functions":["sing"]})", 400);
  refused("POST", "restart", R"({"forget":"yes"})", 400);
  refused("POST", "load", R"({"share":2})", 400);
  refused("POST", "load", R"({"agents":"9-5","share":0.1})", 400);
  refused("GET", "calls/1-1", "", 404);
  refused("POST", "hangup/1-1?by=agent", "", 404);
  refused("GET", "journal?since=x", "", 400);
  BOOST_TEST(simulator.control("PUT", "default-script", R"({"preset":"b-no-answer"})").status ==
             200);
  Ready seat(simulator, 291);
  seat.call_out("13800000000");
  BOOST_TEST(seat.story().find("Call_Out_Fail:id") != std::string::npos);
  auto const presets = simulator.control("GET", "presets").json.at("presets").as_array();
  BOOST_TEST(presets.size() > 30u);
}

BOOST_AUTO_TEST_CASE(journal_waits) {
  Simulator simulator;
  auto const last = simulator.health("journal_seq");
  auto const since = "journal?since=" + std::to_string(last);
  BOOST_TEST(simulator.control("GET", since + "&wait=50").json.at("lines").as_array().empty());
  auto waiting = std::async(std::launch::async,
                            [&] { return simulator.control("GET", since + "&wait=4000"); });
  rig::rest(50);
  Seat(simulator.url(), 291).sign_in();
  auto const page = waiting.get();
  BOOST_TEST(page.ms < 3000);
  BOOST_TEST(page.json.at("lines").at(0).at("event").as_string() == "sign_in");
}

BOOST_AUTO_TEST_CASE(over_tls) {
  auto const folder = rig::temporary_folder();
  rig::make_certificate(folder);
  Simulator simulator({"--tls-cert", folder + "/cert.pem", "--tls-key", folder + "/key.pem",
                       "--speed", "100", "--poll-ms", "150", "--poll-gap-ms", "0"});
  Seat seat(simulator.url(), 291, folder + "/cert.pem");
  BOOST_TEST(seat.sign_in().headers.at("set-cookie").ends_with("Secure"));
  seat.reset_skills();
  seat.call_out("13800007001");
  BOOST_TEST(seat.story() == stage::answered_begin + " Customer_Release:id PhoneRelease3 Ready");
  BOOST_TEST(simulator.violations() == "");
  Client outsider(simulator.url());
  BOOST_TEST(outsider.request("GET", "/agentgateway/resource/agentevent/291").status == 0);
  Client insider(simulator.url(), folder + "/cert.pem");
  BOOST_TEST(insider.request("GET", "/_control/health").status == 404);
  Simulator apart({"--control", "127.0.0.1:0"});
  BOOST_TEST(Client(apart.url()).request("GET", "/_control/health").status == 200);
  BOOST_TEST(apart.health("agents_online") == 0);
  BOOST_TEST(apart.control("GET", "../agentgateway/resource/agentevent/291").status == 404);
}

BOOST_AUTO_TEST_CASE(command_line) {
  std::string errors;
  auto wrong = [&](std::vector<std::string> const& options, std::string const& part) {
    BOOST_TEST(rig::run_program(options, errors) == 1);
    BOOST_TEST(errors.find(part) != std::string::npos, errors);
    BOOST_TEST(std::count(errors.begin(), errors.end(), '\n') == 1);
  };
  wrong({"--unheard", "1"}, "--unheard");
  wrong({"--speed"}, "needs a value");
  wrong({"--speed", "fast"}, "--speed 'fast'");
  wrong({"--listen", "here"}, "ADDRESS:PORT");
  wrong({"--listen", "127.0.0.1:70000"}, "ADDRESS:PORT");
  wrong({"--agents", "5-1"}, "--agents '5-1'");
  wrong({"--shape=round"}, "array, mixed, object");
  wrong({"--tls-cert", "/nonexistent"}, "--tls-key");
  wrong({"--tls-cert", "/nonexistent", "--tls-key", "/nonexistent"}, "--tls-cert");
  wrong({"--journal", "/nonexistent/journal"}, "--journal");
  wrong({"--port-file", "/nonexistent/port"}, "--port-file");
  BOOST_TEST(rig::run_program({"--help"}, errors) == 0);
}
