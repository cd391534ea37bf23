// Another module that brings a hiredis of its own into the same process, and shows it to everybody:
// nchan, loaded before us and after us, with the same Redis.
//
// Nothing here reloads NGINX or stops Redis: nchan 1.3.6 breaks by itself then (it closes
// descriptors twice, and its leaving workers fail an assertion), with us or without us.
#include <filesystem>
#include <sstream>

#include <boost/test/unit_test.hpp>

#include "load.hpp"
#include "stack.hpp"

using namespace cc::test;

namespace {

const std::string nchan = "/usr/lib/nginx/modules/ngx_nchan_module.so";

enum class Order { nchan_first, ours_first };

NginxSettings settings_for(Order order, const RedisServer& redis, const std::string& port) {
  const std::string load = "load_module " + nchan + ";";
  NginxSettings settings{
      .http = "cc_redis " + redis.address() +
              " timeout=5s; upstream nchan_redis { nchan_redis_server redis://127.0.0.1:" + port +
              "; }",
      .server =
          "location = /publish { nchan_publisher http; nchan_channel_id $arg_id; "
          "nchan_redis_pass nchan_redis; nchan_message_buffer_length 1000; }"
          "location = /subscribe { nchan_subscriber longpoll; nchan_channel_id $arg_id; "
          "nchan_redis_pass nchan_redis; }",
      .workers = 2};
  (order == Order::nchan_first ? settings.before : settings.main) = load;
  return settings;
}

struct Fixture {
  explicit Fixture(Order order)
      : port(std::to_string(free_port())),
        redis({"--port", port, "--bind", "127.0.0.1"}),
        nginx(settings_for(order, redis, port)) {
    BOOST_REQUIRE(wait_for_links(nginx.socket()));
    // Each of nchan's workers has a link of its own; who asks too early may wait in vain.
    int tries = 0;
    BOOST_REQUIRE(
        eventually([&] { return talk("first" + std::to_string(++tries), 20, Millis{500}); }));
  }

  bool publish(const std::string& channel, const std::string& message) const {
    auto response = ask(nginx.socket(), post("/publish?id=" + channel, message));
    return response && (response->status == 201 || response->status == 202);
  }

  /// Publishes so many messages and reads them as a subscriber that stays a message behind.
  bool talk(const std::string& channel, int messages, Millis timeout = Millis{10000}) const {
    std::string where;
    for (int i = 0; i < messages; ++i) {
      const std::string message = "message " + std::to_string(i) + " on " + channel;
      if (!publish(channel, message)) return false;
      Connection subscriber(nginx.socket());
      subscriber.send("GET /subscribe?id=" + channel + " HTTP/1.1\r\nHost: x\r\n" + where + "\r\n");
      auto got = subscriber.receive(timeout);
      if (!got || got->status != 200 || got->body != message) return false;
      where = "If-Modified-Since: " + got->headers["last-modified"] +
              "\r\nIf-None-Match: " + got->headers["etag"] + "\r\n";
    }
    return true;
  }

  /// As if Redis had closed them; nchan's are on TCP and stay. Returns how many there were.
  int cut_our_links() const {
    int cut = 0;
    std::istringstream clients(redis.cli({"CLIENT", "LIST"}));
    for (std::string line; std::getline(clients, line);) {
      const bool ours = line.find("cmd=xadd") != std::string::npos;
      auto id = line.substr(3, line.find(' ') - 3);  // id=7 addr=…
      if (ours && redis.cli({"CLIENT", "KILL", "ID", id}) == "1") ++cut;
    }
    return cut;
  }

  std::string port;
  RedisServer redis;
  Nginx nginx;
};

void both_work(Order order) {
  Fixture f(order);
  Load load(f.nginx, 3);
  BOOST_TEST(f.talk("a", 100));
  for (int i = 0; i < 5; ++i) {
    BOOST_TEST(f.cut_our_links() > 0);
    BOOST_TEST(load.goes_on());
    BOOST_TEST(f.talk("b" + std::to_string(i), 20));
  }
  auto answered = load.stop();
  expect_all_stored(answered, f.redis);

  // Ours is all that is in our stream, and nchan's is in Redis too: none has used the other's link.
  auto stored = entries(f.redis.socket());
  BOOST_TEST(stored.size() >= answered.size());
  for (const auto& entry : stored) {
    BOOST_REQUIRE(entry.field == "e9");
    BOOST_REQUIRE(raw_of(entry).starts_with("<?xml"));
  }
  BOOST_TEST(f.redis.cli({"KEYS", "*channel*"}).find("/a") != std::string::npos);
  BOOST_TEST(status_number(f.nginx.socket(), "reconnects") > 0);
  expect_clean(f.nginx);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nchan_test)

BOOST_AUTO_TEST_CASE(is_installed) {
  BOOST_TEST(std::filesystem::exists(nchan), nchan << " is missing: scripts/setup installs it");
}

BOOST_AUTO_TEST_CASE(loaded_before_us) {
  both_work(Order::nchan_first);
}

BOOST_AUTO_TEST_CASE(loaded_after_us) {
  both_work(Order::ours_first);
}

BOOST_AUTO_TEST_SUITE_END()
