#include "redis.hpp"

#include <optional>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/test/unit_test.hpp>

#include "loop.hpp"
#include "servers.hpp"

using namespace cc::test;
namespace redis = cc::redis;
using Words = std::vector<std::string>;

namespace {

RedisServer& shared_server() {
  static RedisServer server;
  if (!server.running()) server.start();
  return server;
}

struct RedisFixture {
  RedisFixture() { server.cli({"FLUSHALL"}); }
  RedisServer& server = shared_server();
  asio::io_context io;
  asio::any_io_executor executor = io.get_executor();

  asio::awaitable<std::unique_ptr<redis::Connection>> connect() {
    redis::Options options{server.address(), ""};
    return redis::Connection::connect(executor, std::move(options), 2000ms);
  }
};

template <class Commander>
asio::awaitable<redis::Reply> send(Commander& link, Words words,
                                   std::chrono::milliseconds limit = 2000ms) {
  redis::Reply reply = co_await link.command(std::move(words), limit);
  co_return reply;
}

template <class Awaitable>
asio::awaitable<std::string> failure_of(Awaitable work) {
  std::string what;
  try {
    co_await std::move(work);
  } catch (const redis::Failure& failure) {
    what = failure.what();
  }
  co_return what;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(redis_connection, RedisFixture)

BOOST_AUTO_TEST_CASE(replies_of_each_kind) {
  const auto test = [&]() -> asio::awaitable<void> {
    using Type = redis::Reply::Type;
    const auto link = co_await connect();
    const std::string raw("a\0\r\n\xff \"", 7);
    Words set{"SET", raw, raw};
    const redis::Reply done = co_await send(*link, std::move(set));
    BOOST_TEST((done.type == Type::status));
    BOOST_TEST(done.text == "OK");
    Words get{"GET", raw};
    const redis::Reply text = co_await send(*link, std::move(get));
    BOOST_TEST((text.type == Type::text));
    BOOST_TEST((text.text == raw));
    Words none{"GET", "absent"};
    const redis::Reply nil = co_await send(*link, std::move(none));
    BOOST_TEST(nil.is_nil());
    Words count{"INCRBY", "n", "-9000000000"};
    const redis::Reply number = co_await send(*link, std::move(count));
    BOOST_TEST((number.type == Type::integer));
    BOOST_TEST(number.integer == -9'000'000'000);
    Words wrong{"INCR", raw};
    const redis::Reply error = co_await send(*link, std::move(wrong));
    BOOST_TEST(error.is_error());
    BOOST_TEST(error.text == "ERR value is not an integer or out of range");
    Words nested{"EVAL", "return {1, {'two', {3, {}}}, false}", "0"};
    const redis::Reply tree = co_await send(*link, std::move(nested));
    BOOST_REQUIRE((tree.type == Type::array));
    BOOST_TEST(tree.items.at(1).items.at(1).items.at(0).integer == 3);
    BOOST_TEST(tree.items.at(1).items.at(1).items.at(1).items.empty());
    BOOST_TEST(tree.items.at(2).is_nil());
    BOOST_TEST(link->usable());
    for (Words words : {Words{}, Words{""}, Words{"Subscribe", "x"}, Words{"MONITOR"}}) {
      bool refused = false;
      try {
        const redis::Reply reply = co_await link->command(std::move(words), 100ms);
      } catch (const std::logic_error&) {
        refused = true;
      }
      BOOST_TEST(refused);
    }
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(many_commands_at_once_come_in_order) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    const std::string large(2'000, 'x');
    std::vector<std::int64_t> seen;
    int left = 2000;
    const auto one = [&]() -> asio::awaitable<void> {
      Words words{"EVAL", "return redis.call('INCR', KEYS[1])", "1", "n", large};
      const redis::Reply reply = co_await send(*link, std::move(words), 20000ms);
      seen.push_back(reply.integer);
      --left;
    };
    for (int i = 0; i < 2000; ++i) asio::co_spawn(io, one(), [](std::exception_ptr) {});
    for (int i = 0; i < 4000 && left > 0; ++i) co_await cc::test::pause(5ms);
    BOOST_REQUIRE_EQUAL(seen.size(), 2000u);
    for (std::size_t i = 0; i < seen.size(); ++i) {
      BOOST_TEST(seen[i] == static_cast<std::int64_t>(i) + 1);
    }
    Words fill{"SET", "big", std::string(10'000'000, 'y')};
    const redis::Reply set = co_await send(*link, std::move(fill), 10000ms);
    BOOST_TEST(set.text == "OK");
    Words get{"GET", "big"};
    const redis::Reply big = co_await send(*link, std::move(get), 10000ms);
    BOOST_TEST(big.text.size() == 10'000'000u);
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(streams_and_blocking) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto reader = co_await connect();
    const auto writer = co_await connect();
    Words early{"XREAD", "BLOCK", "100", "STREAMS", "s", "0"};
    const redis::Reply nothing = co_await send(*reader, std::move(early));
    BOOST_TEST(nothing.is_nil());
    std::optional<redis::Reply> got;
    const auto read = [&]() -> asio::awaitable<void> {
      Words words{"XREAD", "COUNT", "10", "BLOCK", "5000", "STREAMS", "s", "0"};
      got = co_await send(*reader, std::move(words), 7000ms);
    };
    asio::co_spawn(io, read(), [](std::exception_ptr) {});
    co_await cc::test::pause(50ms);
    BOOST_TEST(!got);
    Words add{"XADD", "s", "*", "e9", "payload"};
    const redis::Reply id = co_await send(*writer, std::move(add));
    for (int i = 0; i < 400 && !got; ++i) co_await cc::test::pause(5ms);
    BOOST_REQUIRE(got);
    const redis::Reply& entry = got->items.at(0).items.at(1).items.at(0);
    BOOST_TEST(entry.items.at(0).text == id.text);
    BOOST_TEST(entry.items.at(1).items.at(1).text == "payload");
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(deadline_fails_everything_under_way) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    std::string other;
    const auto second = [&]() -> asio::awaitable<void> {
      auto work = send(*link, Words{"PING"}, 10000ms);
      other = co_await failure_of(std::move(work));
    };
    const auto begin = std::chrono::steady_clock::now();
    const auto first = [&]() -> asio::awaitable<void> {
      auto work = send(*link, Words{"XREAD", "BLOCK", "8000", "STREAMS", "none", "0"}, 200ms);
      const std::string why = co_await failure_of(std::move(work));
      BOOST_TEST(why == "no answer in time");
    };
    asio::co_spawn(io, first(), [](std::exception_ptr) {});
    co_await cc::test::pause(20ms);
    asio::co_spawn(io, second(), [](std::exception_ptr) {});
    for (int i = 0; i < 400 && other.empty(); ++i) co_await cc::test::pause(5ms);
    BOOST_TEST(other == "no answer in time");
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 2s));
    BOOST_TEST(!link->usable());
    auto late = send(*link, Words{"PING"});
    const std::string why = co_await failure_of(std::move(late));
    BOOST_TEST(!why.empty());
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(a_cancelled_command_does_not_disturb_the_others) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    asio::cancellation_signal stop;
    bool ended = false;
    auto blocked = send(*link, Words{"XREAD", "BLOCK", "300", "STREAMS", "none", "0"});
    asio::co_spawn(io, std::move(blocked),
                   asio::bind_cancellation_slot(stop.slot(),
                                                [&](std::exception_ptr error, const redis::Reply&) {
                                                  ended = error != nullptr;
                                                }));
    co_await cc::test::pause(50ms);
    stop.emit(asio::cancellation_type::terminal);
    co_await cc::test::pause(10ms);
    BOOST_TEST(ended);
    Words echo{"ECHO", "mine"};
    const redis::Reply reply = co_await send(*link, std::move(echo));
    BOOST_TEST(reply.text == "mine");
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(server_killed_under_pending_commands) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    int failed = 0;
    const auto one = [&](int n) -> asio::awaitable<void> {
      Words words{"XREAD", "BLOCK", "8000", "STREAMS", "none" + std::to_string(n), "0"};
      auto work = send(*link, std::move(words), 10000ms);
      const std::string why = co_await failure_of(std::move(work));
      BOOST_TEST(!why.empty());
      ++failed;
    };
    for (int i = 0; i < 10; ++i) asio::co_spawn(io, one(i), [](std::exception_ptr) {});
    co_await cc::test::pause(50ms);
    server.kill();
    for (int i = 0; i < 400 && failed < 10; ++i) co_await cc::test::pause(5ms);
    BOOST_TEST(failed == 10);
    BOOST_TEST(!link->usable());
    server.start();
    auto late = send(*link, Words{"PING"});
    const std::string why = co_await failure_of(std::move(late));
    BOOST_TEST(!why.empty());  // a connection lives once
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(connects_that_fail) {
  const auto test = [&]() -> asio::awaitable<void> {
    const std::string refused = "127.0.0.1:" + std::to_string(free_port());
    for (const std::string& address :
         {std::string("unix:/nowhere/redis.sock"), refused, std::string("localhost:6379"),
          std::string("127.0.0.1"), std::string("127.0.0.1:x"), std::string("")}) {
      redis::Options options{address, ""};
      auto work = redis::Connection::connect(executor, std::move(options), 1000ms);
      const std::string why = co_await failure_of(std::move(work));
      BOOST_TEST(!why.empty(), address);
    }
    // Accepts, as the kernel does for a server that hangs, and never answers AUTH.
    const TempDir folder;
    asio::local::stream_protocol::acceptor silent(
        io, asio::local::stream_protocol::endpoint(folder.file("s")));
    redis::Options options{"unix:" + folder.file("s"), "secret"};
    auto work = redis::Connection::connect(executor, std::move(options), 200ms);
    const std::string why = co_await failure_of(std::move(work));
    BOOST_TEST(why == "no answer in time");
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(over_tcp) {
  const std::string port = std::to_string(free_port());
  const RedisServer tcp({"--port", port, "--bind", "127.0.0.1"});
  const auto test = [&]() -> asio::awaitable<void> {
    redis::Options options{"127.0.0.1:" + port, ""};
    const auto link = co_await redis::Connection::connect(executor, std::move(options), 2000ms);
    Words ping{"PING"};
    const redis::Reply reply = co_await send(*link, std::move(ping));
    BOOST_TEST(reply.text == "PONG");
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(passwords) {
  const RedisServer guarded({}, "s3 \"cret");
  const auto test = [&]() -> asio::awaitable<void> {
    redis::Options right{guarded.address(), "s3 \"cret"}, wrong{guarded.address(), "hidden"},
        none{guarded.address(), ""};
    const auto link = co_await redis::Connection::connect(executor, std::move(right), 2000ms);
    Words ping{"PING"};
    const redis::Reply reply = co_await send(*link, std::move(ping));
    BOOST_TEST(reply.text == "PONG");
    auto refused = redis::Connection::connect(executor, std::move(wrong), 2000ms);
    const std::string why = co_await failure_of(std::move(refused));
    BOOST_TEST(why.find("AUTH refused: WRONGPASS") == 0u, why);
    BOOST_TEST(why.find("hidden") == std::string::npos);
    const auto stranger = co_await redis::Connection::connect(executor, std::move(none), 2000ms);
    Words get{"GET", "x"};
    const redis::Reply error = co_await send(*stranger, std::move(get));
    BOOST_TEST(error.text.substr(0, 6) == "NOAUTH");
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(link_connects_again) {
  const auto test = [&]() -> asio::awaitable<void> {
    redis::Link link(executor, {server.address(), ""});
    BOOST_TEST(!link.status().connected);
    Words ping{"PING"};
    const redis::Reply reply = co_await send(link, ping);
    BOOST_TEST(reply.text == "PONG");
    BOOST_TEST(link.status().connected);
    for (int round = 0; round < 3; ++round) {
      server.kill();
      auto work = send(link, ping, 300ms);
      const std::string why = co_await failure_of(std::move(work));
      BOOST_TEST(!why.empty());
      BOOST_TEST(!link.status().connected);
      int answered = 0;
      const auto one = [&]() -> asio::awaitable<void> {
        const redis::Reply late = co_await send(link, ping, 8000ms);
        if (late.text == "PONG") ++answered;
      };
      for (int i = 0; i < 20; ++i) asio::co_spawn(io, one(), [](std::exception_ptr) {});
      co_await cc::test::pause(100ms);
      server.start();
      for (int i = 0; i < 1000 && answered < 20; ++i) co_await cc::test::pause(5ms);
      BOOST_TEST(answered == 20);
    }
    BOOST_TEST(link.status().connects == 4u);
    BOOST_TEST(link.status().failures >= 3u);
  };
  run_until_done(io, test());
  const auto begin = std::chrono::steady_clock::now();
  io.restart();
  io.run();  // nothing of it stays on the loop
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 1s));
}

BOOST_AUTO_TEST_CASE(destroyed_under_way) {
  auto own = std::make_unique<asio::io_context>();
  {
    auto link =
        std::make_unique<redis::Link>(own->get_executor(), redis::Options{"unix:/nowhere", ""});
    auto work = send(*link, Words{"PING"}, 5000ms);
    asio::co_spawn(*own, failure_of(std::move(work)),
                   [](std::exception_ptr, const std::string&) {});
    own->run_for(50ms);
    link.reset();
    own->restart();
    BOOST_TEST(own->run_for(2s) > 0u);
    BOOST_TEST(own->stopped());
  }
  own->restart();
  auto link =
      std::make_unique<redis::Link>(own->get_executor(), redis::Options{server.address(), ""});
  auto work = send(*link, Words{"XREAD", "BLOCK", "5000", "STREAMS", "none", "0"}, 9000ms);
  asio::co_spawn(*own, failure_of(std::move(work)), [](std::exception_ptr, const std::string&) {});
  own->run_for(100ms);
  link.reset();
  own.reset();  // its coroutines end where they are
}

BOOST_AUTO_TEST_SUITE_END()
