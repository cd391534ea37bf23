// `ccd tenant` and `ccd key`: their words, what they print and their exit codes.
#include <boost/json.hpp>

#include "access_fixture.hpp"
#include "agent_command.hpp"
#include "binding_command.hpp"
#include "key_command.hpp"
#include "tenant_command.hpp"

using namespace cc;
using namespace cc::test;

namespace json = boost::json;

namespace {

struct Fixture : AccessFixture {
  Config own() {
    Config copy = config;
    copy.channels.erase("hw");  // nothing is sent: what can send is not of interest
    copy.postgres.conninfo = server.conninfo(database);
    return copy;
  }
  Told tenant(std::vector<std::string> words) {
    return run_told(tenant_command, std::move(words), own());
  }
  Told key(std::vector<std::string> words) {
    return run_told(key_command, std::move(words), own());
  }

  static void wrong(const Told& told, const std::string& says) {
    BOOST_TEST(told.code == exit_usage, told.err);
    BOOST_TEST(holds(told.err, says), "expected: " << says << "\ngot: " << told.err);
    BOOST_TEST(told.out == "");
  }
  static void failed(const Told& told, const std::string& says) {
    BOOST_TEST(told.code == exit_wrong, told.err);
    BOOST_TEST(holds(told.err, says), "expected: " << says << "\ngot: " << told.err);
    BOOST_TEST(told.out == "");
  }
  static void right(const Told& told, const std::string& says) {
    BOOST_TEST(told.code == exit_right, told.err);
    BOOST_TEST(holds(told.out, says), "expected: " << says << "\ngot: " << told.out);
  }
  /// Each line as JSON.
  static std::vector<json::object> lines(const Told& told) {
    std::vector<json::object> list;
    std::istringstream text(told.out);
    for (std::string line; std::getline(text, line);) {
      list.push_back(json::parse(line).as_object());
    }
    return list;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands, Fixture)

BOOST_AUTO_TEST_CASE(words_of_tenant) {
  right(tenant({"--help"}), "usage: ccd [--config FILE] tenant create NAME");
  wrong(tenant({}),
        "say what to do: create, set, list, show, disable or enable; see ccd tenant --help");
  wrong(tenant({"destroy", "x"}), "unknown action \"destroy\"");
  wrong(tenant({"create"}), "create needs the tenant's NAME");
  wrong(tenant({"list", "x"}), "list takes options only");
  wrong(tenant({"set", "x"}), "set needs something to change");
  wrong(tenant({"show", "x", "--burst", "5"}), "settings are of create and set");
  wrong(tenant({"create", "x", "--json"}), "--json is of list and show");
  wrong(tenant({"create", "x", "--colour", "red"}), "unknown option \"--colour\"");
}

BOOST_AUTO_TEST_CASE(a_tenant_s_life) {
  right(tenant({"create", "new", "--channels", "e9", "--main-number", "4001234567", "--display",
                "toAgent=main", "--calls-per-second", "20", "--concurrent-calls", "100"}),
        "tenant new is made; now make its keys: ccd key create new");
  failed(tenant({"create", "new"}), "ccd tenant: there is a tenant \"new\" already");
  failed(tenant({"set", "new", "--channels", "e8"}), "there is no channel \"e8\" in cc.yaml");
  failed(tenant({"set", "acme", "--main-number", "1"}), "stands in cc.yaml: change it there");
  right(tenant({"set", "new", "--burst", "30"}), "tenant new is changed");
  right(tenant({"disable", "new"}), "tenant new is disabled");
  right(tenant({"disable", "new"}), "tenant new was already disabled");
  right(tenant({"show", "new"}), "state     disabled");
  right(tenant({"show", "new"}), "limits.burst=30");
  right(tenant({"enable", "new"}), "tenant new is enabled");
  failed(tenant({"show", "none"}), "there is no tenant \"none\"");
  const Told list = tenant({"list"});
  right(list, "4 tenants");
  for (const char* setting : {"channels=e9", "mainNum=4001234567", "display.toAgent=main",
                              "limits.callsPerSecond=20", "limits.concurrentCalls=100"}) {
    right(list, setting);
  }
  const auto all = lines(tenant({"list", "--json"}));
  BOOST_REQUIRE(all.size() == 4U);
  BOOST_TEST(all[0].at("tenant").as_string() == "acme");
  BOOST_TEST(all[0].at("from").as_string() == "cc.yaml");
  BOOST_TEST(all[0].at("created").is_null());
  BOOST_TEST(all[2].at("tenant").as_string() == "new");
  BOOST_TEST(all[2].at("from").as_string() == "command");
  BOOST_TEST(all[2].at("settings").at("limits").at("burst").as_int64() == 30);
  BOOST_TEST(!all[2].at("disabled").as_bool());
  BOOST_TEST(told() == "tenant.created tenant.changed tenant.disabled tenant.enabled");
  BOOST_TEST(sql("SELECT DISTINCT key LIKE 'command:_%' FROM audit") == "t");
}

BOOST_AUTO_TEST_CASE(words_of_key) {
  right(key({"-h"}), "usage: ccd [--config FILE] key create TENANT ID");
  wrong(key({}), "say what to do: create, rotate, revoke or list; see ccd key --help");
  wrong(key({"create", "acme", "k"}), "create needs --scopes");
  wrong(key({"create", "acme", "--scopes", "read"}), "create needs TENANT and the key's ID");
  wrong(key({"create", "acme", "k", "--scopes", "read,all"}), "numbers and admin, got \"all\"");
  wrong(key({"create", "acme", "k", "--scopes", "read,read"}), "names read twice");
  wrong(key({"create", "acme", "k", "--scopes", "read", "--addresses", "10.0.0.1/8"}),
        "--addresses: '10.0.0.1/8' has bits set behind its prefix");
  wrong(key({"create", "acme", "k", "--scopes", "read", "--expires", "soon"}),
        "--expires must be like 90d");
  wrong(key({"create", "acme", "k", "--scopes", "read", "--note", std::string(257, 'x')}),
        "--note is longer than 256 characters");
  wrong(key({"create", "acme", "k", "--scopes", "read", "--note", "a\x1b[2J"}),
        "--note must not have control characters");
  wrong(key({"create", "acme", "k", "--scopes", "read", "--grace", "1h"}), "--grace is of rotate");
  wrong(key({"rotate", "acme", "k", "--scopes", "read"}), "are of create");
  wrong(key({"rotate", "acme", "k", "--grace", "2y"}), "--grace must be like 30m");
  wrong(key({"rotate", "acme", "k", "--old"}), "--old is of revoke");
  wrong(key({"revoke", "acme", "k", "--expires", "9d"}), "--expires is of create and rotate");
  wrong(key({"list", "acme", "k"}), "list takes one TENANT at most");
  BOOST_TEST(sql("SELECT count(*) FROM api_key") == "0");
}

BOOST_AUTO_TEST_CASE(a_key_s_life) {
  const Told made = key({"create", "acme", "shop", "--scopes", "call,read", "--expires", "90d",
                         "--addresses", "10.0.0.0/8,2001:db8::1", "--note", "the shop's"});
  BOOST_TEST(made.code == exit_right, made.err);
  BOOST_TEST(made.out.size() == 48U);  // the key and a newline, so that it can be piped
  BOOST_TEST(holds(made.err, "the key of acme/shop is told this once"));
  BOOST_TEST(holds(made.err, "it expires at "));
  BOOST_TEST(!holds(made.err, made.out.substr(0, 47)));
  failed(key({"create", "acme", "shop", "--scopes", "read"}), "`ccd key rotate`");
  const Told second = key({"rotate", "acme", "shop", "--grace", "1h"});
  BOOST_TEST(second.out.size() == 48U);
  BOOST_TEST(holds(second.err, "the one before can be used until "));
  failed(key({"rotate", "acme", "shop"}), "`ccd key revoke acme shop --old` makes room");
  auto all = lines(key({"list", "acme", "--json"}));
  BOOST_REQUIRE(all.size() == 2U);
  BOOST_TEST(all[0].at("state").as_string() == "old");
  BOOST_TEST(all[1].at("state").as_string() == "live");
  BOOST_TEST(all[1].at("key").as_string() == "shop");
  BOOST_TEST(all[1].at("scopes").as_string() == "call,read");
  BOOST_TEST(all[1].at("addresses").as_string() == "10.0.0.0/8,2001:db8::1");
  BOOST_TEST(all[1].at("note").as_string() == "the shop's");
  BOOST_TEST(all[1].at("used").is_null());
  BOOST_TEST(all[1].at("expires").as_int64() - all[1].at("created").as_int64() ==
             90 * 24 * hour_ms);
  right(key({"revoke", "acme", "shop", "--old"}), "the older secret is revoked");
  right(key({"revoke", "acme", "shop"}), "the key is revoked: 401");
  right(key({"revoke", "acme", "shop"}), "it opened nothing any more");
  failed(key({"revoke", "acme", "none"}), "there is no key \"none\" of tenant \"acme\"");
  right(key({"list"}), "revoked");
  sql("UPDATE api_secret SET revoked = NULL, expires = 5");
  right(key({"list"}), "expired");
  right(key({"list", "other"}), "0 keys");
  BOOST_TEST(told() == "key.created key.rotated key.old_revoked key.revoked");
}

BOOST_AUTO_TEST_CASE(keys_of_cc_yaml_are_listed_too) {
  config.tenants["acme"].keys.push_back(
      {"in-file", {{std::string(64, 'a'), 1000}}, {"read"}, {"10.0.0.0/8"}});
  const Told list = key({"list"});
  right(list, "in cc.yaml");
  right(list, "expired");
  right(list, "1 keys");
  BOOST_TEST(!holds(list.out, "aaaa"));
}

BOOST_AUTO_TEST_CASE(other_commands_know_tenants_that_were_made) {
  right(tenant({"create", "new", "--channels", "e9"}), "is made");
  const Told list = run_told(binding_command, {"list", "--tenant", "new"}, own());
  right(list, "0 bindings");
  const Told none = run_told(binding_command, {"list", "--tenant", "none"}, own());
  BOOST_TEST(none.code == exit_usage);
  BOOST_TEST(holds(none.err, "`ccd tenant list`"), none.err);
}

BOOST_AUTO_TEST_SUITE_END()
