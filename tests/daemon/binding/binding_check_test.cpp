// What is refused of a binding before PostgreSQL is asked, and how its numbers are stored.
#include "binding/binding_check.hpp"

#include <boost/test/unit_test.hpp>

#include "agents_config.hpp"

using namespace cc;
using namespace cc::test;

namespace {

const Config config = agents_config();

Binding wish(std::vector<Binding::Line> lines) {
  Binding binding;
  binding.tenant = "acme";
  binding.user = "zhang.san";
  binding.lines = std::move(lines);
  return binding;
}

/// The fields that are refused, "lines[0].agent phone".
std::string refused(const Binding& binding) {
  std::string fields;
  for (const BindingRefusal& refusal : check_binding(config, binding).refusals) {
    fields += (fields.empty() ? "" : " ") + refusal.field;
  }
  return fields;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(binding_check)

BOOST_AUTO_TEST_CASE(numbers_take_their_stored_form) {
  Binding binding = wish({{"hw", "291"}, {"e9", "+86 139-0000-0001"}});
  binding.phone = "0086 13900000002";
  const CheckedBinding checked = check_binding(config, binding);
  BOOST_TEST(checked.refusals.empty());
  BOOST_TEST(checked.binding.lines[0].agent == "291");
  BOOST_TEST(checked.binding.lines[1].agent == "13900000001");
  BOOST_TEST(checked.binding.phone.value() == "13900000002");
  BOOST_TEST(checked.seats.size() == 1U);
  BOOST_TEST(checked.seats.at(0) == 0U);
}

BOOST_AUTO_TEST_CASE(users_are_as_in_calls) {
  Binding binding = wish({{"hw", "291"}});
  for (const std::string& user : {std::string("z"), std::string("门店 12/a?"), std::string(64, 'x'),
                                  std::string("13900000001")}) {
    binding.user = user;
    BOOST_TEST(refused(binding) == "", user);
  }
  for (const std::string& user : {std::string(), std::string(65, 'x'), std::string("a\nb"),
                                  std::string("a\xFF"), std::string("a\0b", 3)}) {
    binding.user = user;
    BOOST_TEST(refused(binding) == "user", user);
  }
}

BOOST_AUTO_TEST_CASE(all_that_is_wrong_is_told) {
  Binding binding = wish({{"sip", "1"},
                          {"hw", "29x"},
                          {"e9", "abc"},
                          {"hw", "291"},
                          {"hw", "291"},
                          {"e9", "13900000001"},
                          {"e9", "139 0000 0001"}});
  binding.phone = "none";
  BOOST_TEST(refused(binding) ==
             "phone lines[0].channel lines[1].agent lines[2].agent lines[4] lines[6]");
  for (const BindingRefusal& refusal : check_binding(config, binding).refusals) {
    BOOST_TEST(refusal.detail.find("13900000001") == std::string::npos);
    BOOST_TEST((refusal.code == BindingRefusal::Code::unknown_channel) ==
               (refusal.field == "lines[0].channel"));
  }
}

BOOST_AUTO_TEST_CASE(one_to_eight_lines) {
  BOOST_TEST(refused(wish({})) == "lines");
  std::vector<Binding::Line> lines;
  for (int i = 0; i < 9; ++i) lines.push_back({"hw", std::to_string(291 + i)});
  BOOST_TEST(refused(wish(lines)) == "lines");
  lines.pop_back();
  BOOST_TEST(refused(wish(lines)) == "");
}

BOOST_AUTO_TEST_CASE(whose_channels_they_are) {
  Binding binding = wish({{"hw", "291"}});
  binding.tenant = "e9only";
  BOOST_TEST(refused(binding) == "lines[0].channel");
  binding.tenant = "nobody";
  BOOST_TEST(refused(binding) == "tenant");
}

BOOST_AUTO_TEST_CASE(an_unknown_seat_is_told_with_the_remedy) {
  const BindingRefusal refusal = refuse_unknown_line(wish({{"hw", "291"}}), 0);
  BOOST_TEST(refusal.field == "lines[0].agent");
  BOOST_TEST(refusal.detail ==
             "is no line of tenant acme: make it known first with PUT /v1/agents/hw/291");
}

BOOST_AUTO_TEST_SUITE_END()
