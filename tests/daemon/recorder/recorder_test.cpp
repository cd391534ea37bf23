// What is put stands in the stream: at once while Redis is well, and whatever befell it, once it is
// well again.
#define BOOST_TEST_MODULE recorder
#include "recorder/recorder.hpp"

#include "keys.hpp"
#include "recorder_fixture.hpp"

using namespace cc;
using namespace cc::test;

BOOST_FIXTURE_TEST_SUITE(with_redis, RecorderFixture)

BOOST_AUTO_TEST_CASE(a_delivery_goes_straight_to_the_stream) {
  begin();
  run([&]() -> asio::awaitable<void> {
    co_await until_well();
    const std::string problem = co_await put(1);
    BOOST_TEST(problem == "");
    const auto all = co_await stream();
    BOOST_TEST(all.size() == 1u);
    BOOST_TEST(all.contains(encode_envelope(delivery(1))));
    BOOST_TEST(stored("stream") == 1);
    BOOST_TEST(stored("spool") == 0);
    BOOST_TEST(recorder->oldest_ms() == 0);
    BOOST_TEST(recorder->health().ok);
    BOOST_TEST(files() == 0u);
  });
}

BOOST_AUTO_TEST_CASE(its_partition_is_the_one_of_its_subject) {
  config.stream.partitions = 4;
  begin();
  run([&]() -> asio::awaitable<void> {
    co_await until_well();
    for (int i = 1; i <= 7; ++i) {
      const std::string problem = co_await put(i);
      BOOST_TEST(problem == "");
    }
    redis.kill();
    co_await until_says("spooling");
    for (int i = 8; i <= 14; ++i) {
      const std::string problem = co_await put(i);
      BOOST_TEST(problem == "");
    }
    redis.start();
    co_await until_well();
    for (int i = 1; i <= 14; ++i) {
      const auto all = co_await stream(partition_of(delivery(i), {}, 4));
      BOOST_TEST(all.contains(encode_envelope(delivery(i))), i);
    }
  });
}

BOOST_AUTO_TEST_CASE(a_stopped_redis_is_waited_for_once) {
  begin();
  run([&]() -> asio::awaitable<void> {
    co_await until_well();
    ::kill(redis.pid(), SIGSTOP);
    const std::string first = co_await put(1);
    BOOST_TEST(first == "");
    BOOST_TEST(stored("spool") == 1);
    // One after the other: if each waited for Redis, the test would take longer than it may.
    for (int i = 2; i <= 400; ++i) {
      const std::string problem = co_await put(i);
      BOOST_TEST(problem == "");
    }
    BOOST_TEST(stored("spool") == 400);
    BOOST_TEST(recorder->oldest_ms() == delivery(1).received_ms);
    ::kill(redis.pid(), SIGCONT);
    co_await until_well();
    co_await expect_all_stored();
    const std::string problem = co_await put(401);
    BOOST_TEST(problem == "");
    BOOST_TEST(stored("stream") == 1);
  });
}

BOOST_AUTO_TEST_CASE(what_comes_while_redis_is_away_is_replayed) {
  begin();
  run([&]() -> asio::awaitable<void> {
    co_await until_well();
    BOOST_TEST(recorder->oldest_ms() == 0);
    redis.kill();
    co_await until_says("spooling");
    BOOST_TEST(recorder->health().ok);
    for (int i = 5; i <= 104; ++i) {
      const std::string problem = co_await put(i);
      BOOST_TEST(problem == "");
      BOOST_TEST(recorder->oldest_ms() == delivery(5).received_ms);
    }
    BOOST_TEST(files() == 1u);
    BOOST_TEST(metrics.spool_bytes.Value() > 100 * 100);
    // One that is older than its file's name would say.
    const std::string older = co_await put(2);
    BOOST_TEST(older == "");
    BOOST_TEST(recorder->oldest_ms() == delivery(2).received_ms);
    redis.start();
    co_await until_well();
    const auto all = co_await stream();
    BOOST_TEST(all.size() == 101u);
    co_await expect_all_stored();
    BOOST_TEST(files() == 0u);
    BOOST_TEST(metrics.spool_replayed.Value() == 101);
    BOOST_TEST(metrics.spool_bytes.Value() == 0);
    BOOST_TEST(metrics.spool_damaged.Value() == 0);
  });
}

BOOST_AUTO_TEST_CASE(a_full_redis_means_the_spool_and_is_tried_again) {
  redis.cli({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  begin();
  run([&]() -> asio::awaitable<void> {
    co_await until_well();
    redis.cli({"CONFIG", "SET", "maxmemory", "1"});
    for (int i = 1; i <= 10; ++i) {
      const std::string problem = co_await put(i);
      BOOST_TEST(problem == "");
    }
    BOOST_TEST(stored("spool") == 10);
    co_await until_says("spooling: Redis refuses: OOM");
    redis.cli({"CONFIG", "SET", "maxmemory", "0"});
    co_await until_well();
    co_await expect_all_stored();
    BOOST_TEST(files() == 0u);
  });
}

BOOST_AUTO_TEST_CASE(a_stream_that_nobody_drains_is_spared_and_drained_ones_are_replayed_into) {
  config.stream.high_water = 20;
  begin();
  run([&]() -> asio::awaitable<void> {
    co_await until_well();
    for (int i = 1; i <= 21; ++i) {
      const std::string problem = co_await put(i);
      BOOST_TEST(problem == "");
    }
    co_await until_says("spooling: the streams are above");
    BOOST_TEST(stored("spool") == 0);
    const std::string spooled = co_await put(22);
    BOOST_TEST(spooled == "");
    BOOST_TEST(stored("spool") == 1);
    // Redis was only spared: where the spool fails it is asked after all.
    faults("fdatasync 5\ncreate 28");
    const std::string more = co_await put(23);
    BOOST_TEST(more == "");
    BOOST_TEST(stored("stream") == 22);
    faults("");
    BOOST_TEST(metrics.spool_replayed.Value() == 0);
    redis.cli({"XTRIM", "cc:events:0", "MAXLEN", "0"});
    co_await until_well();
    const auto all = co_await stream();
    BOOST_TEST(all.contains(encode_envelope(delivery(22))));
  });
}

BOOST_AUTO_TEST_CASE(without_a_spool_the_caller_hears_what_is_wrong_with_redis) {
  config.spool.directory.clear();
  begin();
  run([&]() -> asio::awaitable<void> {
    co_await until_well();
    redis.kill();
    co_await until([&] { return !recorder->health().ok; });
    const std::string problem = co_await put(1);
    BOOST_TEST(problem.starts_with("Redis: "));
    BOOST_TEST(metrics.recorder_refused.Value() == 1);
    BOOST_TEST(recorder->oldest_ms() == 0);
    redis.start();
    co_await until_well();
    const std::string again = co_await put(1);
    BOOST_TEST(again == "");
    co_await expect_all_stored();
  });
}

BOOST_AUTO_TEST_CASE(nothing_answered_for_is_lost_while_redis_is_killed_and_stopped) {
  config.stream.partitions = 3;
  begin();
  run([&]() -> asio::awaitable<void> {
    co_await until_well();
    int next = 0, working = 20;
    const auto work = [&]() -> asio::awaitable<void> {
      while (next < 3000) {
        const int number = ++next;
        const std::string problem = co_await put(number);
        BOOST_TEST(problem == "");
        co_await cc::test::pause(std::chrono::milliseconds{number % 5});
      }
      --working;
    };
    for (int i = 0; i < 20; ++i) asio::co_spawn(io, work(), asio::detached);
    for (const int at : {500, 1500}) {
      co_await until([&] { return next >= at; });
      redis.kill();
      co_await until([&] { return next >= at + 200; });
      redis.start();
      co_await until([&] { return next >= at + 500; });
      ::kill(redis.pid(), SIGSTOP);
      co_await until([&] { return next >= at + 700; });
      ::kill(redis.pid(), SIGCONT);
    }
    const bool done = co_await until([&] { return working == 0; });
    BOOST_REQUIRE(done);
    co_await until_well();
    BOOST_TEST(answered.size() == 3000u);
    BOOST_TEST(stored("spool") > 0);
    BOOST_TEST(stored("stream") > 0);
    co_await expect_all_stored();
    BOOST_TEST(files() == 0u);
  });
}

BOOST_AUTO_TEST_CASE(a_recorder_may_go_while_somebody_waits) {
  begin();
  run([&]() -> asio::awaitable<void> {
    co_await until_well();
    ::kill(redis.pid(), SIGSTOP);
    int left = 3;
    const auto one = [&](int number) -> asio::awaitable<void> {
      const std::string problem = co_await put(number);
      BOOST_TEST(problem == "");
      --left;
    };
    for (int i = 0; i < 3; ++i) asio::co_spawn(io, one(i), asio::detached);
    co_await cc::test::pause(1ms);
    recorder.reset();
    const bool done = co_await until([&] { return left == 0; });
    BOOST_TEST(done);
    begin();
    ::kill(redis.pid(), SIGCONT);
    co_await until_well();
    co_await expect_all_stored();
    ::kill(redis.pid(), SIGSTOP);
    for (int i = 3; i < 6; ++i) asio::co_spawn(io, recorder->put(delivery(i)), asio::detached);
    co_await cc::test::pause(1ms);
  });  // and the loop goes with those that wait
}

BOOST_AUTO_TEST_SUITE_END()
