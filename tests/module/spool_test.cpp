// The spool: whatever befalls Redis, a callback is answered 200 and stands in the stream once Redis
// is well again.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

#include <boost/test/unit_test.hpp>

#include "fake_redis.hpp"
#include "stack.hpp"

using namespace cc::test;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> durable = {"--appendonly", "yes", "--appendfsync", "always"};

std::set<std::string> bodies(const std::string& redis_socket,
                             const std::string& key = "cc:events:0") {
  std::set<std::string> all;
  for (const auto& entry : entries(redis_socket, key)) all.insert(raw_of(entry));
  return all;
}

std::vector<fs::path> spool_files(const Nginx& nginx, const std::string& suffix = ".spool") {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(nginx.folder().file("spool"))) {
    if (entry.path().string().ends_with(suffix)) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

struct Fixture {
  explicit Fixture(NginxSettings settings = {}, const std::string& options = "")
      : redis(durable), nginx([&] {
          settings.http = "cc_redis " + redis.address() + " " + options + ";" + settings.http;
          return settings;
        }()) {
    BOOST_REQUIRE(wait_for_links(nginx.socket()));
  }
  ~Fixture() { expect_clean(nginx); }

  int call_back(unsigned number) {
    auto response = ask(nginx.socket(), post(callback_path(token_now), callback_body(number)));
    return response ? response->status : 0;
  }
  long status(const std::string& name) { return status_number(nginx.socket(), name); }
  void expect_stored(unsigned first, unsigned last) {
    auto stored = bodies(redis.socket());
    for (unsigned i = first; i <= last; ++i) BOOST_TEST(stored.contains(callback_body(i)), i);
  }

  RedisServer redis;
  Nginx nginx;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(spool_test)

BOOST_AUTO_TEST_CASE(what_comes_while_redis_is_away_is_there_when_it_is_back) {
  Fixture fixture;
  BOOST_TEST(fixture.call_back(1) == 200);
  fixture.redis.kill();
  BOOST_REQUIRE(eventually([&] { return !links_up(fixture.nginx.socket()); }));
  for (unsigned i = 2; i <= 20; ++i) BOOST_TEST(fixture.call_back(i) == 200);
  BOOST_TEST(fixture.status("spooled.redis_down") == 19);
  BOOST_TEST(fixture.status("accepted") == 20);
  BOOST_TEST(fixture.status("spool.files") == 1);
  BOOST_TEST(fixture.status("spool.bytes") > 19 * 300);
  BOOST_TEST(fixture.status("spool.oldest_received_ms") > 1'700'000'000'000);
  auto files = spool_files(fixture.nginx);
  BOOST_REQUIRE_EQUAL(files.size(), 1U);
  BOOST_TEST((fs::status(files[0]).permissions() == fs::perms(0600)));
  BOOST_TEST((fs::status(files[0].parent_path()).permissions() == fs::perms(0700)));

  fixture.redis.start();
  BOOST_TEST(wait_for_empty_spool(fixture.nginx.socket()));
  fixture.expect_stored(1, 20);
  BOOST_TEST(entries(fixture.redis.socket()).size() == 20U);
  BOOST_TEST(fixture.status("replayed") == 19);
  BOOST_TEST(fixture.status("spool.oldest_received_ms") == 0);
  BOOST_TEST(spool_files(fixture.nginx, "").empty());
  BOOST_TEST(fixture.nginx.access_log().find("POST 200 spooled") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_envelope_is_replayed_as_it_came) {
  Fixture fixture;
  fixture.redis.kill();
  BOOST_REQUIRE(eventually([&] { return !links_up(fixture.nginx.socket()); }));
  std::string body = callback_body(1);
  body.insert(body.find("abcdef"), std::string("<&\"\0\r\n\xff \xCC\x53\x50\x31", 12));
  Connection connection(fixture.nginx.port());
  connection.send(
      post(callback_path(token_now) + "?a=1%202", body, "Content-Type: application/xml\r\n"));
  BOOST_TEST(connection.receive()->status == 200);
  const long received = fixture.status("spool.oldest_received_ms");
  fixture.redis.start();
  BOOST_TEST(wait_for_empty_spool(fixture.nginx.socket()));
  auto stored = entries(fixture.redis.socket());
  BOOST_REQUIRE_EQUAL(stored.size(), 1U);
  BOOST_TEST(stored[0].field == "e9");
  BOOST_TEST(raw_of(stored[0]) == body);
  BOOST_TEST(stored[0].value.starts_with("v1 " + std::to_string(received) +
                                         " callback - 127.0.0.1 a=1%252"));
}

BOOST_AUTO_TEST_CASE(a_stopped_redis_is_waited_for_once) {
  Fixture fixture;
  ::kill(fixture.redis.pid(), SIGSTOP);
  BOOST_TEST(fixture.call_back(1) == 200);
  BOOST_TEST(fixture.status("spooled.redis_timeout") == 1);
  for (unsigned i = 2; i <= 10; ++i) BOOST_TEST(fixture.call_back(i) == 200);
  BOOST_TEST(fixture.status("spooled.redis_down") == 9);
  ::kill(fixture.redis.pid(), SIGCONT);
  BOOST_TEST(wait_for_empty_spool(fixture.nginx.socket()));
  fixture.expect_stored(1, 10);
}

BOOST_AUTO_TEST_CASE(a_full_redis_means_the_spool_and_is_tried_again) {
  Fixture fixture;
  fixture.redis.cli({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  fixture.redis.cli({"CONFIG", "SET", "maxmemory", "1"});
  for (unsigned i = 1; i <= 10; ++i) BOOST_TEST(fixture.call_back(i) == 200);
  BOOST_TEST(fixture.status("spooled.redis_error") == 10);
  BOOST_TEST(eventually([&] { return fixture.status("replay_refused") > 0; }));
  BOOST_TEST(fixture.call_back(11) == 200);
  fixture.redis.cli({"CONFIG", "SET", "maxmemory", "0"});
  BOOST_TEST(wait_for_empty_spool(fixture.nginx.socket()));
  BOOST_TEST(fixture.call_back(12) == 200);
  fixture.expect_stored(1, 12);
}

BOOST_AUTO_TEST_CASE(every_error_reply_means_the_spool) {
  for (std::string error :
       {"-OOM command not allowed", "-LOADING Redis is loading", "-MISCONF errors",
        "-READONLY You can't write", "-NOAUTH Authentication required.", "-WRONGTYPE Operation",
        "-MOVED 1 127.0.0.1:1"}) {
    std::atomic<bool> fails{true};
    TempDir folder;
    FakeRedis fake(folder.file("redis.sock"), greeting_then([&](auto& peer) {
                     peer.send(fails ? error + "\r\n" : "$3\r\n1-0\r\n");
                   }));
    Nginx nginx({.http = "cc_redis " + fake.address() + ";"});
    BOOST_REQUIRE(wait_for_links(nginx.socket()));
    BOOST_TEST(ask(nginx.socket(), post(callback_path(token_now), callback_body(1)))->status ==
               200);
    BOOST_TEST(status_number(nginx.socket(), "spooled.redis_error") == 1);
    fails = false;
    BOOST_TEST(wait_for_empty_spool(nginx.socket()));
    BOOST_TEST(status_number(nginx.socket(), "replayed") == 1);
    expect_clean(nginx);
  }
}

BOOST_AUTO_TEST_CASE(a_stream_that_nobody_drains_stops_at_its_high_water_mark) {
  Fixture fixture({.http = "cc_stream cc:events: high_water=256;"});
  for (unsigned i = 1; i <= 256; ++i) BOOST_REQUIRE(fixture.call_back(i) == 200);
  unsigned last = 256;
  BOOST_REQUIRE(eventually([&] {
    BOOST_REQUIRE(fixture.call_back(++last) == 200);
    return fixture.status("spooled.stream_full") > 0;
  }));
  BOOST_TEST(fixture.nginx.error_log().find("high-water mark") != std::string::npos);
  fixture.redis.cli({"XTRIM", "cc:events:0", "MAXLEN", "0"});
  BOOST_TEST(wait_for_empty_spool(fixture.nginx.socket()));
  BOOST_TEST(bodies(fixture.redis.socket()).contains(callback_body(last)));
}

BOOST_AUTO_TEST_CASE(too_much_waiting_for_redis_means_the_spool) {
  TempDir folder;
  FakeRedis fake(folder.file("redis.sock"), greeting_then([](auto&) {}));
  Nginx nginx({.http = "cc_redis " + fake.address() + " timeout=2s; cc_limits pending=2;"});
  BOOST_REQUIRE(wait_for_links(nginx.socket()));
  Connection first(nginx.socket()), second(nginx.socket());
  first.send(post(callback_path(token_now), callback_body(1)));
  second.send(post(callback_path(token_now), callback_body(2)));
  BOOST_REQUIRE(eventually([&] { return status_number(nginx.socket(), "pending") == 2; }));
  BOOST_TEST(ask(nginx.socket(), post(callback_path(token_now), callback_body(3)))->status == 200);
  BOOST_TEST(status_number(nginx.socket(), "spooled.full") == 1);
  BOOST_TEST(first.receive()->status == 200);
  BOOST_TEST(second.receive()->status == 200);
  BOOST_TEST(status_number(nginx.socket(), "spooled.redis_timeout") == 2);
  expect_clean(nginx);
}

BOOST_AUTO_TEST_CASE(replaying_keeps_the_order_and_lets_live_traffic_through) {
  Fixture fixture({.spool = "cc_spool spool replay=200;"});
  fixture.redis.kill();
  BOOST_REQUIRE(eventually([&] { return !links_up(fixture.nginx.socket()); }));
  Connection connection(fixture.nginx.socket());
  for (unsigned i = 1; i <= 1000; ++i) {
    connection.send(post(callback_path(token_now), callback_body(i)));
    BOOST_REQUIRE(connection.receive()->status == 200);
  }
  fixture.redis.start();
  BOOST_REQUIRE(eventually([&] { return fixture.status("replayed") > 0; }));
  BOOST_TEST(fixture.call_back(2000) == 200);
  BOOST_TEST(eventually(
      [&] { return fixture.nginx.access_log().ends_with("POST 200 stored HTTP/1.1\n"); }));
  BOOST_TEST(fixture.status("replayed") < 1000);
  BOOST_TEST(wait_for_empty_spool(fixture.nginx.socket()));
  unsigned expected = 1;
  for (const auto& entry : entries(fixture.redis.socket())) {
    if (raw_of(entry) == callback_body(expected)) ++expected;
  }
  BOOST_TEST(expected == 1001U);
  fixture.expect_stored(2000, 2000);
}

BOOST_AUTO_TEST_CASE(a_dead_workers_file_is_adopted) {
  Fixture fixture({.workers = 2});
  fixture.redis.kill();
  BOOST_REQUIRE(eventually([&] { return !links_up(fixture.nginx.socket()); }));
  for (unsigned i = 1; i <= 10; ++i) BOOST_TEST(fixture.call_back(i) == 200);
  for (pid_t worker : fixture.nginx.workers()) ::kill(worker, SIGKILL);
  fixture.redis.start();
  BOOST_REQUIRE(eventually([&] {
    return Connection::opens(fixture.nginx.socket()) && fixture.nginx.workers().size() == 2;
  }));
  BOOST_TEST(wait_for_empty_spool(fixture.nginx.socket()));
  fixture.expect_stored(1, 10);
  BOOST_TEST(entries(fixture.redis.socket()).size() == 10U);  // one adopts, not both
}

BOOST_AUTO_TEST_CASE(a_torn_end_is_skipped_and_counted) {
  Fixture fixture;
  fixture.redis.kill();
  BOOST_REQUIRE(eventually([&] { return !links_up(fixture.nginx.socket()); }));
  for (unsigned i = 1; i <= 5; ++i) BOOST_TEST(fixture.call_back(i) == 200);
  ::kill(fixture.nginx.workers().at(0), SIGKILL);
  auto file = spool_files(fixture.nginx).at(0);
  fs::resize_file(file, fs::file_size(file) - 10);
  fixture.redis.start();
  BOOST_REQUIRE(eventually([&] { return Connection::opens(fixture.nginx.socket()); }));
  BOOST_TEST(wait_for_empty_spool(fixture.nginx.socket()));
  fixture.expect_stored(1, 4);
  BOOST_TEST(fixture.status("spool_damaged") == 1);
  BOOST_TEST(spool_files(fixture.nginx, "").empty());
}

BOOST_AUTO_TEST_CASE(damage_within_costs_what_it_hit_and_the_file_is_kept) {
  Fixture fixture;
  fixture.redis.kill();
  BOOST_REQUIRE(eventually([&] { return !links_up(fixture.nginx.socket()); }));
  for (unsigned i = 1; i <= 5; ++i) BOOST_TEST(fixture.call_back(i) == 200);
  ::kill(fixture.nginx.workers().at(0), SIGKILL);
  auto file = spool_files(fixture.nginx).at(0);
  std::string content = read_file(file);
  std::string third = callback_body(3);
  content[content.find(third) + 20] ^= 1;
  FILE* out = std::fopen(file.c_str(), "r+");
  std::fwrite(content.data(), 1, content.size(), out);
  std::fclose(out);
  fixture.redis.start();
  BOOST_REQUIRE(eventually([&] { return Connection::opens(fixture.nginx.socket()); }));
  BOOST_TEST(wait_for_empty_spool(fixture.nginx.socket()));
  auto stored = bodies(fixture.redis.socket());
  for (unsigned i : {1U, 2U, 4U, 5U}) BOOST_TEST(stored.contains(callback_body(i)));
  BOOST_TEST(stored.size() == 4U);
  BOOST_TEST(fixture.status("spool_damaged") == 1);
  BOOST_TEST(fixture.status("spool.damaged_files") == 1);
  BOOST_TEST(spool_files(fixture.nginx, ".damaged").size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_none_of_ours_is_put_aside) {
  Fixture fixture;
  std::ofstream(fixture.nginx.folder().file("spool/1-stranger.spool")) << "hello\n";
  BOOST_TEST(wait_for_empty_spool(fixture.nginx.socket()));
  BOOST_TEST(spool_files(fixture.nginx, ".damaged").size() == 1U);
  BOOST_TEST(fixture.nginx.error_log().find("no spool file of CC") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(two_generations_of_workers_share_the_spool) {
  Fixture fixture({.workers = 2});
  fixture.redis.kill();
  BOOST_REQUIRE(eventually([&] { return !links_up(fixture.nginx.socket()); }));
  unsigned number = 0;
  for (int round = 0; round < 4; ++round) {
    // A connection kept open keeps its worker, and so two generations side by side.
    Connection kept(fixture.nginx.socket());
    kept.send("POST " + callback_path(token_now) + " HTTP/1.1\r\nHost: x\r\nContent-Length: " +
              std::to_string(callback_body(++number).size()) + "\r\n\r\n");
    auto before = fixture.nginx.workers();
    fixture.nginx.reload();
    BOOST_REQUIRE(eventually([&] {
      auto now = fixture.nginx.workers();
      return std::ranges::count_if(now, [&](pid_t pid) {
               return std::ranges::find(before, pid) == before.end();
             }) == 2;
    }));
    for (int i = 0; i < 5; ++i) BOOST_TEST(fixture.call_back(++number) == 200);
    kept.send(callback_body(static_cast<unsigned>(round) * 6 + 1));
    BOOST_TEST(kept.receive()->status == 200);
  }
  fixture.redis.start();
  BOOST_TEST(wait_for_empty_spool(fixture.nginx.socket()));
  fixture.expect_stored(1, number);
  BOOST_TEST(entries(fixture.redis.socket()).size() == number);
}

BOOST_AUTO_TEST_CASE(a_quit_and_a_stop_leave_what_they_spooled_for_the_next_start) {
  for (int signal : {SIGQUIT, SIGTERM}) {
    RedisServer redis(durable);
    TempDir spool;
    NginxSettings settings{.http = "cc_redis " + redis.address() + ";",
                           .spool = "cc_spool " + spool.file("here") + ";"};
    {
      Nginx nginx(settings);
      BOOST_REQUIRE(wait_for_links(nginx.socket()));
      redis.kill();
      BOOST_REQUIRE(eventually([&] { return !links_up(nginx.socket()); }));
      BOOST_TEST(ask(nginx.socket(), post(callback_path(token_now), callback_body(1)))->status ==
                 200);
      ::kill(nginx.pid(), signal);
      BOOST_TEST(nginx.wait_for_end() == 0);
      expect_clean(nginx);
    }
    redis.start();
    Nginx nginx(settings);
    BOOST_REQUIRE(wait_for_links(nginx.socket()));
    BOOST_TEST(wait_for_empty_spool(nginx.socket()));
    BOOST_TEST(bodies(redis.socket()).contains(callback_body(1)));
    expect_clean(nginx);
  }
}

BOOST_AUTO_TEST_CASE(a_stop_saves_even_what_nobody_was_answered_for) {
  RedisServer redis(durable);
  TempDir spool;
  NginxSettings settings{.http = "cc_redis " + redis.address() + " timeout=30s;",
                         .spool = "cc_spool " + spool.file("here") + ";"};
  {
    Nginx nginx(settings);
    BOOST_REQUIRE(wait_for_links(nginx.socket()));
    ::kill(redis.pid(), SIGSTOP);
    Connection connection(nginx.socket());
    connection.send(post(callback_path(token_now), callback_body(1)));
    BOOST_REQUIRE(eventually([&] { return status_number(nginx.socket(), "pending") == 1; }));
    ::kill(nginx.pid(), SIGTERM);
    BOOST_TEST(nginx.wait_for_end() == 0);
    BOOST_TEST(!connection.receive());
    expect_clean(nginx);
    redis.kill();  // whatever it had not read yet is gone
  }
  redis.start();
  Nginx nginx(settings);
  BOOST_REQUIRE(wait_for_links(nginx.socket()));
  BOOST_TEST(wait_for_empty_spool(nginx.socket()));
  BOOST_TEST(bodies(redis.socket()).contains(callback_body(1)));
}

BOOST_AUTO_TEST_CASE(a_sender_that_leaves_while_redis_is_stopped_is_spooled_too) {
  Fixture fixture;
  ::kill(fixture.redis.pid(), SIGSTOP);
  Connection connection(fixture.nginx.port());
  connection.send(post(callback_path(token_now), callback_body(1)));
  BOOST_REQUIRE(eventually([&] { return fixture.status("pending") == 1; }));
  connection.reset();
  BOOST_TEST(eventually([&] { return fixture.status("spooled.redis_timeout") == 1; }));
  ::kill(fixture.redis.pid(), SIGKILL);  // what lies in its socket goes with it
  fixture.redis.kill();
  fixture.redis.start();
  BOOST_TEST(wait_for_empty_spool(fixture.nginx.socket()));
  fixture.expect_stored(1, 1);
}

BOOST_AUTO_TEST_CASE(a_full_spool_is_a_503) {
  Fixture fixture({.spool = "cc_spool spool max=1m;"});
  fixture.redis.kill();
  BOOST_REQUIRE(eventually([&] { return !links_up(fixture.nginx.socket()); }));
  std::string large(90'000, 'x');
  Connection connection(fixture.nginx.socket());
  int answers[2] = {0, 0};
  for (unsigned i = 0; i < 20; ++i) {
    connection.send(post(callback_path(token_now), callback_body(i) + large));
    auto response = connection.receive();
    BOOST_REQUIRE(response);
    BOOST_TEST((response->status == 200 || response->status == 503));
    ++answers[response->status == 503];
    if (response->status == 503) BOOST_TEST(response->headers["retry-after"] == "1");
  }
  BOOST_TEST(answers[0] >= 10);
  BOOST_TEST(answers[1] >= 5);
  BOOST_TEST(fixture.nginx.error_log().find("as much as cc_spool allows") != std::string::npos);
  fixture.redis.start();
  BOOST_TEST(wait_for_empty_spool(fixture.nginx.socket()));
  BOOST_TEST(bodies(fixture.redis.socket()).size() == static_cast<std::size_t>(answers[0]));
  BOOST_TEST(fixture.call_back(99) == 200);
}

BOOST_AUTO_TEST_SUITE_END()
