// What a key opens: who may use it, until when, from where.
#include "api/authenticate.hpp"

#include <boost/test/unit_test.hpp>

#include "text.hpp"

using namespace cc;
using namespace cc::api;

namespace {

constexpr std::int64_t now_ms = 1'781'524'800'000;  // 2026-06-15T12:00:00Z

std::map<std::string, Tenant> make_tenants() {
  std::map<std::string, Tenant> tenants;
  Tenant& acme = tenants["acme"];
  acme.name = "acme";
  const auto add = [](Tenant& tenant, const std::string& id) -> ApiKey& {
    ApiKey& key = tenant.keys.emplace_back();
    key.id = id;
    key.scopes = {"call", "read"};
    ApiKey::Secret& secret = key.secrets.emplace_back();
    secret.sha256 = to_hex(sha256(id + "-key"));
    secret.stored = id != "in-file";
    return key;
  };
  add(acme, "plain");
  add(acme, "in-file").secrets.front().expires_ms = now_ms;
  add(acme, "expires").secrets.front().expires_ms = now_ms;
  add(acme, "revoked").secrets.front().revoked = true;
  add(acme, "placed").addresses = {"10.0.0.0/8", "2001:db8::/32"};
  ApiKey& two = add(acme, "two");
  two.secrets.push_back({to_hex(sha256("second-key")), 0, false, true});
  two.secrets.front().expires_ms = now_ms + 1;
  add(acme, "broken").addresses = {"anywhere"};
  tenants["off"].name = "off";
  tenants["off"].disabled = true;
  add(tenants["off"], "off");
  return tenants;
}

struct Fixture {
  std::variant<Principal, Problem> ask(const std::string& key, const std::string& peer = "",
                                       Scope scope = Scope::read, std::int64_t at_ms = now_ms) {
    Request request;
    request.headers.emplace_back("authorization", "Bearer " + key + "-key");
    request.peer = peer;
    return authenticate(ring, request, scope, at_ms, found);
  }
  void opens(const std::variant<Principal, Problem>& answer, const std::string& key) {
    BOOST_REQUIRE(std::holds_alternative<Principal>(answer));
    BOOST_TEST(std::get<Principal>(answer).key == key);
    BOOST_TEST(std::get<Principal>(answer).tenant->name == "acme");
    BOOST_REQUIRE(found != nullptr);
    BOOST_TEST(found->principal.key == key);
  }
  void refused(const std::variant<Principal, Problem>& answer, ProblemType type,
               const std::string& says) {
    BOOST_REQUIRE(std::holds_alternative<Problem>(answer));
    const Problem& problem = std::get<Problem>(answer);
    BOOST_TEST((problem.type == type), problem.detail);
    BOOST_TEST(problem.detail.find(says) != std::string::npos, problem.detail);
  }

  KeyRing ring{make_tenants()};
  const KeyRing::Known* found = nullptr;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(authenticate_test, Fixture)

BOOST_AUTO_TEST_CASE(a_key_that_is_known_opens) {
  opens(ask("plain"), "plain");
  BOOST_TEST(found->stored);
  opens(ask("plain", "192.0.2.1"), "plain");
  refused(ask("nobody's"), ProblemType::unauthorized, "The key is not known");
  BOOST_TEST((found == nullptr));
  refused(ask("plain", "", Scope::admin), ProblemType::missing_scope, "lacks the scope \"admin\"");
  BOOST_TEST(found->principal.tenant->name == "acme");  // recognised all the same: for logs
}

BOOST_AUTO_TEST_CASE(it_expires_at_the_moment_of_a_request) {
  opens(ask("expires", "", Scope::read, now_ms - 1), "expires");
  refused(ask("expires"), ProblemType::unauthorized,
          "The key \"expires\" expired at 2026-06-15T12:00:00.000Z. Whoever runs CC makes another "
          "one: ccd key --help.");
  refused(ask("in-file"), ProblemType::unauthorized, "Whoever runs CC changes it in cc.yaml.");
  BOOST_TEST(!found->stored);
}

BOOST_AUTO_TEST_CASE(a_revoked_key_is_told_so) {
  refused(ask("revoked"), ProblemType::unauthorized, "The key \"revoked\" has been revoked.");
  BOOST_TEST(found->principal.key == "revoked");
}

BOOST_AUTO_TEST_CASE(two_secrets_of_one_key_open_the_same) {
  opens(ask("two"), "two");
  opens(ask("second"), "two");
  refused(ask("two", "", Scope::read, now_ms + 1), ProblemType::unauthorized, "expired at");
  opens(ask("second", "", Scope::read, now_ms + 1), "two");
}

BOOST_AUTO_TEST_CASE(a_disabled_tenant_s_key_opens_nothing) {
  refused(ask("off"), ProblemType::tenant_disabled, "The tenant \"off\" is disabled");
}

BOOST_AUTO_TEST_CASE(it_opens_from_its_networks_only) {
  opens(ask("placed", "10.1.2.3"), "placed");
  opens(ask("placed", "::ffff:10.1.2.3"), "placed");
  opens(ask("placed", "2001:db8:1::1"), "placed");
  refused(ask("placed", "11.1.2.3"), ProblemType::address_not_allowed,
          "The key \"placed\" may not be used from the address 11.1.2.3.");
  refused(ask("placed", "2001:db9::1"), ProblemType::address_not_allowed, "2001:db9::1");
  for (const char* peer : {"", "10.1.2.3, 10.1.2.4", "unix:"}) {
    refused(ask("placed", peer), ProblemType::address_not_allowed, "an address that is not known");
  }
  // What no one understands must not open to everyone.
  refused(ask("broken", "192.0.2.1"), ProblemType::address_not_allowed, "192.0.2.1");
  // Whoever may not come in is not told what the key could do.
  refused(ask("placed", "11.1.2.3", Scope::admin), ProblemType::address_not_allowed, "11.1.2.3");
}

BOOST_AUTO_TEST_SUITE_END()
