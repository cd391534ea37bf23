// What ccd says of itself holds: requests made by its own document, right and broken ones, and
// every answer judged by it (tests/openapi/generate.mjs).
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <boost/test/unit_test.hpp>

#include "recordings.hpp"
#include "stack.hpp"

using namespace cc::test;

namespace {

const std::string tools = CC_BUILD_DIR "/openapi-tools";

bool is_long() {
  const char* soak = std::getenv("CC_SOAK");
  return soak != nullptr && std::string(soak) == "long";
}

/// Connections that others have to this port of 127.0.0.1, by the kernel's table: those that ccd
/// has not let go of.
std::size_t connections_to(const std::string& port) {
  std::ostringstream wanted;
  wanted << "0100007F:" << std::uppercase << std::hex;
  wanted.width(4);
  wanted.fill('0');
  wanted << std::stoi(port);
  std::ifstream table("/proc/net/tcp");
  std::size_t count = 0;
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    std::string number, local, remote, state;
    words >> number >> local >> remote >> state;
    const bool gone = state == "06" || state == "0A";  // TIME_WAIT, LISTEN
    if (local == wanted.str() && !gone) ++count;
  }
  return count;
}

/// What nobody can read, to ask about.
void plant_letters(const Stack& stack) {
  stack.sql(
      "INSERT INTO dead_letter (delivery_key, channel, reason, received, first_seen, last_seen, "
      "raw) "
      "SELECT sha256(n::text::bytea), 'e9', 'no XML', 1, 1, 1, "
      "convert_to('v1 1 callback - - - -' || chr(10) || '<Request', 'UTF8') "
      "FROM generate_series(1, 20) n");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(openapi_test)

// So that the comparison of exchanges with the document has each operation's success, whatever
// other tests ask for.
BOOST_AUTO_TEST_CASE(each_operation_once) {
  Stack stack("20");
  plant_letters(stack);
  const auto expect = [&](long status, const Answer& answer) {
    BOOST_TEST(answer.status == status, answer.text);
    return answer;
  };
  const std::string line = "/v1/agents/e9/13900001111", user = "/v1/bindings/shop-17";
  expect(201, stack.ask("PUT", line, "{}"));
  expect(200, stack.ask("PUT", line, R"({"desired":"online"})"));
  expect(201, stack.ask("PUT", user, R"({"lines":[{"channel":"e9","agent":"13900001111"}]})"));
  expect(200, stack.ask("PUT", user, R"({"lines":[{"channel":"e9","agent":"13900001111"}]})"));
  const Answer made =
      expect(202, stack.post("/v1/calls", R"({"called":"13812345678","user":"shop-17"})"));
  const std::string call = "/v1/calls/" + made.at("callId");
  expect(409, stack.post("/v1/calls", R"({"called":"13812345679","agent":"13900001111"})"));
  stack.post(call + "/hangup");
  stack.await_state(made.at("callId"));
  expect(200, stack.post(call + "/hangup"));
  for (const std::string& path : {call,
                                  call + "/events",
                                  std::string("/v1/calls"),
                                  std::string("/v1/calls?limit=1"),
                                  std::string("/v1/export.csv"),
                                  std::string("/v1/rejections"),
                                  std::string("/v1/audit"),
                                  std::string("/v1/agents"),
                                  line,
                                  std::string("/v1/bindings"),
                                  user,
                                  std::string("/v1/channels"),
                                  std::string("/v1/channels/e9"),
                                  std::string("/v1/reconciliation"),
                                  std::string("/v1/reconciliation/2026-11-01"),
                                  std::string("/v1/dead-letters"),
                                  std::string("/v1/dead-letters/1"),
                                  std::string("/v1/health"),
                                  std::string("/healthz"),
                                  std::string("/readyz"),
                                  std::string("/metrics"),
                                  std::string("/openapi.json"),
                                  std::string("/docs"),
                                  std::string("/problems"),
                                  std::string("/problems/line-busy")}) {
    expect(200, stack.get(path));
  }
  expect(200, stack.post("/v1/calls/search", R"({"called":"138 1234 5678"})"));
  expect(200, stack.post("/v1/dead-letters/1/replay"));
  expect(200, stack.ask("PATCH", "/v1/channels/e9", R"({"weight":null})"));
  expect(202, stack.post(line + "/retry"));
  expect(200, stack.post(line + "/release", R"({"reason":"a test"})"));
  expect(204, stack.ask("DELETE", user));
  expect(204, stack.ask("DELETE", line));
  expect(404, stack.get("/v1/unknown"));
  expect(405, stack.ask("DELETE", "/v1/calls"));
}

BOOST_AUTO_TEST_CASE(the_document_is_true_of_right_and_of_broken_requests) {
  Stack stack("20", {"--main-number", "4008001000", "--recordings", "100ms"});
  // Calls that end soon and have a recording: that one can be asked for too.
  stack.simulator("PUT", "default-script", R"({"preset":"instant","recording":{"bytes":20000}})");
  std::vector<std::string> heard;
  for (int i = 0; i < 20; ++i) heard.push_back(make_call(stack, R"({"bytes":20000})"));
  for (const std::string& call : heard) await_recording(stack, call);
  const pid_t ccd = stack.pid("ccd");
  stack.ask("PUT", "/v1/agents/e9/13900001111", "{}");
  stack.ask("PUT", "/v1/bindings/shop-17", R"({"lines":[{"channel":"e9","agent":"13900001111"}]})");
  plant_letters(stack);
  const std::string requests = is_long() ? "100000" : "5000";
  const char* seed = std::getenv("CC_SEED");
  const Outcome outcome =
      run({.command = {CC_SOURCE_DIR "/tests/openapi/run", tools, "generate.mjs",
                       stack.env("CC_API"), "--requests", requests, "--seed",
                       seed != nullptr ? seed : "1", "--key", stack.env("CC_KEY"), "--key",
                       stack.env("CC_KEY_OTHER"), "--key", stack.env("CC_KEY_PLAIN")}},
          Millis{5'000'000});
  BOOST_TEST_MESSAGE(outcome.output);
  BOOST_TEST(outcome.status == 0);
  BOOST_TEST(stack.pid("ccd") == ccd);
  BOOST_TEST(stack.running("ccd"));
  const std::string port = stack.env("CC_API").substr(stack.env("CC_API").rfind(':') + 1);
  BOOST_TEST(eventually([&] { return connections_to(port) == 0; }, Millis{20'000}));
  const std::string log = stack.log("ccd");
  for (const char* mistake : {" error request ", " error API", " critical "}) {
    const std::size_t at = log.find(mistake);
    BOOST_TEST(at == std::string::npos, log.substr(std::min(at, log.size()), 500));
  }
  BOOST_TEST(stack.get("/readyz").status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
