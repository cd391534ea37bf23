// What becomes of a binding in PostgreSQL as it is made, changed, found and removed.
#include "binding/binding_service.hpp"

#include "agent_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

using Code = BindingRefusal::Code;

struct Fixture : AgentFixture {
  Fixture() {
    sql("INSERT INTO agent (channel, agent, tenant, handset, desired, updated) VALUES "
        "('hw', '291', 'acme', '40038', 'online', 1), ('hw', '292', 'acme', '40039', 'offline', 1),"
        "('hw', '293', 'acme', '40040', 'deleted', 1), ('hw', '400', 'other', '40041', 'online', "
        "1)");
  }

  Binding wish(const std::string& user, std::vector<Binding::Line> lines,
               const std::string& tenant = "acme") {
    Binding binding;
    binding.tenant = tenant;
    binding.user = user;
    binding.lines = std::move(lines);
    return binding;
  }
  std::variant<Bindings::Put, BindingRefusal> try_put(Binding binding) {
    moved.at_ms += 1000;
    return wait_for(bindings.put(std::move(binding)));
  }
  Bindings::Put put(Binding binding) {
    auto result = try_put(std::move(binding));
    if (const auto* refusal = std::get_if<BindingRefusal>(&result)) BOOST_FAIL(refusal->detail);
    return std::get<Bindings::Put>(std::move(result));
  }
  BindingRefusal refusal(Binding binding) {
    auto result = try_put(std::move(binding));
    BOOST_REQUIRE(std::holds_alternative<BindingRefusal>(result));
    return std::get<BindingRefusal>(std::move(result));
  }
  /// The users that a filter finds, "a b".
  std::string users(const BindingFilter& filter, const std::string& tenant = "acme") {
    std::string names;
    for (const Binding& binding : wait_for(bindings.list(tenant, filter))) {
      names += (names.empty() ? "" : " ") + binding.user;
    }
    return names;
  }
  std::string count() { return sql("SELECT count(*) FROM binding"); }

  BindingService bindings{config, *pool, moved};
};

BindingFilter by_line(const OptText& channel, const OptText& agent) {
  BindingFilter filter;
  filter.channel = channel;
  filter.agent = agent;
  return filter;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(binding_service, Fixture)

BOOST_AUTO_TEST_CASE(one_is_made_changed_and_removed) {
  Binding binding = wish("zhang", {{"hw", "291"}, {"e9", "+86 13900000001"}});
  binding.phone = "139 0000 0002";
  binding.fallback = false;
  Bindings::Put put_first = put(binding);
  BOOST_TEST(put_first.created);
  BOOST_TEST(put_first.binding.updated == moved.at_ms);
  const Binding stored = wait_for(bindings.get("acme", "zhang")).value();
  BOOST_TEST(stored.lines.size() == 2U);
  BOOST_TEST((stored.lines[0] == Binding::Line{"hw", "291"}));
  BOOST_TEST((stored.lines[1] == Binding::Line{"e9", "13900000001"}));
  BOOST_TEST(stored.phone.value() == "13900000002");
  BOOST_TEST(!stored.fallback);
  BOOST_TEST(sql("SELECT lines FROM binding") ==
             R"([{"agent": "291", "channel": "hw"}, {"agent": "13900000001", "channel": "e9"}])");
  BOOST_TEST(!wait_for(bindings.get("other", "zhang")));

  const std::string before = sql("SELECT * FROM binding");
  BOOST_TEST(!put(binding).created);
  BOOST_TEST(sql("SELECT * FROM binding") == before);  // nothing changed, so it did not

  put_first = put(wish("zhang", {{"hw", "292"}}));
  BOOST_TEST(!put_first.created);
  BOOST_TEST(!put_first.binding.phone);
  BOOST_TEST(put_first.binding.fallback);
  BOOST_TEST(put_first.binding.updated == moved.at_ms);

  BOOST_TEST(!wait_for(bindings.remove("other", "zhang")));
  BOOST_TEST(wait_for(bindings.remove("acme", "zhang")));
  BOOST_TEST(!wait_for(bindings.remove("acme", "zhang")));
  BOOST_TEST(count() == "0");
}

BOOST_AUTO_TEST_CASE(seats_must_be_the_tenants_agents) {
  BindingRefusal no = refusal(wish("zhang", {{"hw", "291"}, {"hw", "299"}}));
  BOOST_TEST((no.code == Code::unknown_line));
  BOOST_TEST(no.field == "lines[1].agent");
  BOOST_TEST(no.detail.find("PUT /v1/agents/hw/299") != std::string::npos, no.detail);
  BOOST_TEST(refusal(wish("zhang", {{"hw", "293"}})).field == "lines[0].agent");  // being deleted
  BOOST_TEST(refusal(wish("zhang", {{"hw", "400"}})).field == "lines[0].agent");  // another's
  BOOST_TEST((refusal(wish("zhang", {{"sip", "1"}})).code == Code::unknown_channel));
  BOOST_TEST((refusal(wish("zhang", {})).code == Code::invalid));
  BOOST_TEST(count() == "0");
  put(wish("zhang", {{"e9", "13900000009"}}));  // a phone need not be known
}

BOOST_AUTO_TEST_CASE(tenants_have_users_of_their_own) {
  put(wish("zhang", {{"hw", "291"}}));
  BOOST_TEST(put(wish("zhang", {{"hw", "400"}}, "other")).created);
  BOOST_TEST(wait_for(bindings.get("acme", "zhang"))->lines[0].agent == "291");
  BOOST_TEST(users({}, "other") == "zhang");
}

BOOST_AUTO_TEST_CASE(lists_go_by_line_prefix_and_page) {
  put(wish("shop/1", {{"hw", "291"}}));
  put(wish("shop/2", {{"hw", "292"}, {"e9", "13900000001"}}));
  put(wish("shop%", {{"e9", "13900000001"}}));
  put(wish("王", {{"e9", "13900000002"}}));
  put(wish("shop/1", {{"e9", "13900000001"}}, "other"));
  BOOST_TEST(users({}) == "shop% shop/1 shop/2 王");
  BOOST_TEST(users(by_line("hw", {})) == "shop/1 shop/2");
  BOOST_TEST(users(by_line("hw", "292")) == "shop/2");
  BOOST_TEST(users(by_line({}, "+86 139 0000 0001")) == "shop% shop/2");
  BOOST_TEST(users(by_line("e9", "008613900000001")) == "shop% shop/2");
  BOOST_TEST(users(by_line("hw", "13900000001")) == "");
  BindingFilter filter;
  filter.prefix = "shop/";
  BOOST_TEST(users(filter) == "shop/1 shop/2");
  filter.prefix = "shop%";
  BOOST_TEST(users(filter) == "shop%");
  filter = {};
  filter.limit = 2;
  BOOST_TEST(users(filter) == "shop% shop/1");
  filter.after_user = "shop/1";
  BOOST_TEST(users(filter) == "shop/2 王");
  filter.after_user = "王";
  BOOST_TEST(users(filter) == "");
  filter = by_line({}, "13900000001");
  filter.after_user = "shop%";
  filter.limit = 1;
  BOOST_TEST(users(filter) == "shop/2");
}

BOOST_AUTO_TEST_SUITE_END()
