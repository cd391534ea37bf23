// A steady load of callbacks while Redis is killed, stopped, restarted and filled, NGINX reloaded
// and its workers killed: a hundred times. At the end each callback that was answered 2xx is
// exactly once among the events, whatever stream and spool went through.
#include <csignal>
#include <sstream>

#include <boost/test/unit_test.hpp>

#include "open_load.hpp"
#include "recovered_calls.hpp"
#include "stack.hpp"

using namespace cc::test;

namespace {

constexpr int strikes = 100;
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
  const RecoveredCalls calls(stack);
  OpenLoad load(calls.load(200), [&](long n) { return calls.callback(n); });
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

  BOOST_TEST(calls.await_drained());
  const auto compared = calls.compare(result.accepted);
  BOOST_TEST(result.accepted.size() > 2000U);
  BOOST_TEST(compared.missing == 0);
  BOOST_TEST(compared.twice == 0);
  BOOST_TEST(text_at(status, "spool_damaged") == "0");
  BOOST_TEST(text_at(nginx_status(stack).at("spool"), "damaged_files") == "0");
  // Each fault was met by the spool, not by a 503.
  BOOST_TEST(result.statuses.count(503) == 0U, statuses.str());
  BOOST_TEST(stack.nginx_alarms() == "");
}
