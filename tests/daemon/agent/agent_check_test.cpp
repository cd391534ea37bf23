// What may be wished for, by the channel's kind.
#include "agent/agent_check.hpp"

#include <boost/test/unit_test.hpp>

#include "agents_config.hpp"

using namespace cc;

namespace {

AgentWish wish(const std::string& channel, const std::string& agent, OptText handset = {},
               OptText password = {}) {
  return {"acme", channel, agent, std::move(handset), std::move(password), {}};
}

CheckedAgent check(AgentWish wished) {
  return check_agent(test::agents_config(), std::move(wished));
}

/// The fields that are refused, "agent handset".
std::string refused(AgentWish wished) {
  std::string fields;
  for (const AgentRefusal& refusal : check(std::move(wished)).refusals) {
    BOOST_TEST(!refusal.detail.empty());
    fields += (fields.empty() ? "" : " ") + refusal.field;
  }
  return fields;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(agent_check_test)

BOOST_AUTO_TEST_CASE(a_seat) {
  const CheckedAgent good = check(wish("hw", "291", "+86 139-0000-0001", "p w~"));
  BOOST_TEST(good.refusals.empty());
  BOOST_TEST(good.order.signs_in);
  BOOST_TEST(good.order.wish.handset.value() == "13900000001");
  for (const char* agent : {"101", "999999"}) BOOST_TEST(refused(wish("hw", agent)) == "", agent);
  for (const char* agent : {"", "0", "100", "0291", "1000000", "29a", " 291", "-291", "13900000001",
                            "99999999999999999999"}) {
    BOOST_TEST(refused(wish("hw", agent)) == "agent", agent);
  }
  BOOST_TEST(refused(wish("hw", "291", "12")) == "handset");
  BOOST_TEST(refused(wish("hw", "291", "40038")) == "");
  BOOST_TEST(refused(wish("hw", "291", {}, "")) == "password");
  BOOST_TEST(refused(wish("hw", "291", {}, std::string(128, 'x'))) == "");
  BOOST_TEST(refused(wish("hw", "291", {}, std::string(129, 'x'))) == "password");
  BOOST_TEST(refused(wish("hw", "291", {}, "tab\t")) == "password");
  BOOST_TEST(refused(wish("hw", "291", {}, "密码")) == "password");
  BOOST_TEST(refused(wish("hw", "x", "y", "")) == "agent handset password");
}

BOOST_AUTO_TEST_CASE(a_line_that_is_a_phone) {
  const CheckedAgent good = check(wish("e9", "+86 139 0000 0001"));
  BOOST_TEST(good.refusals.empty());
  BOOST_TEST(!good.order.signs_in);
  BOOST_TEST(good.order.wish.agent == "13900000001");
  BOOST_TEST(good.order.wish.handset.value() == "13900000001");
  BOOST_TEST(refused(wish("e9", "13900000001", "0086 13900000001")) == "");
  BOOST_TEST(refused(wish("e9", "13900000001", "13900000002")) == "handset");
  BOOST_TEST(refused(wish("e9", "13900000001", {}, "x")) == "password");
  BOOST_TEST(refused(wish("e9", "seat")) == "agent");
}

BOOST_AUTO_TEST_CASE(whose_channel) {
  AgentWish one = wish("sip", "291");
  CheckedAgent checked = check(one);
  BOOST_REQUIRE(checked.refusals.size() == 1U);
  BOOST_TEST((checked.refusals[0].code == AgentRefusal::Code::unknown_channel));
  one = wish("hw", "291");
  one.tenant = "e9only";
  checked = check(one);
  BOOST_REQUIRE(checked.refusals.size() == 1U);
  BOOST_TEST((checked.refusals[0].code == AgentRefusal::Code::unknown_channel));
  one.tenant = "nobody";
  BOOST_TEST(refused(one) == "tenant");
}

BOOST_AUTO_TEST_CASE(lines_are_found_and_shown) {
  const Config config = test::agents_config();
  BOOST_TEST(stored_agent(config, "e9", "+86 139 0000 0001") == "13900000001");
  BOOST_TEST(stored_agent(config, "e9", "seat") == "seat");
  BOOST_TEST(stored_agent(config, "hw", "+86 291") == "+86 291");
  BOOST_TEST(shown_line("hw", "999999") == "hw/999999");
  BOOST_TEST(shown_line("e9", "139 0000 0001") == "e9/139****0001");
  BOOST_TEST(shown_line("e9", "+8613900000001") == "e9/139****0001");
}

BOOST_AUTO_TEST_SUITE_END()
