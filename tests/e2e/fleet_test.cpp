// Two daemons on four partitions: the work spreads, a dead one's is taken over within ten seconds,
// nothing is lost or doubled.
#include <csignal>
#include <fstream>
#include <memory>

#include <boost/test/unit_test.hpp>

#include "open_load.hpp"
#include "recovered_calls.hpp"
#include "stack.hpp"

using namespace cc::test;
using Clock = std::chrono::steady_clock;

namespace {

std::string replaced(std::string text, const std::string& before, const std::string& after) {
  const std::size_t at = text.find(before);
  BOOST_REQUIRE_MESSAGE(at != std::string::npos, before);
  return text.replace(at, before.size(), after);
}

/// A stack whose NGINX and ccd know of four partitions.
struct Fleet {
  Fleet() {
    const std::string templates = std::string(CC_SOURCE_DIR) + "/scripts/stack.d/";
    std::ofstream(folder.file("nginx.conf"))
        << replaced(read_file(templates + "nginx.conf"), "partitions=1", "partitions=4");
    std::ofstream(folder.file("cc.yaml"))
        << replaced(read_file(templates + "cc.yaml"), "partitions: 1", "partitions: 4");
    stack = std::make_unique<Stack>(
        "1", std::vector<std::string>{"--nginx-conf", folder.file("nginx.conf"), "--cc-yaml",
                                      folder.file("cc.yaml")});
  }

  std::unique_ptr<Process> second_daemon() { return stack->further_ccd("stack-2", folder); }

  std::string owners() const {
    return stack->sql(
        "SELECT string_agg(owner || ' ' || n, ', ' ORDER BY owner) FROM (SELECT coalesce(owner, "
        "'none') AS owner, count(*) AS n FROM stream_cursor GROUP BY 1) AS s");
  }
  bool come_to(const std::string& expected, Millis timeout = Millis{20'000}) const {
    const bool came = eventually([&] { return owners() == expected; }, timeout);
    if (!came) BOOST_TEST_MESSAGE("owners are " << owners());
    return came;
  }

  TempDir folder;
  std::unique_ptr<Stack> stack;
};

}  // namespace

BOOST_AUTO_TEST_CASE(work_spreads_and_moves_and_nothing_is_lost) {
  Fleet fleet;
  Stack& stack = *fleet.stack;
  BOOST_TEST(fleet.come_to("stack-1 4"));
  const RecoveredCalls calls(stack);
  OpenLoad load(calls.load(200), [&](long n) { return calls.callback(n); });

  auto second = fleet.second_daemon();
  BOOST_TEST(fleet.come_to("stack-1 2, stack-2 2"));

  const auto killed = Clock::now();
  second->send(SIGKILL);
  BOOST_TEST(fleet.come_to("stack-1 4", Millis{10'000}));
  BOOST_TEST_MESSAGE("a dead daemon's partitions were taken over within "
                     << std::chrono::duration_cast<Millis>(Clock::now() - killed).count() << " ms");

  second->end();
  second = fleet.second_daemon();
  BOOST_TEST(fleet.come_to("stack-1 2, stack-2 2"));
  stack.part("kill", "ccd");
  BOOST_TEST(fleet.come_to("stack-2 4"));
  stack.part("start", "ccd");
  BOOST_TEST(fleet.come_to("stack-1 2, stack-2 2"));
  // A clean stop hands over at once.
  second->end();
  BOOST_TEST(fleet.come_to("stack-1 4"));

  const OpenLoad::Result result = load.stop();
  BOOST_TEST(result.accepted.size() > 1000U);
  BOOST_TEST(calls.await_drained());
  const auto lost = calls.compare(result.accepted);
  BOOST_TEST(lost.missing == 0);
  BOOST_TEST(lost.twice == 0);
  BOOST_TEST(stack.sql("SELECT count(*) FROM dead_letter") == "0");
}
