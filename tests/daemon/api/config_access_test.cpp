// What cc.yaml says of who may ask, from where, how much and for how long.
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "config.hpp"
#include "config_tenants.hpp"

using namespace cc;
namespace fs = std::filesystem;

namespace {

/// A configuration with these lines under http:, retention:, tenants.demo: and its key.
struct Written {
  std::string http, retention, tenant, key;
};

Result<Config> read(const Written& lines) {
  const fs::path path = fs::temp_directory_path() / ("cc-access-" + std::to_string(::getpid()));
  std::ofstream(path) << "postgres: {conninfo: dbname=cc}\n"
                         "redis: {address: \"127.0.0.1:6379\"}\n"
                         "http:\n"
                      << lines.http << "retention:\n"
                      << lines.retention << "tenants:\n  demo:\n"
                      << lines.tenant
                      << "    keys:\n      - id: one\n        sha256: " << std::string(64, 'a')
                      << "\n        scopes: [read]\n"
                      << lines.key;
  auto config = read_config(path.string());
  fs::remove(path);
  return config;
}

Config good(const Written& lines) {
  auto config = read(lines);
  if (!config) BOOST_FAIL(config.error().message);
  return *std::move(config);
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_left_out_limits_nothing) {
  const Config config = good({});
  const Tenant& demo = config.tenants.at("demo");
  BOOST_TEST((demo.limits == CallLimits{}));
  BOOST_TEST(!demo.recording_days.has_value());
  BOOST_TEST(!demo.disabled);
  BOOST_TEST(!demo.from_command);
  BOOST_TEST(demo.keys.at(0).addresses.empty());
  BOOST_TEST(demo.keys.at(0).secrets.at(0).expires_ms == 0);
  BOOST_TEST(config.http.trusted_proxies.empty());
  BOOST_TEST(config.retention.audit == 730);
}

BOOST_AUTO_TEST_CASE(limits_networks_and_expiry_are_read) {
  const Config config = good(
      {"  trustedProxies: [127.0.0.1, \"::1\", 10.0.0.0/8]\n", "  audit: 90\n",
       "    limits: {callsPerSecond: 20, burst: 40, concurrentCalls: 100}\n    disabled: true\n"
       "    recordingDays: 180\n",
       "        expires: 2027-01-31T12:00:00+08:00\n"
       "        addresses: [203.0.113.0/24, \"2001:db8::/32\"]\n"});
  const Tenant& demo = config.tenants.at("demo");
  BOOST_TEST((demo.limits == CallLimits{20, 40, 100}));
  BOOST_TEST(demo.disabled);
  BOOST_TEST(demo.recording_days.value() == 180);
  BOOST_TEST(demo.keys.at(0).secrets.at(0).expires_ms == 1'801'368'000'000);
  BOOST_TEST(
      (demo.keys.at(0).addresses == std::vector<std::string>{"203.0.113.0/24", "2001:db8::/32"}));
  BOOST_TEST(
      (config.http.trusted_proxies == std::vector<std::string>{"127.0.0.1", "::1", "10.0.0.0/8"}));
  BOOST_TEST(config.retention.audit == 90);
  BOOST_TEST(good({"", "  audit: 0\n", "", ""}).retention.audit == 0);
}

BOOST_AUTO_TEST_CASE(a_date_is_the_last_day) {
  const Config config = good({"", "", "", "        expires: 2027-01-31\n"});
  BOOST_TEST(config.tenants.at("demo").keys.at(0).secrets.at(0).expires_ms ==
             parse_expiry("2027-02-01T00:00:00Z").value());
}

BOOST_AUTO_TEST_CASE(mistakes_are_told_with_their_place) {
  struct Case {
    Written lines;
    std::string says;
  };
  const std::vector<Case> cases{
      {{"  trustedProxies: [nginx]\n", "", "", ""},
       ":4:20: http.trustedProxies[0]: 'nginx' is no numeric address"},
      {{"  trustedProxies: 10.0.0.1\n", "", "", ""}, "http.trustedProxies: must be a list"},
      {{"", "  audit: -1\n", "", ""}, "retention.audit: must be a whole number"},
      {{"", "", "    limits: {callsPerSecond: 0}\n", ""},
       "tenants.demo.limits.callsPerSecond: must be a whole number from 1 to 100000"},
      {{"", "", "    limits: {burst: 5}\n", ""}, "tenants.demo.limits: burst needs callsPerSecond"},
      {{"", "", "    limits: {concurrentCall: 5}\n", ""}, "did you mean \"concurrentCalls\"?"},
      {{"", "", "    recordingDays: half a year\n", ""},
       "tenants.demo.recordingDays: must be a whole number from 0 to 36500"},
      {{"", "", "    disabled: maybe\n", ""}, "tenants.demo.disabled: "},
      {{"", "", "", "        expires: tomorrow\n"},
       ":11:18: tenants.demo.keys[0].expires: must be a date (its last day, UTC)"},
      {{"", "", "", "        expires: 2027-02-29\n"}, "got \"2027-02-29\""},
      {{"", "", "", "        expires: 2027-01-31T12:00:00\n"}, "or a time with its zone"},
      {{"", "", "", "        addresses: [203.0.113.1/24]\n"},
       "tenants.demo.keys[0].addresses[0]: '203.0.113.1/24' has bits set behind its prefix"},
      {{"", "", "", "        addresses: []\n"},
       "tenants.demo.keys[0].addresses: names no network; leave it out"},
  };
  for (const Case& one : cases) {
    const auto config = read(one.lines);
    BOOST_REQUIRE_MESSAGE(!config, "taken, and should be told: " << one.says);
    const std::string& message = config.error().message;
    BOOST_TEST(message.find(one.says) != std::string::npos,
               "expected: " << one.says << "\ngot: " << message);
  }
  std::string many = "        addresses: [10.0.0.0";
  for (int i = 1; i < 65; ++i) many += ", 10.0.0." + std::to_string(i);
  const auto config = read({"", "", "", many + "]\n"});
  BOOST_REQUIRE(!config);
  BOOST_TEST(config.error().message.find("names 65 networks, at most 64") != std::string::npos);
}
