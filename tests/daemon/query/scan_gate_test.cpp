// Whose page is looked for next, where many wait.
#include "query/scan_gate.hpp"

#include <list>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

using namespace cc;

namespace {

struct Fixture {
  /// Enters and stays until leave(). Logs who got in, and "busy x" of whom the wait was over.
  void enter(const std::string& tenant, pg::Millis wait = pg::Millis(60'000)) {
    const auto all = [](Fixture& self, std::string name, pg::Millis most) -> asio::awaitable<void> {
      try {
        ScanGate::Pass pass = co_await self.gate.enter(name, most);
        self.log += name + " ";
        self.inside.emplace_back(name, std::move(pass));
      } catch (const pg::Failure& failure) {
        BOOST_TEST(failure.sqlstate == busy_state);
        self.log += "busy " + name + " ";
      }
    };
    asio::co_spawn(loop, all(*this, tenant, wait), asio::detached);
    loop.poll();
    loop.restart();
  }

  void leave(const std::string& tenant) {
    for (auto one = inside.begin(); one != inside.end(); ++one) {
      if (one->first != tenant) continue;
      inside.erase(one);
      break;
    }
    loop.poll();
    loop.restart();
  }

  ScanGate gate;  // outlives those who wait in the loop
  asio::io_context loop;
  std::list<std::pair<std::string, ScanGate::Pass>> inside;
  std::string log;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(scan_gate, Fixture)

BOOST_AUTO_TEST_CASE(one_of_a_tenant_and_two_in_all) {
  enter("a");
  enter("a");
  enter("b");
  enter("c");
  BOOST_TEST(log == "a b ");
  leave("b");
  BOOST_TEST(log == "a b c ");
  leave("c");
  BOOST_TEST(log == "a b c ");  // the other a waits for the first
  leave("a");
  BOOST_TEST(log == "a b c a ");
}

BOOST_AUTO_TEST_CASE(a_flood_of_one_tenant_lets_the_others_have_their_turns) {
  enter("a");
  enter("x");
  for (int i = 0; i < 3; ++i) enter("a");
  for (int i = 0; i < 3; ++i) enter("b");
  enter("c");
  leave("x");
  BOOST_TEST(log == "a x b ");
  leave("b");
  BOOST_TEST(log == "a x b c ");  // before b's second
  leave("c");
  leave("a");
  leave("b");
  BOOST_TEST(log == "a x b c b a b ");
}

BOOST_AUTO_TEST_CASE(who_waited_long_enough_hears_so_and_blocks_nobody) {
  enter("a");
  enter("a", pg::Millis(1));
  enter("a");
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (log != "a busy a " && std::chrono::steady_clock::now() < until) {
    loop.run_one_for(std::chrono::milliseconds(100));
    loop.restart();
  }
  BOOST_TEST(log == "a busy a ");
  leave("a");
  BOOST_TEST(log == "a busy a a ");
  leave("a");
  enter("a");
  BOOST_TEST(log == "a busy a a a ");
}

BOOST_AUTO_TEST_SUITE_END()
