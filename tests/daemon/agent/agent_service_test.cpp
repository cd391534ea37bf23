// What becomes of an agent in PostgreSQL as it is made, changed, tried again and removed.
#include <boost/asio/detached.hpp>

#include "agent_fixture.hpp"
#include "text.hpp"

using namespace cc;
using namespace cc::test;

namespace {

using Code = AgentRefusal::Code;

struct Fixture : AgentFixture {
  Fixture() {
    seat.tenant = "acme";
    seat.channel = "hw";
    seat.agent = "291";
    seat.handset = "40038";
    seat.password = "first";
  }

  std::variant<Agents::Put, AgentRefusal> try_put(const AgentWish& wish) {
    moved.at_ms += 1000;
    return wait_for(service.put(wish));
  }
  Agents::Put put(const AgentWish& wish) {
    auto result = try_put(wish);
    if (const auto* refusal = std::get_if<AgentRefusal>(&result)) BOOST_FAIL(refusal->detail);
    return std::get<Agents::Put>(std::move(result));
  }
  AgentRefusal refusal(const AgentWish& wish) {
    auto result = try_put(wish);
    BOOST_REQUIRE(std::holds_alternative<AgentRefusal>(result));
    return std::get<AgentRefusal>(std::move(result));
  }
  std::optional<Agent> get(const std::string& agent = "291", const std::string& channel = "hw",
                           const std::string& tenant = "acme") {
    return wait_for(service.get(tenant, channel, agent));
  }
  std::optional<AgentRefusal> remove(const std::string& agent = "291",
                                     const std::string& tenant = "acme") {
    moved.at_ms += 1000;
    return wait_for(service.remove(tenant, "hw", agent));
  }
  std::string generation() { return row("291", "generation"); }
  std::string password() {
    const auto sealed = from_hex(row("291", "encode(password, 'hex')"));
    const auto opened = vault.open(sealed.value(), password_context("hw", "291"));
    return opened ? *opened : opened.error().message;
  }

  AgentWish seat;
};

AgentWish only(const AgentWish& of) {
  return {of.tenant, of.channel, of.agent, {}, {}, {}};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(agent_service, Fixture)

BOOST_AUTO_TEST_CASE(a_seat_is_made_and_shown) {
  const Agents::Put made = put(seat);
  BOOST_TEST(made.created);
  BOOST_TEST(made.agent.handset.value() == "40038");
  BOOST_TEST(made.agent.has_password);
  BOOST_TEST(made.agent.desired == "online");
  BOOST_TEST(!made.agent.actual);
  BOOST_TEST(!made.agent.call);
  BOOST_TEST(made.agent.updated == moved.at_ms);
  BOOST_TEST(generation() == "1");
  BOOST_TEST(password() == "first");
  BOOST_TEST(sql("SELECT count(*) FROM agent WHERE password::text LIKE '%6669727374%'") == "0");
  BOOST_TEST(get()->tenant == "acme");
  BOOST_TEST(!get("291", "hw", "other"));
  BOOST_TEST(!get("292"));
}

BOOST_AUTO_TEST_CASE(what_a_new_seat_needs) {
  AgentWish wish = seat;
  wish.handset.reset();
  BOOST_TEST(refusal(wish).field == "handset");
  wish = seat;
  wish.password.reset();
  BOOST_TEST(refusal(wish).field == "password");
  wish.online = false;
  BOOST_TEST(put(wish).agent.desired == "offline");
  wish = only(seat);
  wish.online = true;
  BOOST_TEST(refusal(wish).field == "password");
  wish.password = "late";
  BOOST_TEST(put(wish).agent.desired == "online");
}

BOOST_AUTO_TEST_CASE(the_same_again_disturbs_nobody) {
  put(seat);
  sql("UPDATE agent SET actual = 'online', owner = 'ccd-1', epoch = 1, session = 'x'");
  const std::string before = row("291", "*");
  BOOST_TEST(!put(seat).created);
  BOOST_TEST(!put(only(seat)).created);
  AgentWish wish = only(seat);
  wish.online = true;
  put(wish);
  BOOST_TEST(row("291", "*") == before);
}

BOOST_AUTO_TEST_CASE(a_change_is_heeded) {
  put(seat);
  sql("UPDATE agent SET actual = 'online', reason = 'since 9', owner = 'ccd-1'");
  AgentWish wish = only(seat);
  wish.handset = "40039";
  BOOST_TEST(put(wish).agent.handset.value() == "40039");
  BOOST_TEST(row("291", "generation || ' ' || actual || ' ' || (updated = " +
                            std::to_string(moved.at_ms) + ")") == "2 online true");
  BOOST_TEST(password() == "first");
  wish.handset.reset();
  wish.password = "second";
  put(wish);
  BOOST_TEST(generation() == "3");
  BOOST_TEST(password() == "second");
  wish.password.reset();
  wish.online = false;
  BOOST_TEST(put(wish).agent.desired == "offline");
  BOOST_TEST(generation() == "4");
  // A clock behind another daemon's.
  const std::int64_t ahead = moved.at_ms + 50'000;
  sql("UPDATE agent SET updated = " + std::to_string(ahead));
  wish.online = true;
  BOOST_TEST(put(wish).agent.updated == ahead + 1);
}

BOOST_AUTO_TEST_CASE(who_was_refused_is_tried_again) {
  put(seat);
  sql("UPDATE agent SET actual = 'refused', reason = '100-004 wrong password', since = 5");
  const Agents::Put again = put(seat);
  BOOST_TEST(!again.agent.actual);
  BOOST_TEST(!again.agent.reason);
  BOOST_TEST(again.agent.since.value() == moved.at_ms);
  BOOST_TEST(generation() == "2");
  sql("UPDATE agent SET actual = 'failing', reason = 'no answer'");
  BOOST_TEST(put(seat).agent.actual.value() == "failing");
  BOOST_TEST(generation() == "3");
}

BOOST_AUTO_TEST_CASE(an_old_key_can_go_once_passwords_came_again) {
  put(seat);
  const Vault newer(std::string(Vault::key_size, 'n'), {config.agents.key});
  AgentService service_then(config, *pool, moved, newer);
  const auto before = row("291", "generation || ' ' || updated");
  wait_for(service_then.put(seat));
  BOOST_TEST(generation() == "1");
  BOOST_TEST(row("291", "generation || ' ' || updated") != before);
  const auto sealed = from_hex(row("291", "encode(password, 'hex')")).value();
  BOOST_TEST(newer.sealed_with_newest(sealed));
  // With the old key gone before: what can't be opened is set anew.
  const Vault newest(std::string(Vault::key_size, 'm'));
  AgentService service_last(config, *pool, moved, newest);
  wait_for(service_last.put(seat));
  BOOST_TEST(generation() == "2");
  const Vault none;
  AgentService keyless(config, *pool, moved, none);
  const auto result = wait_for(keyless.put(seat));
  BOOST_TEST((std::get<AgentRefusal>(result).code == Code::no_key));
  BOOST_TEST((std::holds_alternative<Agents::Put>(wait_for(keyless.put(only(seat))))));
}

BOOST_AUTO_TEST_CASE(a_line_in_a_call_is_left_alone) {
  put(seat);
  occupy("hw/291", 77);
  BOOST_TEST(get()->call.value() == 77);
  AgentWish wish = only(seat);
  wish.handset = "40039";
  BOOST_TEST((refusal(wish).code == Code::line_busy));
  BOOST_TEST(refusal(wish).busy_call.value() == 77);
  wish = only(seat);
  wish.online = false;
  BOOST_TEST(refusal(wish).field == "desired");
  BOOST_TEST((remove()->code == Code::line_busy));
  wish.online = true;
  wish.handset = "40038";
  put(wish);  // nothing changes
  sql("UPDATE claim SET release_at = " + std::to_string(moved.at_ms + 3'600'000));
  BOOST_TEST(remove()->busy_call.value() == 77);
  sql("UPDATE claim SET release_at = " + std::to_string(moved.at_ms));
  BOOST_TEST(!get()->call);
  BOOST_TEST(!remove());
}

BOOST_AUTO_TEST_CASE(another_tenants_call_is_not_named) {
  put(seat);
  occupy("hw/291", 78, "other");
  BOOST_TEST(!get()->call);
  const auto busy = remove();
  BOOST_TEST((busy->code == Code::line_busy));
  BOOST_TEST(!busy->busy_call);
}

BOOST_AUTO_TEST_CASE(another_tenants_agent_counts_as_none) {
  put(seat);
  AgentWish wish = seat;
  wish.tenant = "other";
  BOOST_TEST((refusal(wish).code == Code::not_found));
  BOOST_TEST((remove("291", "other")->code == Code::not_found));
  const auto again = wait_for(service.retry("other", "hw", "291"));
  BOOST_TEST((std::get<AgentRefusal>(again).code == Code::not_found));
  BOOST_TEST(row("291", "tenant || ' ' || generation") == "acme 1");
}

BOOST_AUTO_TEST_CASE(one_that_nobody_signed_in_is_gone_at_once) {
  put(seat);
  BOOST_TEST(!remove());
  BOOST_TEST(sql("SELECT count(*) FROM agent") == "0");
  BOOST_TEST((remove()->code == Code::not_found));
}

BOOST_AUTO_TEST_CASE(one_that_is_owned_is_signed_out_first) {
  put(seat);
  sql("UPDATE agent SET owner = 'ccd-1', epoch = 3, session = 'x', actual = 'online'");
  BOOST_TEST(!remove());
  BOOST_TEST(row("291", "desired || ' ' || generation") == "deleted 2");
  BOOST_TEST(!get());
  BOOST_TEST(wait_for(service.list("acme", {})).empty());
  BOOST_TEST((remove()->code == Code::not_found));
  const auto again = wait_for(service.retry("acme", "hw", "291"));
  BOOST_TEST(std::holds_alternative<AgentRefusal>(again));
  // Wished for again it is a new one: nothing of the old one's is kept but who signs it out.
  BOOST_TEST(refusal(only(seat)).field == "handset");
  AgentWish wish = seat;
  wish.password.reset();
  BOOST_TEST(refusal(wish).field == "password");
  BOOST_TEST(put(seat).created);
  BOOST_TEST(row("291", "desired || ' ' || generation || ' ' || owner") == "online 3 ccd-1");
}

BOOST_AUTO_TEST_CASE(a_phone_is_its_own_handset) {
  AgentWish phone;
  phone.tenant = "acme";
  phone.channel = "e9";
  phone.agent = "+86 139 0000 0001";
  const Agents::Put made = put(phone);
  BOOST_TEST(made.agent.agent == "13900000001");
  BOOST_TEST(made.agent.handset.value() == "13900000001");
  BOOST_TEST(!made.agent.has_password);
  BOOST_TEST(!put(phone).created);
  BOOST_TEST(get("0086 13900000001", "e9").has_value());
  BOOST_TEST(!wait_for(service.remove("acme", "e9", "139-0000-0001")));
  BOOST_TEST(sql("SELECT count(*) FROM agent") == "0");
}

BOOST_AUTO_TEST_CASE(lists_have_pages_and_filters) {
  for (const char* number : {"293", "291", "292"}) {
    seat.agent = number;
    put(seat);
  }
  sql("UPDATE agent SET actual = 'refused' WHERE agent = '292'");
  AgentWish phone;
  phone.tenant = "acme";
  phone.channel = "e9";
  phone.agent = "13900000001";
  put(phone);
  const auto names = [&](const AgentFilter& filter, const std::string& tenant = "acme") {
    std::string all;
    for (const Agent& agent : wait_for(service.list(tenant, filter))) {
      all += (all.empty() ? "" : " ") + agent.channel + "/" + agent.agent;
    }
    return all;
  };
  AgentFilter filter;
  BOOST_TEST(names(filter) == "e9/13900000001 hw/291 hw/292 hw/293");
  BOOST_TEST(names(filter, "other") == "");
  filter.limit = 2;
  BOOST_TEST(names(filter) == "e9/13900000001 hw/291");
  filter.after_channel = "hw";
  filter.after_agent = "291";
  BOOST_TEST(names(filter) == "hw/292 hw/293");
  filter = {};
  filter.channel = "hw";
  filter.actual = "refused";
  BOOST_TEST(names(filter) == "hw/292");
}

BOOST_AUTO_TEST_CASE(retrying_is_for_those_who_failed) {
  put(seat);
  sql("UPDATE agent SET actual = 'online'");
  BOOST_TEST(std::get<Agent>(wait_for(service.retry("acme", "hw", "291"))).actual.value() ==
             "online");
  BOOST_TEST(generation() == "1");
  for (const char* state : {"refused", "failing"}) {
    sql("UPDATE agent SET reason = 'r', actual = '" + std::string(state) + "'");
    const Agent agent = std::get<Agent>(wait_for(service.retry("acme", "hw", "291")));
    BOOST_TEST(!agent.actual);
    BOOST_TEST(!agent.reason);
  }
  BOOST_TEST(generation() == "3");
}

BOOST_AUTO_TEST_CASE(two_make_the_same_one_at_once) {
  using Result = std::variant<Agents::Put, AgentRefusal>;
  int done = 0, created = 0;
  const auto run = [&]() -> asio::awaitable<void> {
    const Result result = co_await service.put(seat);
    ++done;
    created += std::get<Agents::Put>(result).created ? 1 : 0;
  };
  const auto all = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < 4; ++i) asio::co_spawn(executor, run(), asio::detached);
    while (done < 4) co_await pause(5ms);
  };
  wait_for(all());
  BOOST_TEST(created == 1);
  BOOST_TEST(generation() == "1");
}

BOOST_AUTO_TEST_SUITE_END()
