// Senders that leave, reloads, and ends: nothing answered 2xx is lost, nothing is touched after its
// end.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <mutex>
#include <set>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "fake_redis.hpp"
#include "stack.hpp"

using namespace cc::test;
using namespace std::chrono_literals;

namespace {

long pending(const Nginx& nginx) {
  return status_number(nginx.socket(), "pending");
}

/// Sends callbacks until told to stop; remembers which were answered 200.
class Load {
 public:
  Load(const Nginx& nginx, unsigned threads) {
    for (unsigned t = 0; t < threads; ++t) {
      threads_.emplace_back([this, &nginx, t] { run(nginx, t * 1'000'000); });
    }
  }
  std::set<std::string> stop() {
    stopping_ = true;
    for (auto& thread : threads_) thread.join();
    return answered_;
  }
  std::size_t answered() const {
    std::lock_guard guard(lock_);
    return answered_.size();
  }

 private:
  void run(const Nginx& nginx, unsigned number) {
    while (!stopping_) {
      try {
        Connection connection(nginx.socket());
        while (!stopping_) {
          std::string body = callback_body(++number);
          if (!connection.send(post(callback_path(token_now), body))) break;
          auto response = connection.receive();
          if (!response) break;
          if (response->status == 200) {
            std::lock_guard guard(lock_);
            answered_.insert(body);
          }
          if (response->headers["connection"] == "close") break;
        }
      } catch (const std::exception&) {
        std::this_thread::yield();  // nobody listens just now
      }
    }
  }

  std::atomic<bool> stopping_{false};
  mutable std::mutex lock_;  // of answered_
  std::set<std::string> answered_;
  std::vector<std::thread> threads_;
};

/// A callback may stand in the stream again once Redis was asked and did not answer, or where a
/// leaving worker was replaying its file: its key is the same, so the daemon takes it once.
void expect_all_stored(const std::set<std::string>& answered, const RedisServer& redis,
                       const Nginx& nginx) {
  BOOST_TEST(wait_for_empty_spool(nginx.socket()));
  std::set<std::string> stored;
  for (const auto& entry : entries(redis.socket())) stored.insert(raw_of(entry));
  BOOST_TEST(answered.size() > 0U);
  BOOST_TEST(std::ranges::includes(stored, answered));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(life_test)

BOOST_AUTO_TEST_CASE(a_sender_that_resets_while_redis_is_stopped) {
  Stack stack({}, "timeout=2s");
  ::kill(stack.redis.pid(), SIGSTOP);
  for (unsigned i = 0; i < 8; ++i) {
    Connection connection(stack.nginx.port());
    connection.send(post(callback_path(token_now), callback_body(i)));
    BOOST_REQUIRE(eventually([&] { return pending(stack.nginx) == static_cast<long>(i) + 1; }));
    connection.reset();
  }
  ::kill(stack.redis.pid(), SIGCONT);
  BOOST_TEST(eventually([&] { return pending(stack.nginx) == 0; }));
  BOOST_TEST(entries(stack.redis.socket()).size() == 8U);  // what had arrived whole is stored
  BOOST_TEST(stack.call_back(callback_body(9))->status == 200);
}

BOOST_AUTO_TEST_CASE(a_sender_that_ends_its_side_still_gets_its_answer) {
  Stack stack({}, "timeout=2s");
  ::kill(stack.redis.pid(), SIGSTOP);
  Connection connection(stack.nginx.port());
  connection.send(post(callback_path(token_now), callback_body(1)));
  connection.finish();
  BOOST_REQUIRE(eventually([&] { return pending(stack.nginx) == 1; }));
  ::kill(stack.redis.pid(), SIGCONT);
  auto response = connection.receive();
  BOOST_REQUIRE(response);
  BOOST_TEST(response->status == 200);
}

BOOST_AUTO_TEST_CASE(senders_that_reset_and_then_the_deadline_passes) {
  Stack stack({}, "timeout=200ms");
  ::kill(stack.redis.pid(), SIGSTOP);
  for (unsigned i = 0; i < 8; ++i) {
    Connection connection(stack.nginx.port());
    connection.send(post(callback_path(token_now), callback_body(i)));
    if (i % 2 == 0) connection.reset();
  }
  BOOST_TEST(eventually([&] { return pending(stack.nginx) == 0; }));
  ::kill(stack.redis.pid(), SIGCONT);
  BOOST_REQUIRE(wait_for_links(stack.nginx.socket()));
  BOOST_TEST(stack.call_back(callback_body(9))->status == 200);
}

BOOST_AUTO_TEST_CASE(an_http_2_sender_that_leaves_while_redis_is_stopped) {
  Stack stack({}, "timeout=2s");
  ::kill(stack.redis.pid(), SIGSTOP);
  Process curl({.command = {"/usr/bin/curl", "-s", "--http2-prior-knowledge", "--unix-socket",
                            stack.nginx.h2_socket(), "-d", callback_body(1),
                            "http://callbacks.example" + callback_path(token_now)}});
  BOOST_REQUIRE(eventually([&] { return pending(stack.nginx) == 1; }));
  curl.end();
  ::kill(stack.redis.pid(), SIGCONT);
  BOOST_TEST(eventually([&] { return pending(stack.nginx) == 0; }));
  BOOST_TEST(entries(stack.redis.socket()).size() == 1U);
  BOOST_TEST(stack.call_back(callback_body(2))->status == 200);
}

BOOST_AUTO_TEST_CASE(a_sender_that_leaves_before_its_body_is_whole) {
  Stack stack;
  for (unsigned i = 0; i < 4; ++i) {
    Connection connection(stack.nginx.port());
    connection.send("POST " + callback_path(token_now) +
                    " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
    if (i % 2 == 0) {
      connection.reset();
    } else {
      connection.finish();
    }
  }
  BOOST_TEST(eventually([&] { return status_number(stack.nginx.socket(), "unfinished") == 4; }));
  BOOST_TEST(entries(stack.redis.socket()).empty());
}

BOOST_AUTO_TEST_CASE(reloads_in_a_storm_lose_nothing_answered) {
  Stack stack({.workers = 2}, "timeout=5s");
  auto first_workers = stack.nginx.workers();
  Load load(stack.nginx, 6);
  for (int i = 0; i < 12; ++i) {
    auto before = load.answered();
    auto workers = stack.nginx.workers();
    stack.nginx.reload();
    BOOST_TEST(eventually([&] { return load.answered() > before + 200; }));
  }
  auto answered = load.stop();
  expect_all_stored(answered, stack.redis, stack.nginx);
  BOOST_TEST(
      eventually([&] { return stack.nginx.workers().size() == 2; }));  // the old ones have left
  for (pid_t old : first_workers) {
    for (pid_t now : stack.nginx.workers()) BOOST_TEST(old != now);
  }
  // The counters have gone through all of it.
  BOOST_TEST(status_number(stack.nginx.socket(), "accepted") >= static_cast<long>(answered.size()));
}

BOOST_AUTO_TEST_CASE(a_quit_answers_what_waits) {
  Stack stack({}, "timeout=5s");
  ::kill(stack.redis.pid(), SIGSTOP);
  std::vector<std::unique_ptr<Connection>> connections;
  for (unsigned i = 0; i < 8; ++i) {
    connections.push_back(std::make_unique<Connection>(stack.nginx.socket()));
    connections.back()->send(post(callback_path(token_now), callback_body(i)));
  }
  BOOST_REQUIRE(eventually([&] { return pending(stack.nginx) == 8; }));
  stack.nginx.quit();
  BOOST_REQUIRE(eventually([&] {
    return stack.nginx.error_log().find("gracefully shutting down") != std::string::npos;
  }));
  ::kill(stack.redis.pid(), SIGCONT);
  for (auto& connection : connections) {
    auto response = connection->receive();
    BOOST_REQUIRE(response);
    BOOST_TEST(response->status == 200);
  }
  connections.clear();  // or NGINX lingers for them
  BOOST_TEST(stack.nginx.wait_for_end() == 0);
  BOOST_TEST(entries(stack.redis.socket()).size() == 8U);
}

BOOST_AUTO_TEST_CASE(a_quit_waits_no_longer_than_the_deadline) {
  Stack stack({.spool = no_spool}, "timeout=300ms");
  ::kill(stack.redis.pid(), SIGSTOP);
  auto connection = std::make_unique<Connection>(stack.nginx.socket());
  connection->send(post(callback_path(token_now), callback_body(1)));
  BOOST_REQUIRE(eventually([&] { return pending(stack.nginx) == 1; }));
  stack.nginx.quit();
  auto response = connection->receive();
  BOOST_REQUIRE(response);
  BOOST_TEST(response->status == 503);
  connection.reset();  // or NGINX lingers for it
  BOOST_TEST(stack.nginx.wait_for_end() == 0);
  ::kill(stack.redis.pid(), SIGCONT);
}

BOOST_AUTO_TEST_CASE(an_idle_worker_leaves_at_once_even_while_redis_is_away) {
  Stack stack;
  stack.call_back(callback_body(1));
  stack.redis.kill();
  BOOST_REQUIRE(eventually([&] { return !links_up(stack.nginx.socket()); }));
  stack.nginx.quit();
  BOOST_TEST(stack.nginx.wait_for_end() == 0);  // Redis never comes back
}

BOOST_AUTO_TEST_CASE(worker_shutdown_timeout_ends_it_while_redis_is_stopped) {
  Stack stack({.main = "worker_shutdown_timeout 200ms;", .spool = no_spool}, "timeout=30s");
  ::kill(stack.redis.pid(), SIGSTOP);
  std::vector<std::unique_ptr<Connection>> connections;
  for (unsigned i = 0; i < 8; ++i) {
    connections.push_back(std::make_unique<Connection>(stack.nginx.socket()));
    connections.back()->send(post(callback_path(token_now), callback_body(i)));
  }
  BOOST_REQUIRE(eventually([&] { return pending(stack.nginx) == 8; }));
  stack.nginx.quit();
  BOOST_TEST(stack.nginx.wait_for_end() == 0);
  for (auto& connection : connections) {
    auto response = connection->receive();
    BOOST_TEST((!response || response->status == 503));
  }
  ::kill(stack.redis.pid(), SIGCONT);
}

BOOST_AUTO_TEST_CASE(a_stop_with_callbacks_waiting_is_clean) {
  Stack stack({}, "timeout=5s");
  ::kill(stack.redis.pid(), SIGSTOP);
  Connection connection(stack.nginx.socket());
  connection.send(post(callback_path(token_now), callback_body(1)));
  BOOST_REQUIRE(eventually([&] { return pending(stack.nginx) == 1; }));
  ::kill(stack.nginx.pid(), SIGTERM);
  BOOST_TEST(stack.nginx.wait_for_end() == 0);
  BOOST_TEST(!connection.receive());
  ::kill(stack.redis.pid(), SIGCONT);
}

BOOST_AUTO_TEST_CASE(redis_killed_under_load_loses_nothing_answered) {
  // Without a disk a killed Redis forgets; with one it must have all that was answered.
  RedisServer redis({"--appendonly", "yes", "--appendfsync", "always"});
  Nginx nginx({.http = "cc_redis " + redis.address() + " timeout=1s;", .workers = 2});
  BOOST_REQUIRE(wait_for_links(nginx.socket()));
  Load load(nginx, 6);
  for (int i = 0; i < 4; ++i) {
    auto before = load.answered();
    BOOST_TEST(eventually([&] { return load.answered() > before + 100; }));
    redis.kill();
    redis.start();
  }
  auto answered = load.stop();
  expect_all_stored(answered, redis, nginx);
  expect_clean(nginx);
}

BOOST_AUTO_TEST_SUITE_END()
