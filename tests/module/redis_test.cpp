// Redis that is away, slow, full of errors or not itself, and no spool: never a 2xx that isn't
// stored, never a wait beyond the deadline, and all is well again without a reload.
#include <algorithm>
#include <csignal>

#include <boost/test/unit_test.hpp>

#include "fake_redis.hpp"
#include "stack.hpp"

using namespace cc::test;
using namespace std::chrono_literals;

namespace {

/// NGINX in front of a fake Redis.
struct FakeStack {
  explicit FakeStack(FakeRedis::Script script, const std::string& options = "timeout=300ms",
                     const std::string& http = "")
      : fake(folder.file("redis.sock"), std::move(script)),
        nginx({.http = "cc_redis " + fake.address() + " " + options + ";" + http,
               .spool = no_spool}) {}
  ~FakeStack() { expect_clean(nginx); }

  std::optional<Response> call_back(unsigned number) {
    return ask(nginx.socket(), post(callback_path(token_now), callback_body(number)));
  }
  bool comes_back(unsigned number) {
    return eventually([&] { return call_back(number)->status == 200; });
  }

  TempDir folder;
  FakeRedis fake;
  Nginx nginx;
};

void expect_503(std::optional<Response> response) {
  BOOST_REQUIRE(response);
  BOOST_TEST(response->status == 503);
  BOOST_TEST(response->headers["retry-after"] == "1");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(redis_test)

BOOST_AUTO_TEST_CASE(away_is_a_503_at_once_and_back_is_a_200_without_reload) {
  Stack stack({.spool = no_spool});
  for (int round = 0; round < 3; ++round) {
    BOOST_TEST(stack.call_back(callback_body(1))->status == 200);
    stack.redis.kill();
    BOOST_REQUIRE(eventually([&] { return !links_up(stack.nginx.socket()); }));
    expect_503(stack.call_back(callback_body(2)));
    stack.redis.start();
    BOOST_REQUIRE(wait_for_links(stack.nginx.socket()));
    BOOST_TEST(stack.call_back(callback_body(3))->status == 200);
  }
  BOOST_TEST(status_number(stack.nginx.socket(), "failed.redis_down") == 3);
  BOOST_TEST(status_number(stack.nginx.socket(), "reconnects") == 3);
}

BOOST_AUTO_TEST_CASE(a_start_without_redis_is_fine) {
  const TempDir folder;
  Nginx nginx({.http = "cc_redis unix:" + folder.file("nobody.sock") + ";", .spool = no_spool});
  expect_503(ask(nginx.socket(), post(callback_path(token_now), callback_body(1))));
  expect_clean(nginx);
}

BOOST_AUTO_TEST_CASE(a_loop_of_restarts_leaves_no_descriptor_behind) {
  Stack stack({.spool = no_spool});
  auto descriptors = [&] {
    auto list = run(
        {.command = {"/bin/ls", "/proc/" + std::to_string(stack.nginx.workers().at(0)) + "/fd"}});
    return std::count(list.output.begin(), list.output.end(), '\n');
  };
  stack.call_back(callback_body(0));
  auto before = descriptors();
  for (unsigned i = 0; i < 10; ++i) {
    stack.redis.kill();
    stack.redis.start();
    BOOST_REQUIRE(eventually([&] { return stack.call_back(callback_body(i))->status == 200; }));
  }
  BOOST_TEST(eventually([&] { return descriptors() <= before; }));
}

BOOST_AUTO_TEST_CASE(stopped_is_a_503_by_the_deadline) {
  Stack stack({.spool = no_spool}, "timeout=300ms");
  ::kill(stack.redis.pid(), SIGSTOP);
  expect_503(stack.call_back(callback_body(1)));
  ::kill(stack.redis.pid(), SIGCONT);
  BOOST_REQUIRE(wait_for_links(stack.nginx.socket()));
  BOOST_TEST(stack.call_back(callback_body(2))->status == 200);
  BOOST_TEST(status_number(stack.nginx.socket(), "failed.redis_timeout") == 1);
  BOOST_TEST(status_number(stack.nginx.socket(), "pending") == 0);
}

BOOST_AUTO_TEST_CASE(a_full_redis_refuses_and_takes_again) {
  Stack stack({.spool = no_spool});
  stack.redis.cli({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  stack.redis.cli({"CONFIG", "SET", "maxmemory", "1"});
  expect_503(stack.call_back(callback_body(1)));
  stack.redis.cli({"CONFIG", "SET", "maxmemory", "0"});
  BOOST_TEST(stack.call_back(callback_body(2))->status == 200);
  BOOST_TEST(status_number(stack.nginx.socket(), "failed.redis_error") == 1);
}

BOOST_AUTO_TEST_CASE(every_error_reply_means_not_stored) {
  for (std::string error :
       {"-OOM command not allowed", "-LOADING Redis is loading", "-MISCONF errors",
        "-READONLY You can't write", "-NOAUTH Authentication required.", "-WRONGTYPE Operation",
        "-MOVED 1 127.0.0.1:1"}) {
    std::atomic<bool> fails{true};
    FakeStack stack(
        greeting_then([&](auto& peer) { peer.send(fails ? error + "\r\n" : "$3\r\n1-0\r\n"); }));
    BOOST_REQUIRE(wait_for_links(stack.nginx.socket()));
    expect_503(stack.call_back(1));
    fails = false;
    BOOST_TEST(stack.call_back(2)->status == 200);
  }
}

BOOST_AUTO_TEST_CASE(a_greeting_that_is_refused_is_tried_again) {
  std::atomic<bool> loading{true};
  FakeStack stack([&](FakeRedis::Peer& peer, const FakeRedis::Command& command) {
    if (loading) return peer.send("-LOADING Redis is loading the dataset in memory\r\n");
    peer.send(command.front() == "XADD" ? "$3\r\n1-0\r\n" : "+PONG\r\n");
  });
  expect_503(stack.call_back(1));
  BOOST_TEST(eventually([&] { return stack.fake.connections() > 3; }));
  loading = false;
  BOOST_TEST(stack.comes_back(2));
}

BOOST_AUTO_TEST_CASE(an_answer_byte_by_byte_is_an_answer) {
  FakeStack stack(
      greeting_then([](auto& peer) { peer.send_bytewise("$15\r\n1700000000000-0\r\n"); }));
  BOOST_REQUIRE(wait_for_links(stack.nginx.socket()));
  for (unsigned i = 0; i < 20; ++i) BOOST_TEST(stack.call_back(i)->status == 200);
}

BOOST_AUTO_TEST_CASE(a_connection_lost_in_mid_answer_is_a_503) {
  std::atomic<int> left{3};
  FakeStack stack(greeting_then([&](auto& peer) {
    if (left-- <= 0) return peer.send("$3\r\n1-0\r\n");
    peer.send("$15\r\n17000");
    peer.close();
  }));
  for (unsigned i = 0; i < 3; ++i) {
    BOOST_REQUIRE(wait_for_links(stack.nginx.socket()));
    expect_503(stack.call_back(i));
  }
  BOOST_TEST(stack.comes_back(4));
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_no_redis_is_a_503) {
  std::atomic<bool> strange{true};
  FakeStack stack(greeting_then([&](auto& peer) {
    peer.send(strange ? "HTTP/1.1 400 Bad Request\r\n\r\n" : "$3\r\n1-0\r\n");
  }));
  BOOST_REQUIRE(wait_for_links(stack.nginx.socket()));
  expect_503(stack.call_back(1));
  strange = false;
  BOOST_TEST(stack.comes_back(2));
}

BOOST_AUTO_TEST_CASE(one_that_accepts_and_never_answers_is_away) {
  FakeStack stack([](FakeRedis::Peer&, const FakeRedis::Command&) {});
  expect_503(stack.call_back(1));  // at once: it never came to be waited for
  BOOST_TEST(status_number(stack.nginx.socket(), "failed.redis_down") == 1);
}

BOOST_AUTO_TEST_CASE(one_that_never_answers_an_entry_is_left_at_the_deadline) {
  std::atomic<bool> silent{true};
  FakeStack stack(greeting_then([&](auto& peer) {
    if (!silent) peer.send("$3\r\n1-0\r\n");
  }));
  BOOST_REQUIRE(wait_for_links(stack.nginx.socket()));
  expect_503(stack.call_back(1));
  silent = false;
  BOOST_TEST(stack.comes_back(2));
}

BOOST_AUTO_TEST_CASE(what_waits_is_bounded) {
  FakeStack stack(greeting_then([](auto&) {}), "timeout=1s", "cc_limits pending=2;");
  BOOST_REQUIRE(wait_for_links(stack.nginx.socket()));
  Connection first(stack.nginx.socket()), second(stack.nginx.socket());
  first.send(post(callback_path(token_now), callback_body(1)));
  second.send(post(callback_path(token_now), callback_body(2)));
  BOOST_REQUIRE(eventually([&] { return status_number(stack.nginx.socket(), "pending") == 2; }));
  expect_503(stack.call_back(3));
  BOOST_TEST(status_number(stack.nginx.socket(), "failed.full") == 1);
  expect_503(first.receive());
  expect_503(second.receive());
}

BOOST_AUTO_TEST_CASE(all_commands_of_a_tick_leave_in_one_write) {
  FakeStack stack(greeting_then([](auto& peer) { peer.send("$3\r\n1-0\r\n"); }), "timeout=5s");
  BOOST_REQUIRE(wait_for_links(stack.nginx.socket()));
  std::vector<std::unique_ptr<Connection>> connections;
  for (unsigned i = 0; i < 32; ++i) {
    connections.push_back(std::make_unique<Connection>(stack.nginx.socket()));
    connections.back()->send(post(callback_path(token_now), callback_body(i)));
    BOOST_TEST(connections.back()->receive()->status == 200);  // accepted, and known to its worker
  }
  pid_t worker = stack.nginx.workers().at(0);
  halt(worker);
  for (unsigned i = 0; i < 32; ++i) {
    connections[i]->send(post(callback_path(token_now), callback_body(100 + i)));
  }
  ::kill(worker, SIGCONT);
  for (auto& connection : connections) BOOST_TEST(connection->receive()->status == 200);
  BOOST_TEST(std::ranges::count(stack.fake.batches(), 32U) == 1);
}

BOOST_AUTO_TEST_CASE(more_than_the_socket_takes_at_once_arrives_whole) {
  // 64 bodies of 90 KB are far beyond a unix socket's buffer: partial writes.
  Stack stack({.spool = no_spool}, "timeout=5s");
  std::vector<std::unique_ptr<Connection>> connections;
  ::kill(stack.redis.pid(), SIGSTOP);
  for (unsigned i = 0; i < 64; ++i) {
    connections.push_back(std::make_unique<Connection>(stack.nginx.socket()));
    connections.back()->send(
        post(callback_path(token_now), callback_body(i) + std::string(90000, 'x')));
  }
  BOOST_REQUIRE(eventually([&] { return status_number(stack.nginx.socket(), "pending") == 64; }));
  ::kill(stack.redis.pid(), SIGCONT);
  for (auto& connection : connections) BOOST_TEST(connection->receive()->status == 200);
  auto stored = entries(stack.redis.socket());
  BOOST_TEST(stored.size() == 64U);
  for (const auto& entry : stored)
    BOOST_TEST(raw_of(entry).size() == callback_body(0).size() + 90000);
}

BOOST_AUTO_TEST_CASE(a_password_is_given_and_a_wrong_one_noticed) {
  RedisServer redis({}, "correct-horse");
  const TempDir folder;
  for (std::string password : {"correct-horse", "wrong-horse"}) {
    std::string file = folder.file(password);
    run({.command = {"/bin/sh", "-c", "umask 077; echo " + password + " > " + file}});
    Nginx nginx({.http = "cc_redis " + redis.address() + " password-file=" + file + ";",
                 .spool = no_spool});
    if (password == "correct-horse") {
      BOOST_REQUIRE(wait_for_links(nginx.socket()));
      BOOST_TEST(ask(nginx.socket(), post(callback_path(token_now), callback_body(1)))->status ==
                 200);
    } else {
      BOOST_TEST(
          eventually([&] { return nginx.error_log().find("WRONGPASS") != std::string::npos; }));
      BOOST_TEST(nginx.error_log().find(password) == std::string::npos);
      expect_503(ask(nginx.socket(), post(callback_path(token_now), callback_body(2))));
    }
    expect_clean(nginx);
  }
}

BOOST_AUTO_TEST_CASE(redis_over_tcp_works_as_well) {
  auto port = std::to_string(free_port());
  RedisServer redis({"--port", port, "--bind", "127.0.0.1"});
  Nginx nginx({.http = "cc_redis localhost:" + port + ";", .spool = no_spool});
  BOOST_REQUIRE(wait_for_links(nginx.socket()));
  BOOST_TEST(ask(nginx.socket(), post(callback_path(token_now), callback_body(1)))->status == 200);
  redis.kill();
  BOOST_REQUIRE(eventually([&] { return !links_up(nginx.socket()); }));
  expect_503(ask(nginx.socket(), post(callback_path(token_now), callback_body(2))));
  redis.start();
  BOOST_REQUIRE(wait_for_links(nginx.socket()));
  BOOST_TEST(ask(nginx.socket(), post(callback_path(token_now), callback_body(3)))->status == 200);
  expect_clean(nginx);
}

BOOST_AUTO_TEST_SUITE_END()
