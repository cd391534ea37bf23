// A steady load of callbacks while Redis is killed, stopped, restarted and filled, NGINX reloaded
// and its workers killed: a hundred times. At the end each callback that was answered 2xx is
// exactly once among the events, whatever stream and spool went through.
#define BOOST_TEST_MODULE faults
#include <csignal>
#include <map>
#include <sstream>

#include <boost/test/unit_test.hpp>
#include <openssl/evp.h>

#include "open_load.hpp"
#include "stack.hpp"
#include "text.hpp"

using namespace cc::test;

namespace {

constexpr int strikes = 100;
constexpr long epoch_2020_ms = 1'577'836'800'000;

long now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Four events a call, each callback another one. The echo names a call that has no record, as if
/// PostgreSQL had been set back: it is made anew from what comes.
std::string callback(const std::string& app, long first_call, long n) {
  static const char* const actions[] = {"CallInvite", "CallInvite", "CallEstablish", "Hangup"};
  const long call = n / 4, event = n % 4;
  char id[40];
  std::snprintf(id, sizeof id, "%032lx", call);
  std::string body = "<?xml version='1.0'?><req><action>";
  body += actions[event];
  body += "</action><type>1</type><appId>" + app + "</appId><caller>139" +
          std::to_string(10'000'000 + call) + "</caller><called>138" +
          std::to_string(10'000'000 + call) + "</called>";
  if (event < 2) body += "<userFlag>" + std::to_string(event) + "</userFlag>";
  body += "<subType>0</subType><callId>" + std::string(id) +
          "</callId><dateCreated></dateCreated><userData>cc1." + std::to_string(first_call + call) +
          ".1</userData>";
  if (event == 3) body += "<duration>9</duration><byeType>0</byeType>";
  return body + "</req>";
}

std::string md5(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_md5(), nullptr);
  return cc::to_hex({reinterpret_cast<char*>(digest), size});
}

/// How often each callback's body (by MD5) is among the events, or the dead letters. What is kept
/// is the envelope: a header line, then the body.
std::map<std::string, long> stored(const Stack& stack) {
  std::map<std::string, long> count;
  std::istringstream lines(stack.sql(
      "SELECT md5(substring(raw FROM position('\\x0a'::bytea IN raw) + 1)) || ' ' || count(*) FROM "
      "(SELECT raw FROM call_event WHERE source = 'callback' UNION ALL SELECT raw FROM "
      "dead_letter) "
      "AS s GROUP BY substring(raw FROM position('\\x0a'::bytea IN raw) + 1)"));
  std::string hash;
  for (long n = 0; lines >> hash >> n;) count[hash] += n;
  return count;
}

void strike(Stack& stack, int turn) {
  const pid_t redis = stack.pid("redis");
  switch (turn % 6) {
    case 0:
      stack.part("kill", "redis");
      stack.part("start", "redis");
      break;
    case 1:
      ::kill(redis, SIGSTOP);
      std::this_thread::sleep_for(std::chrono::milliseconds(300));  // how long it is stopped
      ::kill(redis, SIGCONT);
      break;
    case 2:
      stack.part("restart", "redis");
      break;
    case 3:
      stack.redis({"CONFIG", "SET", "maxmemory", "1"});
      std::this_thread::sleep_for(std::chrono::milliseconds(200));  // how long it is full
      stack.redis({"CONFIG", "SET", "maxmemory", "1gb"});
      break;
    case 4:
      ::kill(stack.pid("nginx"), SIGHUP);
      break;
    default:
      for (pid_t worker : children_of(stack.pid("nginx"))) ::kill(worker, SIGKILL);
      break;
  }
}

json::value nginx_status(const Stack& stack) {
  return send({.url = stack.env("CC_NGINX") + "/cc/status"}).body();
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_was_answered_is_exactly_once_among_the_events) {
  Stack stack("1");
  const std::string app = stack.env("CC_E9_APP_ID");
  const long first_call = (now_ms() - epoch_2020_ms) << 22;
  OpenLoad load({.port = static_cast<unsigned short>(std::stoi(stack.env("CC_NGINX_PORT"))),
                 .path = "/callback/e9/" + stack.env("CC_TOKEN"),
                 .per_second = 200,
                 .senders = 16},
                [&](long n) { return callback(app, first_call, n); });
  for (int turn = 0; turn < strikes; ++turn) {
    const long before = load.accepted();
    BOOST_REQUIRE(eventually([&] { return load.accepted() > before + 20; }));
    strike(stack, turn);
  }
  const long before = load.accepted();
  BOOST_REQUIRE(eventually([&] { return load.accepted() > before + 100; }));
  const OpenLoad::Result result = load.stop();
  std::ostringstream statuses;
  for (const auto& [status, count] : result.statuses) {
    statuses << (status == 0 ? "none" : std::to_string(status)) << ": " << count << "  ";
  }
  const json::value status = nginx_status(stack);
  BOOST_TEST_MESSAGE(strikes << " strikes; answers " << statuses.str() << "p99 "
                             << result.p99.count() << " ms, longest " << result.longest.count()
                             << " ms; spooled " << json::serialize(status.at("spooled"))
                             << ", replayed " << text_at(status, "replayed"));

  BOOST_TEST(eventually([&] { return text_at(nginx_status(stack).at("spool"), "files") == "0"; },
                        Millis{60'000}));
  BOOST_TEST(eventually(
      [&] {
        return stack.sql("SELECT count(*) FROM stream_cursor WHERE entry_id = highest_id") == "1" &&
               stack.sql("SELECT count(*) FROM waiting_event") == "0";
      },
      Millis{60'000}));

  const auto count = stored(stack);
  long missing = 0, twice = 0;
  for (const std::string& body : result.accepted) {
    const auto found = count.find(md5(body));
    missing += found == count.end();
  }
  for (const auto& [hash, n] : count) twice += n > 1;
  BOOST_TEST(result.accepted.size() > 2000U);
  BOOST_TEST(missing == 0);
  BOOST_TEST(twice == 0);
  BOOST_TEST(text_at(status, "spool_damaged") == "0");
  BOOST_TEST(text_at(nginx_status(stack).at("spool"), "damaged_files") == "0");
  // Each fault was met by the spool, not by a 503.
  BOOST_TEST(result.statuses.count(503) == 0U, statuses.str());
  BOOST_TEST(stack.nginx_alarms() == "");
}
