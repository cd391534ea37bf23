// Keys and tenants as commands make, change and revoke them, and what PostgreSQL then holds.
#include "access/key_desk.hpp"

#include <algorithm>

#include "access_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

struct Fixture : AccessFixture {
  Result<MadeKey> rotate(Millis grace = Millis{24 * hour_ms}, OptMs expires = {}) {
    return wait_for(keys().rotate("acme", "k", grace, expires));
  }
  Result<std::size_t> revoke(bool old = false) { return wait_for(keys().revoke("acme", "k", old)); }
  /// Of the secrets of acme/k, oldest first: "live", "dead".
  std::string secrets() {
    std::string text;
    for (const StoredKey& key : wait_for(read_access(*pool)).keys) {
      for (const StoredSecret& secret : key.secrets) {
        text += (text.empty() ? "" : " ") + std::string(secret.live(moved.at_ms) ? "live" : "dead");
      }
    }
    return text;
  }
};

template <class T>
std::string refused(const Result<T>& result) {
  return result ? "done" : result.error().message;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(key_desk, Fixture)

BOOST_AUTO_TEST_CASE(a_key_is_told_once_and_kept_as_a_digest) {
  const std::string before = revision();
  NewKey wished = wish("acme", "k");
  wished.addresses = {"10.0.0.0/8"};
  wished.note = "for the shop, O'Neil";
  const MadeKey made = make_key(wished);
  BOOST_TEST(made.text.size() == 47U);
  BOOST_TEST(made.text.starts_with("cck_"));
  BOOST_TEST(std::all_of(made.text.begin(), made.text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_';
  }));
  BOOST_TEST(sql("SELECT count(*) FROM api_secret WHERE sha256 = sha256('" + made.text + "')") ==
             "1");
  BOOST_TEST(sql("SELECT tenant, id, scopes, addresses, note, created FROM api_key") ==
             "acme|k|{call,read}|{10.0.0.0/8}|for the shop, O'Neil|" + std::to_string(now_ms));
  BOOST_TEST(sql("SELECT coalesce(expires, revoked, used) IS NULL FROM api_secret") == "t");
  BOOST_TEST(revision() == std::to_string(std::stoi(before) + 1));
  // By PostgreSQL's clock, whatever this machine's says.
  BOOST_TEST(
      sql("SELECT at <= extract(epoch FROM clock_timestamp()) * 1000 AND at > extract(epoch FROM "
          "clock_timestamp()) * 1000 - 60000, tenant, key, action, detail->>'key' FROM audit") ==
      "t|acme|command:li|key.created|k");
  // The text is nowhere, not even a part of it.
  const std::string dump =
      sql("SELECT (SELECT json_agg(a) FROM audit a)::text || (SELECT "
          "json_agg(k) FROM api_key k)::text || (SELECT json_agg(s) FROM "
          "api_secret s)::text");
  BOOST_TEST(!holds(dump, made.text.substr(4, 12)));
  BOOST_TEST(make_key("acme", "k2").text != made.text);
}

BOOST_AUTO_TEST_CASE(what_can_not_be_made_is_refused_with_the_remedy) {
  make_key("acme", "k");
  config.tenants["acme"].keys.push_back({"in-file", {{std::string(64, 'a')}}, {"read"}, {}});
  const std::string before = revision(), told_before = told();
  const auto says = [&](const NewKey& key, const std::string& part) {
    const std::string message = refused(wait_for(keys().create(key)));
    BOOST_TEST(holds(message, part), message);
  };
  says(wish("acme", "k"), "take another id, or, unless it is revoked, let `ccd key rotate`");
  says(wish("acme", "in-file"), "stands in cc.yaml; take another id");
  says(wish("nobody", "k"), "there is no tenant \"nobody\"; `ccd tenant list`");
  says(wish("acme", "a b"), "1 to 64 letters, digits and ._-");
  NewKey late = wish("acme", "late");
  late.expires = moved.at_ms;
  says(late, "would have expired at 2026-06-15T12:00:00.000Z already");
  BOOST_TEST(revision() == before);
  BOOST_TEST(told() == told_before);
  // Of a tenant that a command made, and of one in cc.yaml.
  make_tenant("new");
  make_key("new", "k");
  BOOST_TEST(sql("SELECT count(*) FROM api_key") == "2");
}

BOOST_AUTO_TEST_CASE(two_secrets_live_while_one_takes_the_others_place) {
  const MadeKey first = make_key("acme", "k");
  moved.at_ms += 1000;
  const Result<MadeKey> second = rotate();
  BOOST_REQUIRE(second);
  BOOST_TEST(second->text != first.text);
  BOOST_TEST(second->old_expires.value() == moved.at_ms + 24 * hour_ms);
  BOOST_TEST(!second->expires);
  BOOST_TEST(secrets() == "live live");
  BOOST_TEST(holds(refused(rotate()),
                   "has two secrets already, the older one until "
                   "2026-06-16T12:00:01.000Z; `ccd key revoke acme k --old`"));
  moved.at_ms += 24 * hour_ms;
  BOOST_TEST(secrets() == "dead live");
  BOOST_TEST(sql("SELECT sha256 = sha256('" + second->text +
                 "') FROM api_secret WHERE expires IS NULL") == "t");
  BOOST_REQUIRE(rotate(Millis{0}));
  BOOST_TEST(secrets() == "dead dead live");
  BOOST_TEST(told() == "key.created key.rotated key.rotated");
}

BOOST_AUTO_TEST_CASE(the_older_one_can_go_before_its_time) {
  make_key("acme", "k");
  BOOST_TEST(holds(refused(revoke(true)), "has one secret only; without --old it is revoked"));
  BOOST_REQUIRE(rotate());
  BOOST_TEST(*revoke(true) == 1U);
  BOOST_TEST(secrets() == "dead live");
  BOOST_REQUIRE(rotate());
  BOOST_TEST(secrets() == "dead live live");
  BOOST_TEST(*revoke() == 2U);
  BOOST_TEST(secrets() == "dead dead dead");
  BOOST_TEST(*revoke() == 0U);
  BOOST_TEST(holds(refused(rotate()), "is revoked; `ccd key create` makes another one"));
  BOOST_TEST(holds(refused(wait_for(keys().revoke("acme", "none", false))), "`ccd key list`"));
  config.tenants["acme"].keys.push_back({"k", {{std::string(64, 'a')}}, {"read"}, {}});
  BOOST_TEST(holds(refused(revoke()), "stands in cc.yaml: change it there"));
  BOOST_TEST(holds(refused(rotate()), "stands in cc.yaml: change it there"));
}

BOOST_AUTO_TEST_CASE(a_new_secret_lives_as_long_as_the_one_before_was_given) {
  NewKey wished = wish("acme", "k");
  wished.expires = moved.at_ms + 100 * hour_ms;
  make_key(wished);
  moved.at_ms += 90 * hour_ms;
  Result<MadeKey> next = rotate();
  BOOST_REQUIRE(next);
  // The grace does not give the old one more time than it had.
  BOOST_TEST(next->old_expires.value() == now_ms + 100 * hour_ms);
  BOOST_TEST(next->expires.value() == moved.at_ms + 100 * hour_ms);
  moved.at_ms += 200 * hour_ms;
  BOOST_TEST(secrets() == "dead dead");
  next = rotate(Millis{0}, moved.at_ms + hour_ms);  // who let it expire can still change it
  BOOST_REQUIRE(next);
  BOOST_TEST(next->expires.value() == moved.at_ms + hour_ms);
  BOOST_TEST(secrets() == "dead dead live");
  moved.at_ms += 2 * hour_ms;
  BOOST_TEST(*revoke() == 0U);
  BOOST_TEST(holds(refused(rotate()), "is revoked"));
}

BOOST_AUTO_TEST_CASE(what_has_long_been_dead_is_forgotten) {
  make_key("acme", "k");
  BOOST_REQUIRE(rotate(Millis{0}));
  moved.at_ms += 91 * 24 * hour_ms;
  BOOST_REQUIRE(rotate(Millis{0}));
  BOOST_TEST(secrets() == "dead live");
}

BOOST_AUTO_TEST_CASE(tenants_are_made_changed_and_disabled) {
  SettingsWish settings;
  settings.main_num = "400";
  make_tenant("new", settings);
  BOOST_TEST(holds(refused(wait_for(tenants().create("new", settings))), "`ccd tenant set`"));
  settings.main_num = "500";
  moved.at_ms += 1000;
  BOOST_REQUIRE(wait_for(tenants().change("new", settings)));
  BOOST_TEST(sql("SELECT settings->>'mainNum', updated - created FROM tenant") == "500|1000");
  settings.main_num = "x";
  BOOST_TEST(holds(refused(wait_for(tenants().change("new", settings))), "mainNum: must be"));
  BOOST_TEST(*wait_for(tenants().disable("new", true)));
  BOOST_TEST(!*wait_for(tenants().disable("new", true)));
  BOOST_TEST(known().at("new").disabled);
  BOOST_TEST(*wait_for(tenants().disable("new", false)));
  BOOST_TEST(!known().at("new").disabled);
  for (const std::string& message : {refused(wait_for(tenants().create("acme", {}))),
                                     refused(wait_for(tenants().change("acme", settings))),
                                     refused(wait_for(tenants().disable("acme", true)))}) {
    BOOST_TEST(holds(message, "tenant \"acme\" stands in cc.yaml: change it there"), message);
  }
  BOOST_TEST(holds(refused(wait_for(tenants().disable("none", true))), "`ccd tenant list`"));
  BOOST_TEST(holds(refused(wait_for(tenants().create("a b", {}))), "1 to 32 letters"));
  BOOST_TEST(told() == "tenant.created tenant.changed tenant.disabled tenant.enabled");
}

BOOST_AUTO_TEST_SUITE_END()
