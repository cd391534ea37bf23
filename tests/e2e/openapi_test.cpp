// What ccd says of itself holds: requests made by its own document, right and broken ones, and
// every answer judged by it (tests/openapi/generate.mjs).
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <boost/test/unit_test.hpp>

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

}  // namespace

BOOST_AUTO_TEST_SUITE(openapi_test)

BOOST_AUTO_TEST_CASE(the_document_is_true_of_right_and_of_broken_requests) {
  Stack stack("20", {"--main-number", "4008001000"});
  const pid_t ccd = stack.pid("ccd");
  // Something of each kind to ask about.
  stack.ask("PUT", "/v1/agents/e9/13900001111", "{}");
  stack.ask("PUT", "/v1/bindings/shop-17", R"({"lines":[{"channel":"e9","agent":"13900001111"}]})");
  stack.sql(
      "INSERT INTO dead_letter (delivery_key, channel, reason, received, first_seen, last_seen, "
      "raw) "
      "SELECT sha256(n::text::bytea), 'e9', 'no XML', 1, 1, 1, "
      "convert_to('v1 1 callback - - - -' || chr(10) || '<Request', 'UTF8') "
      "FROM generate_series(1, 20) n");
  const std::string requests = is_long() ? "100000" : "5000";
  const char* seed = std::getenv("CC_SEED");
  const Outcome outcome = run(
      {.command = {CC_SOURCE_DIR "/tests/openapi/run", tools, "generate.mjs", stack.env("CC_API"),
                   "--requests", requests, "--seed", seed != nullptr ? seed : "1", "--key",
                   stack.env("CC_KEY"), "--key", stack.env("CC_KEY_OTHER")}},
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
