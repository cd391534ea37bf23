// What cc.yaml says of health, canaries, capabilities and shown numbers.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "config.hpp"

using namespace cc;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("cc-config-health-" + std::to_string(::getpid()))) {
    fs::create_directories(path);
    write("id", "feff3cbd52c041a1bd5b0492bee56423\n");
    write("url", "http://127.0.0.1:8082/callback/e9/s3cret-token\n");
    write("spoilt", "127.0.0.1/s3cret-token\n");
    write("agents", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path / name) << content;
    return (path / name).string();
  }
  fs::path path;
};

/// What the tests change, each as lines of YAML in its place.
struct Pieces {
  std::string top, nginx, e9, hw, tenant;
};

std::string yaml(const Folder& folder, const Pieces& pieces) {
  return "postgres: {conninfo: \"host=/run dbname=cc\"}\n"
         "redis: {address: unix:/run/redis.sock}\n"
         "agents: {key: file:agents}\n"
         "spool: {directory: " +
         folder.path.string() + "}\n" + pieces.top + "nginx: {" + pieces.nginx +
         "}\n"
         "channels:\n"
         "  e9: {kind: e9, accountSid: file:id, authToken: file:id, appId: file:id, "
         "defaultTenant: demo" +
         pieces.e9 +
         "}\n"
         "  hw: {kind: hw, baseUrl: \"https://gateway:8043/a\", defaultTenant: demo" +
         pieces.hw +
         "}\n"
         "tenants:\n"
         "  demo:\n"
         "    channels: [e9, hw]\n" +
         pieces.tenant;
}

Config good(const Pieces& pieces) {
  const Folder folder;
  auto config = read_config(folder.write("cc.yaml", yaml(folder, pieces)));
  if (!config) BOOST_FAIL(config.error().message);
  return *std::move(config);
}

/// The complaint, which must name its place and no secret.
std::string bad(const Pieces& pieces) {
  const Folder folder;
  const auto config = read_config(folder.write("cc.yaml", yaml(folder, pieces)));
  BOOST_REQUIRE_MESSAGE(!config, "taken:\n" << yaml(folder, pieces));
  const std::string message = config.error().message;
  BOOST_TEST(message.find("cc.yaml:") != std::string::npos, message);
  BOOST_TEST(message.find("s3cret") == std::string::npos, message);
  return message;
}

bool says(const std::string& message, const std::string& part) {
  if (message.find(part) != std::string::npos) return true;
  BOOST_TEST_MESSAGE(message);
  return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_health)

BOOST_AUTO_TEST_CASE(limits_have_defaults_and_bounds) {
  const auto plain = good({}).health;
  BOOST_TEST((plain.slow == 3s && plain.open == 15s && plain.open_most == 4min));
  BOOST_TEST((plain.overdue == 10s && plain.canary_every == 10s));
  Pieces all;
  all.top = "health: {slow: 500ms, open: 1s, openMost: 20s, overdue: 2s, canaryEvery: 1s}\n";
  const auto given = good(all).health;
  BOOST_TEST((given.slow == 500ms && given.open == 1s && given.open_most == 20s));
  BOOST_TEST((given.overdue == 2s && given.canary_every == 1s));
  Pieces raised;  // the default of the most must not contradict it
  raised.top = "health: {open: 30m}\n";
  BOOST_TEST((good(raised).health.open_most == 30min));

  for (const char* wrong : {"slow: 49ms", "slow: 31s", "open: 99ms", "open: 2h", "openMost: 2h",
                            "overdue: 11m", "overdue: 1ms", "canaryEvery: 500ms", "slow: 3"}) {
    Pieces pieces;
    pieces.top = "health: {" + std::string(wrong) + "}\n";
    const std::string key(wrong, std::string(wrong).find(':'));
    BOOST_TEST(says(bad(pieces), ": health." + key + ": "), wrong);
  }
  Pieces crossed;
  crossed.top = "health: {open: 20s, openMost: 10s}\n";
  BOOST_TEST(says(bad(crossed), "openMost must not be below open"));
  Pieces unknown;
  unknown.top = "health: {canaryEvry: 10s}\n";
  BOOST_TEST(says(bad(unknown), "canaryEvery"));
}

BOOST_AUTO_TEST_CASE(canaries_have_a_secret_url) {
  Pieces one;
  one.nginx = "canaries: [{channel: e9, url: file:url}]";
  const Config config = good(one);
  BOOST_REQUIRE_EQUAL(config.canaries.size(), 1U);
  BOOST_TEST(config.canaries[0].channel == "e9");
  BOOST_TEST(config.canaries[0].url == "http://127.0.0.1:8082/callback/e9/s3cret-token");
  BOOST_TEST(config.canaries[0].location == "http://127.0.0.1:8082/callback/e9/");

  const auto with = [](const std::string& canaries) {
    Pieces pieces;
    pieces.nginx = "canaries: " + canaries;
    return bad(pieces);
  };
  const std::string first = "{channel: e9, url: file:url}";
  BOOST_TEST(says(with("[{channel: e9}]"), "canaries[0]"));
  BOOST_TEST(says(with("[{channel: e9, url: \"http://h/callback/e9/s3cret\"}]"),
                  "a secret is never written here: use file:/path or env:NAME"));
  BOOST_TEST(says(with("[{channel: e9, url: file:spoilt}]"), "must hold http://host"));
  BOOST_TEST(says(with("[{channel: e9, url: file:none}]"), "can't read"));
  BOOST_TEST(says(with("[{url: file:url}]"), "channel"));
  BOOST_TEST(says(with("[{channel: e8, url: file:url}]"), "did you mean \"e9\"?"));
  BOOST_TEST(says(with("[{channel: hw, url: file:url}]"), "is polled"));
  BOOST_TEST(says(with("[" + first + ", " + first + "]"), "already; remove one"));
  BOOST_TEST(says(with("[{channel: e9, url: file:url, caFile: /none}]"), "can't read /none"));
  BOOST_TEST(says(with("[{channel: e9, url: file:url, token: x}]"), "token"));
}

BOOST_AUTO_TEST_CASE(urls_without_a_last_segment_are_refused) {
  for (const char* url :
       {"http://host", "http://host/", "http://host/callback/", "http:///x/y", "ftp://host/a/b",
        "http://host/a/b?c", "http://user@host/a/b", "http://host/a b", "https://"}) {
    ::setenv("CC_TEST_CANARY", url, 1);  // NOLINT(concurrency-mt-unsafe)
    Pieces pieces;
    pieces.nginx = "canaries: [{channel: e9, url: env:CC_TEST_CANARY}]";
    BOOST_TEST(says(bad(pieces), "must hold http://host"), url);
  }
  for (const char* url : {"http://host/token", "https://host:8443/a/b/c"}) {
    ::setenv("CC_TEST_CANARY", url, 1);  // NOLINT(concurrency-mt-unsafe)
    Pieces pieces;
    pieces.nginx = "canaries: [{channel: e9, url: env:CC_TEST_CANARY}]";
    BOOST_TEST(good(pieces).canaries.size() == 1U);
  }
}

BOOST_AUTO_TEST_CASE(a_channel_says_what_it_can_do) {
  Config config = good({});
  const Capabilities& e9 = config.channels.at("e9").can;
  BOOST_TEST((e9.hide_customer && e9.hide_agent && e9.record && e9.max_duration));
  const Capabilities& hw = config.channels.at("hw").can;
  BOOST_TEST((hw.hide_customer && hw.hide_agent && hw.record && !hw.max_duration));

  Pieces less;
  less.e9 = ", capabilities: {hideCustomer: false, record: false}";
  less.hw = ", capabilities: {hideAgent: false, maxDuration: false}";
  config = good(less);
  const Capabilities& e9_less = config.channels.at("e9").can;
  BOOST_TEST((!e9_less.hide_customer && e9_less.hide_agent && !e9_less.record));
  BOOST_TEST(e9_less.max_duration);
  BOOST_TEST(!config.channels.at("hw").can.hide_agent);

  Pieces wrong;
  wrong.hw = ", capabilities: {maxDuration: true}";
  BOOST_TEST(says(bad(wrong), "channels.hw.capabilities.maxDuration: a channel of kind hw can't"));
  Pieces unknown;
  unknown.e9 = ", capabilities: {hidesCustomer: true}";
  BOOST_TEST(says(bad(unknown), "hideCustomer"));
  Pieces other;
  other.e9 = ", capabilities: {record: perhaps}";
  BOOST_TEST(says(bad(other), "channels.e9.capabilities.record: "));
}

BOOST_AUTO_TEST_CASE(a_tenant_and_its_businesses_say_which_numbers_are_shown) {
  BOOST_TEST((good({}).tenants.at("demo").display == Display{}));
  Pieces both;
  both.tenant =
      "    display: {toAgent: main}\n"
      "    businesses:\n"
      "      delivery: {toCustomer: main}\n"
      "      外卖: {toAgent: customer}\n";
  const Tenant tenant = good(both).tenants.at("demo");
  BOOST_TEST((tenant.display.hide_customer && !tenant.display.hide_agent));
  const Display& delivery = tenant.businesses.at("delivery");  // the absent half is the tenant's
  BOOST_TEST((delivery.hide_customer && delivery.hide_agent));
  const Display& food = tenant.businesses.at("外卖");
  BOOST_TEST((!food.hide_customer && !food.hide_agent));

  const auto with = [](const std::string& lines) {
    Pieces pieces;
    pieces.tenant = lines;
    return bad(pieces);
  };
  BOOST_TEST(says(with("    display: {toAgent: agent}\n"), "must be one of customer, main"));
  BOOST_TEST(says(with("    display: {toCustomer: customer}\n"), "must be one of agent, main"));
  BOOST_TEST(says(with("    display: {toagent: main}\n"), "toAgent"));
  BOOST_TEST(says(with("    businesses: {" + std::string(33, 'x') + ": {toAgent: main}}\n"),
                  "must be 1 to 32 characters"));
  BOOST_TEST(says(with("    businesses: {delivery: {to: main}}\n"), "businesses.delivery"));
}

BOOST_AUTO_TEST_SUITE_END()
