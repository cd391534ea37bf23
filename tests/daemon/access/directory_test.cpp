// What daemons learn of tenants and keys that commands have made, and when.
#include "access/directory.hpp"

#include "access/key_use.hpp"
#include "access_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

StoredTenant stored_tenant(const std::string& name, const std::string& settings = "{}") {
  StoredTenant tenant;
  tenant.name = name;
  tenant.settings = settings;
  return tenant;
}

StoredKey stored_key(const std::string& tenant, const std::string& id) {
  StoredKey key;
  key.tenant = tenant;
  key.id = id;
  key.scopes = {"read"};
  key.secrets.emplace_back().sha256 = std::string(32, id.front());
  return key;
}

std::vector<std::string> ids(const Tenant& tenant) {
  std::vector<std::string> list;
  for (const ApiKey& key : tenant.keys) list.push_back(key.id);
  return list;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(directory, AccessFixture)

BOOST_AUTO_TEST_CASE(both_kinds_together) {
  std::map<std::string, Tenant> file;
  file["acme"].name = "acme";
  file["acme"].main_num = "400";
  file["acme"].keys.push_back({"one", {{std::string(64, 'a')}}, {"read"}, {}});
  StoredAccess stored;
  stored.tenants = {stored_tenant("acme", R"({"mainNum": "500"})"),
                    stored_tenant("bad", R"({"mainNum": "x"})"),
                    stored_tenant("new", R"({"channels": ["e9"]})")};
  stored.tenants[2].disabled = true;
  stored.keys = {stored_key("acme", "one"), stored_key("acme", "two"), stored_key("gone", "x"),
                 stored_key("new", "three")};
  std::vector<std::string> complaints;
  const auto all = join_tenants(file, stored, complaints);
  BOOST_TEST(all.size() == 2U);
  BOOST_TEST(all.at("acme").main_num == "400");
  BOOST_TEST(!all.at("acme").from_command);
  BOOST_TEST((ids(all.at("acme")) == std::vector<std::string>{"one", "two"}));
  BOOST_TEST(all.at("acme").keys[0].secrets[0].sha256 == std::string(64, 'a'));
  BOOST_TEST(!all.at("acme").keys[0].secrets[0].stored);
  BOOST_TEST(all.at("acme").keys[1].secrets[0].stored);
  BOOST_TEST(all.at("new").from_command);
  BOOST_TEST(all.at("new").disabled);
  BOOST_TEST((all.at("new").channels == std::vector<std::string>{"e9"}));
  BOOST_TEST((ids(all.at("new")) == std::vector<std::string>{"three"}));
  BOOST_TEST(complaints.size() == 3U);
  BOOST_TEST(holds(complaints[0], "tenant \"acme\" was made by ccd tenant and stands in cc.yaml"));
  BOOST_TEST(holds(complaints[1], "\"bad\", made by ccd tenant, is left out: mainNum: must be"));
  BOOST_TEST(holds(complaints[2], "key \"one\" of tenant \"acme\""));
}

BOOST_AUTO_TEST_CASE(it_is_read_when_something_has_changed) {
  Directory directory(*pool);
  BOOST_TEST(wait_for(directory.look()));  // the first time
  BOOST_TEST(!wait_for(directory.look()));
  BOOST_TEST(directory.tenants(config.tenants).size() == config.tenants.size());
  SettingsWish settings;
  settings.calls_per_second = "3";
  make_tenant("new", settings);
  BOOST_TEST(wait_for(directory.look()));
  BOOST_TEST(!wait_for(directory.look()));
  BOOST_TEST(directory.tenants(config.tenants).at("new").limits.calls_per_second == 3);

  NewKey key = wish("new", "k");
  key.addresses = {"10.0.0.0/8", "2001:db8::1"};
  key.expires = moved.at_ms + hour_ms;
  const MadeKey made = make_key(key);
  BOOST_TEST(wait_for(directory.look()));
  const Tenant tenant = directory.tenants(config.tenants).at("new");
  BOOST_REQUIRE(tenant.keys.size() == 1U);
  BOOST_TEST(tenant.keys[0].id == "k");
  BOOST_TEST((tenant.keys[0].scopes == std::set<std::string>{"call", "read"}));
  BOOST_TEST((tenant.keys[0].addresses == key.addresses));
  BOOST_REQUIRE(tenant.keys[0].secrets.size() == 1U);
  BOOST_TEST(tenant.keys[0].secrets[0].expires_ms == moved.at_ms + hour_ms);
  BOOST_TEST(tenant.keys[0].secrets[0].sha256 ==
             sql("SELECT encode(sha256('" + made.text + "'), 'hex')"));

  // PostgreSQL was set back.
  sql("DELETE FROM tenant; UPDATE access_revision SET revision = 1");
  BOOST_TEST(wait_for(directory.look()));
  BOOST_TEST(!directory.tenants(config.tenants).contains("new"));
}

BOOST_AUTO_TEST_CASE(while_postgresql_is_away_the_last_known_stays) {
  make_tenant("new");
  Directory directory(*pool);
  wait_for(directory.look());
  server.stop();
  BOOST_CHECK_THROW(wait_for(directory.look()), pg::Failure);
  BOOST_TEST(directory.tenants(config.tenants).contains("new"));
  server.start();
  sql("UPDATE access_revision SET revision = revision + 1");
  bool again = false;
  for (int i = 0; i < 100 && !again; ++i) {
    try {
      again = wait_for(directory.look());
    } catch (const pg::Failure&) {  // a connection of before
    }
  }
  BOOST_TEST(again);
}

BOOST_AUTO_TEST_CASE(use_is_written_at_once_and_then_once_a_minute) {
  const MadeKey made = make_key("acme", "k");
  const std::string digest = from_hex(known().at("acme").keys.at(0).secrets.at(0).sha256).value();
  const auto used = [&] { return sql("SELECT used FROM api_secret"); };
  const std::int64_t begin = moved.at_ms;
  KeyUse use(*pool);
  wait_for(use.write(begin));
  BOOST_TEST(used() == "");
  use.note(digest, begin);
  use.note(std::string(32, 'x'), begin);  // of a key that is gone
  BOOST_TEST(used() == "");
  wait_for(use.write(begin));
  BOOST_TEST(used() == std::to_string(begin));
  use.note(digest, begin + 1'000);
  use.note(digest, begin + 2'000);
  wait_for(use.write(begin + 2'000));
  BOOST_TEST(used() == std::to_string(begin));
  wait_for(use.write(begin + 60'000));
  BOOST_TEST(used() == std::to_string(begin + 2'000));
  // Another daemon has seen it later.
  sql("UPDATE api_secret SET used = " + std::to_string(begin + 500'000));
  use.note(digest, begin + 130'000);
  wait_for(use.write(begin + 130'000));
  BOOST_TEST(used() == std::to_string(begin + 500'000));
}

BOOST_AUTO_TEST_SUITE_END()
