// The module in NGINX under valgrind: no invalid read or write, no decision on what was never set,
// no leak. Only where it is asked for (scripts/test --valgrind), since it is slow and valgrind is
// needed.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <boost/test/unit_test.hpp>

#include "http2.hpp"
#include "stack.hpp"

using namespace cc::test;

namespace {

constexpr int error_code = 99;

struct Fixture {
  explicit Fixture(const std::string& main)
      : nginx(
            {.http = "cc_redis " + redis.address() + " timeout=5s; cc_rejects cc:rejects max=100;",
             .main = main,
             .under = {"/usr/bin/valgrind", "--quiet", "--leak-check=full",
                       "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite",
                       "--track-origins=yes", "--keep-debuginfo=yes", "--num-callers=30",
                       "--error-exitcode=" + std::to_string(error_code),
                       "--suppressions=" CC_TEST_SUPPRESSIONS,
                       "--log-file=" + reports.file("report.%p")}}) {
    BOOST_REQUIRE(eventually([&] { return links_up(nginx.socket()); }, Millis{60000}));
  }

  long number(const std::string& name) const { return status_number(nginx.socket(), name); }

  int call_back(const std::string& body, const std::string& token = token_now) const {
    Connection connection(nginx.socket());
    connection.send(post(callback_path(token), body));
    return connection.receive(Millis{30000}).value_or(Response{}).status;
  }

  void play();

  /// All that valgrind has found in any of the processes.
  std::string findings() const {
    std::string all;
    for (const auto& file : std::filesystem::directory_iterator(reports.path())) {
      all += read_file(file.path());
    }
    return all;
  }

  TempDir reports;
  RedisServer redis;
  Nginx nginx;
};

/// Each way that a callback can go.
void Fixture::play() {
  BOOST_TEST(call_back(callback_body(1)) == 200);
  BOOST_TEST(call_back(callback_body(2) + std::string(70000, 'x')) == 200);  // through a file
  BOOST_TEST(call_back(callback_body(3), "wrong-token-wrong") == 403);
  BOOST_TEST(call_back(callback_body(4, "00000000000000000000000000000000")) == 403);
  BOOST_TEST(call_back(std::string(100 * 1024 + 1, 'x')) == 413);
  {
    Connection leaving(nginx.port());
    leaving.send("POST " + callback_path(token_now) +
                 " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
    leaving.reset();
  }
  BOOST_TEST(eventually([&] { return number("unfinished") == 1; }));

  ::kill(redis.pid(), SIGSTOP);
  Connection leaving(nginx.port());
  leaving.send(post(callback_path(token_now), callback_body(5)));
  Http2Connection streams(nginx.h2_socket());
  auto cancelled = streams.post(callback_path(token_now), callback_body(6));
  auto kept = streams.post(callback_path(token_now), callback_body(7));
  BOOST_REQUIRE(eventually([&] { return number("pending") == 3; }));
  leaving.reset();
  streams.reset(cancelled);
  ::kill(redis.pid(), SIGCONT);
  BOOST_TEST(streams.status(kept, Millis{30000}) == 200);
  BOOST_TEST(eventually([&] { return number("pending") == 0; }));

  redis.kill();
  BOOST_REQUIRE(eventually([&] { return !links_up(nginx.socket()); }));
  BOOST_TEST(call_back(callback_body(8)) == 200);  // into the spool
  redis.start();
  BOOST_REQUIRE(eventually([&] { return links_up(nginx.socket()); }, Millis{30000}));
  BOOST_TEST(wait_for_empty_spool(nginx.socket()));
  BOOST_TEST(call_back(callback_body(9)) == 200);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(valgrind_check, *boost::unit_test::disabled())

BOOST_AUTO_TEST_CASE(one_process) {
  Fixture f("master_process off;");
  f.play();
  f.nginx.quit();
  BOOST_TEST(f.nginx.wait_for_end(Millis{60000}) == 0);
  BOOST_TEST(f.findings() == "");
  expect_clean(f.nginx);
}

BOOST_AUTO_TEST_CASE(a_worker_its_successor_and_their_graceful_ends) {
  Fixture f("");
  f.play();
  const auto first = f.nginx.workers();
  f.nginx.reload();
  BOOST_REQUIRE(eventually(
      [&] {
        const auto now = f.nginx.workers();
        return now.size() == 1 && now != first;
      },
      Millis{60000}));
  BOOST_REQUIRE(eventually([&] { return links_up(f.nginx.socket()); }, Millis{60000}));
  BOOST_TEST(f.call_back(callback_body(10)) == 200);
  f.nginx.quit();
  BOOST_TEST(f.nginx.wait_for_end(Millis{60000}) == 0);
  BOOST_TEST(f.findings() == "");
  const std::string code = "exited with code " + std::to_string(error_code);
  BOOST_TEST(f.nginx.error_log().find(code) == std::string::npos);
  expect_clean(f.nginx);
}

BOOST_AUTO_TEST_SUITE_END()
