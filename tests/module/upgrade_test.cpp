// A new binary under load, back and forth, and workers that are killed: whatever was answered 200
// is in the stream, and once where nobody was killed.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "load.hpp"
#include "stack.hpp"

using namespace cc::test;

namespace {

constexpr int workers = 2;

bool lives(pid_t pid) {
  return ::kill(pid, 0) == 0;
}

/// The workers that the status page knows of; nothing where nobody answers.
std::multiset<pid_t> shown_workers(const Nginx& nginx) {
  auto response = ask(nginx.socket(), "GET /status HTTP/1.1\r\nHost: x\r\n\r\n");
  std::multiset<pid_t> pids;
  if (!response || response->status != 200) return pids;
  auto status = boost::json::parse(response->body);
  for (const auto& worker : status.at("workers").as_array()) {
    pids.insert(worker.at("pid").to_number<pid_t>());
  }
  return pids;
}

bool shows_only_its_workers(const Nginx& nginx) {
  auto real = nginx.workers();
  return shown_workers(nginx) == std::multiset<pid_t>(real.begin(), real.end());
}

/// All workers there, known, and connected to Redis.
bool wait_for_workers(const Nginx& nginx) {
  return eventually([&] {
    return nginx.workers().size() == workers && shows_only_its_workers(nginx) &&
           links_up(nginx.socket());
  });
}

/// Redis forgets nothing when it is killed.
const std::vector<std::string> on_disk = {"--appendonly", "yes", "--appendfsync", "always"};

struct Upgrade {
  explicit Upgrade(bool with_spool)
      : spooling(with_spool),
        redis(on_disk),
        nginx({.http = "cc_redis " + redis.address() + " timeout=5s;",
               .spool = spooling ? NginxSettings{}.spool : no_spool,
               .workers = workers,
               .daemon = true}),
        load(nginx, 6) {
    BOOST_REQUIRE(wait_for_workers(nginx));
    BOOST_REQUIRE(load.goes_on());
  }

  /// Everything replayed, everything ended.
  void finish() {
    BOOST_TEST(wait_for_workers(nginx));
    answered = load.stop();
    if (spooling) BOOST_TEST(wait_for_empty_spool(nginx.socket()));
    nginx.quit();
    BOOST_TEST(nginx.wait_for_end() == 0);
    expect_clean(nginx);
  }

  /// A second master with workers of its own beside the first. Returns the first.
  pid_t start_new_binary() {
    const pid_t old = nginx.pid();
    nginx.send(SIGUSR2);
    BOOST_REQUIRE(eventually([&] {
      return nginx.pid() > 0 && nginx.pid() != old && nginx.workers().size() == workers;
    }));
    BOOST_REQUIRE(std::filesystem::exists(nginx.folder().file("nginx.pid.oldbin")));
    return old;
  }

  /// The old master lets its workers and then itself go; the new one's stay.
  void end_old_binary(pid_t old) {
    ::kill(old, SIGWINCH);
    // What is left below the old master is the new one.
    BOOST_TEST(eventually([&] { return children_of(old).size() == 1; }));
    BOOST_TEST(load.goes_on());
    ::kill(old, SIGQUIT);
    BOOST_TEST(eventually([&] { return !lives(old); }));
    BOOST_TEST(load.goes_on());
  }

  const bool spooling;
  RedisServer redis;
  Nginx nginx;
  Load load;
  std::set<std::string> answered;
};

/// A worker that leaves while it replays leaves the rest to others, who may repeat some of it:
/// exactly once is promised where nothing is spooled, even the little that comes before a new
/// worker is connected.
struct WithoutSpool : Upgrade {
  WithoutSpool() : Upgrade(false) {}
};

struct WithSpool : Upgrade {
  WithSpool() : Upgrade(true) {}
};

/// So many workers have ended by a signal, and nothing else is in the log.
void expect_killed(const Nginx& nginx, int times) {
  std::istringstream lines(nginx.error_log());
  int killed = 0;
  for (std::string line; std::getline(lines, line);) {
    killed += line.find("exited on signal 9") != std::string::npos;
  }
  BOOST_TEST(killed == times);
  expect_clean(nginx);
}

/// Kills each worker in turn, and waits for its successor.
void kill_a_worker(Nginx& nginx, int turn) {
  const pid_t victim = nginx.workers().at(static_cast<std::size_t>(turn) % workers);
  ::kill(victim, SIGKILL);
  BOOST_REQUIRE(eventually([&] {
    auto now = nginx.workers();
    return now.size() == workers && std::find(now.begin(), now.end(), victim) == now.end();
  }));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(upgrade_test)

BOOST_FIXTURE_TEST_CASE(a_new_binary_takes_over_under_load, WithoutSpool) {
  for (int i = 0; i < 3; ++i) {
    const pid_t old = start_new_binary();
    BOOST_TEST(load.goes_on());  // both take callbacks
    end_old_binary(old);
    BOOST_TEST(!std::filesystem::exists(nginx.folder().file("nginx.pid.oldbin")));
  }
  finish();
  expect_all_stored_once(answered, redis);
}

BOOST_FIXTURE_TEST_CASE(a_new_binary_is_taken_back_under_load, WithoutSpool) {
  for (int i = 0; i < 2; ++i) {
    const pid_t old = start_new_binary();
    const pid_t unwanted = nginx.pid();
    BOOST_TEST(load.goes_on());
    ::kill(old, SIGWINCH);
    BOOST_TEST(eventually([&] { return children_of(old).size() == 1; }));
    ::kill(old, SIGHUP);  // workers again, without reading the configuration
    BOOST_TEST(eventually([&] { return children_of(old).size() == 1 + workers; }));
    BOOST_TEST(load.goes_on());
    ::kill(unwanted, SIGQUIT);
    BOOST_TEST(eventually([&] { return !lives(unwanted) && nginx.pid() == old; }));
    BOOST_TEST(load.goes_on());
  }
  finish();
  expect_all_stored_once(answered, redis);
}

BOOST_FIXTURE_TEST_CASE(a_new_binary_takes_over_while_redis_is_away, WithSpool) {
  for (int i = 0; i < 2; ++i) {
    redis.kill();
    BOOST_TEST(load.goes_on());  // into the spool
    const pid_t old = start_new_binary();
    BOOST_TEST(load.goes_on());
    end_old_binary(old);
    redis.start();
    BOOST_TEST(load.goes_on());
  }
  finish();
  expect_all_stored(answered, redis);
}

BOOST_AUTO_TEST_CASE(workers_killed_again_and_again_under_load) {
  RedisServer redis;
  Nginx nginx({.http = "cc_redis " + redis.address() + " timeout=5s;", .workers = workers});
  BOOST_REQUIRE(wait_for_workers(nginx));
  Load load(nginx, 6);
  long counted = 0;
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST(load.goes_on(50));
    kill_a_worker(nginx, i);
    BOOST_TEST(eventually([&] { return shows_only_its_workers(nginx); }));
    auto accepted = status_number(nginx.socket(), "accepted");
    BOOST_TEST(accepted >= counted);  // a slot outlives its worker
    counted = accepted;
  }
  BOOST_TEST(load.goes_on());
  BOOST_TEST(wait_for_workers(nginx));
  auto answered = load.stop();
  expect_all_stored(answered, redis);
  BOOST_TEST(status_number(nginx.socket(), "accepted") >= static_cast<long>(answered.size()));
  BOOST_TEST(status_number(nginx.socket(), "pending") == 0);
  expect_killed(nginx, 20);
}

BOOST_AUTO_TEST_CASE(workers_killed_while_redis_comes_and_goes) {
  RedisServer redis(on_disk);
  Nginx nginx({.http = "cc_redis " + redis.address() + " timeout=5s;", .workers = workers});
  BOOST_REQUIRE(wait_for_workers(nginx));
  Load load(nginx, 6);
  for (int i = 0; i < 12; ++i) {
    if (i % 3 == 0) redis.kill();
    if (i % 3 == 2) redis.start();
    BOOST_TEST(load.goes_on(50));
    kill_a_worker(nginx, i);
  }
  BOOST_TEST(load.goes_on());
  BOOST_TEST(wait_for_workers(nginx));
  auto answered = load.stop();
  BOOST_TEST(wait_for_empty_spool(nginx.socket()));
  expect_all_stored(answered, redis);
  expect_killed(nginx, 12);
}

BOOST_AUTO_TEST_CASE(a_worker_killed_with_callbacks_waiting_leaves_no_gauge_behind) {
  RedisServer redis;
  Nginx nginx({.http = "cc_redis " + redis.address() + " timeout=30s;", .workers = workers});
  BOOST_REQUIRE(wait_for_workers(nginx));
  ::kill(redis.pid(), SIGSTOP);
  std::vector<std::unique_ptr<Connection>> senders;
  for (unsigned i = 0; i < 8; ++i) {
    senders.push_back(std::make_unique<Connection>(nginx.socket()));
    senders.back()->send(post(callback_path(token_now), callback_body(i)));
  }
  BOOST_REQUIRE(eventually([&] { return status_number(nginx.socket(), "pending") == 8; }));
  kill_a_worker(nginx, 0);
  kill_a_worker(nginx, 1);  // in case that one had them all
  kill_a_worker(nginx, 0);
  for (auto& sender : senders) BOOST_TEST(!sender->receive());
  BOOST_TEST(eventually([&] { return shows_only_its_workers(nginx); }));
  BOOST_TEST(status_number(nginx.socket(), "pending") == 0);
  ::kill(redis.pid(), SIGCONT);
  BOOST_REQUIRE(wait_for_workers(nginx));
  auto response = ask(nginx.socket(), post(callback_path(token_now), callback_body(9)));
  BOOST_REQUIRE(response);
  BOOST_TEST(response->status == 200);
  expect_killed(nginx, 3);
}

BOOST_AUTO_TEST_SUITE_END()
