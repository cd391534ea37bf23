// A recorder with a Redis, a spool directory and a disk of its own.
#pragma once

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include "envelope.hpp"
#include "loop.hpp"
#include "recorder/recorder.hpp"
#include "servers.hpp"

namespace cc::test {

namespace fs = std::filesystem;

struct RecorderFixture {
  RecorderFixture() {
    fs::create_directory(spool());
    config.redis.address = redis.address();
    config.spool.directory = spool();
    config.spool.replay = 100'000;
    ::setenv("CC_FAULTY_DISK", folder.file("faults").c_str(), 1);
  }
  ~RecorderFixture() {
    if (redis.running()) ::kill(redis.pid(), SIGCONT);
  }

  /// Makes the recorder and starts it.
  Recorder& begin() {
    recorder = std::make_unique<Recorder>(io.get_executor(), config, clock, metrics);
    asio::co_spawn(io, recorder->run(), asio::detached);
    return *recorder;
  }

  /// Runs a test's coroutine; meanwhile the recorder runs, too.
  void run(const std::function<asio::awaitable<void>()>& test) { run_until_done(io, test()); }

  asio::awaitable<bool> until(std::function<bool()> condition) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) co_return false;
      co_await cc::test::pause(2ms);
    }
    co_return true;
  }
  asio::awaitable<void> until_says(std::string text) {
    const bool said = co_await until([&] { return recorder->health().says.starts_with(text); });
    BOOST_TEST(said, text << " expected, it says: " << recorder->health().says);
  }
  /// Redis takes all again, and nothing is left in the spool.
  asio::awaitable<void> until_well() {
    const bool well = co_await until(
        [&] { return recorder->health().says == "Redis" && recorder->oldest_ms() == 0; });
    BOOST_TEST(well, recorder->health().says);
  }

  Delivery delivery(int number, std::size_t size = 100) const {
    Delivery made;
    made.channel = "hw";
    made.source = Source::poll;
    made.subject = std::to_string(8000 + number % 7);
    made.received_ms = 1'700'000'000'000 + number;
    made.body = std::to_string(number) + ":" + std::string(size, 'x');
    return made;
  }

  asio::awaitable<std::string> put(int number, std::size_t size = 100) {
    std::string problem = co_await recorder->put(delivery(number, size));
    if (problem.empty()) answered.push_back(encode_envelope(delivery(number, size)));
    co_return problem;
  }
  /// Several at the same time; returns how many were taken.
  asio::awaitable<int> put_at_once(int first, int last, std::size_t size = 100) {
    int left = last - first + 1, taken = 0;
    const auto one = [&](int number) -> asio::awaitable<void> {
      const std::string problem = co_await put(number, size);
      if (problem.empty()) ++taken;
      --left;
    };
    for (int i = first; i <= last; ++i) asio::co_spawn(io, one(i), asio::detached);
    const bool all = co_await until([&] { return left == 0; });
    BOOST_REQUIRE(all);
    co_return taken;
  }

  /// The envelopes in a stream, and how often each stands there.
  asio::awaitable<std::map<std::string, int>> stream(unsigned partition = 0) {
    redis::Options options = config.redis;
    const auto link =
        co_await redis::Connection::connect(io.get_executor(), std::move(options), 5000ms);
    std::vector<std::string> words{"XRANGE", config.stream.prefix + std::to_string(partition), "-",
                                   "+"};
    const redis::Reply reply = co_await link->command(std::move(words), 10000ms);
    std::map<std::string, int> envelopes;
    for (const redis::Reply& entry : reply.items) {
      BOOST_TEST(entry.items.at(1).items.at(0).text == "hw");
      ++envelopes[entry.items.at(1).items.at(1).text];
    }
    co_return envelopes;
  }
  /// Whatever was answered for stands there.
  asio::awaitable<void> expect_all_stored() {
    std::map<std::string, int> all;
    for (unsigned p = 0; p < config.stream.partitions; ++p) all.merge(co_await stream(p));
    int missing = 0;
    for (const std::string& envelope : answered) missing += all.contains(envelope) ? 0 : 1;
    BOOST_TEST(missing == 0);
  }

  std::string spool() const { return folder.file("spool"); }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(spool()), fs::directory_iterator()));
  }
  void faults(const std::string& text) { std::ofstream(folder.file("faults")) << text << "\n"; }
  double stored(const char* to) { return metrics.recorded.Add({{"to", to}}).Value(); }

  RedisServer redis{{"--appendonly", "yes", "--appendfsync", "always"}};
  TempDir folder;
  asio::io_context io;
  SystemClock clock;
  Metrics metrics;
  Config config;
  std::unique_ptr<Recorder> recorder;
  std::vector<std::string> answered;  // envelopes
};

}  // namespace cc::test
