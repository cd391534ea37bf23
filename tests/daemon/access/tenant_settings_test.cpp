// A tenant's settings as they are stored: from a command's words, into what cc.yaml would make.
#include "access/tenant_settings.hpp"

#include <boost/test/unit_test.hpp>

#include "agents_config.hpp"
#include "capture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

const Config config = agents_config();

std::string changed(std::string_view settings, const SettingsWish& wish) {
  const Result<std::string> result = change_settings(settings, wish, config);
  if (!result) BOOST_FAIL(result.error().message);
  return *result;
}

std::string refused(std::string_view settings, const SettingsWish& wish) {
  const Result<std::string> result = change_settings(settings, wish, config);
  if (result) BOOST_FAIL("taken: " + *result);
  return result.error().message;
}

SettingsWish wish(OptText SettingsWish::*member, const char* value) {
  SettingsWish one;
  one.*member = value;
  return one;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tenant_settings)

BOOST_AUTO_TEST_CASE(all_of_them_are_set_and_read) {
  SettingsWish all;
  all.channels = "e9, hw";
  all.main_num = "4001234567";
  all.ext_num = "12";
  all.display = "toAgent=main";
  all.calls_per_second = "20";
  all.burst = "40";
  all.concurrent_calls = "100";
  all.recording_days = "180";
  const std::string settings = changed("{}", all);
  const Result<Tenant> tenant = tenant_from_settings("acme", settings);
  BOOST_REQUIRE(tenant);
  BOOST_TEST(tenant->name == "acme");
  BOOST_TEST((tenant->channels == std::vector<std::string>{"e9", "hw"}));
  BOOST_TEST(tenant->main_num == "4001234567");
  BOOST_TEST(tenant->ext_num == "12");
  BOOST_TEST((tenant->display == Display{true, false}));
  BOOST_TEST((tenant->limits == CallLimits{20, 40, 100}));
  BOOST_TEST(tenant->recording_days.value() == 180);
  BOOST_TEST(tenant->from_command);
  BOOST_TEST(!tenant->disabled);
  BOOST_TEST(tenant->keys.empty());
}

BOOST_AUTO_TEST_CASE(what_is_not_named_stays_and_what_is_taken_away_is_gone) {
  std::string settings = changed("{}", wish(&SettingsWish::channels, "e9"));
  settings = changed(settings, wish(&SettingsWish::main_num, "400"));
  settings = changed(settings, wish(&SettingsWish::calls_per_second, "5"));
  Result<Tenant> tenant = tenant_from_settings("acme", settings);
  BOOST_REQUIRE(tenant);
  BOOST_TEST(tenant->channels.size() == 1U);
  BOOST_TEST(tenant->main_num == "400");
  BOOST_TEST(tenant->limits.calls_per_second == 5);
  settings = changed(settings, wish(&SettingsWish::recording_days, "0"));
  tenant = tenant_from_settings("acme", settings);
  BOOST_REQUIRE(tenant);
  BOOST_TEST(tenant->recording_days.value() == 0);  // for ever, whatever retention says
  settings = changed(settings, wish(&SettingsWish::recording_days, "none"));
  BOOST_TEST(!tenant_from_settings("acme", settings)->recording_days.has_value());
  settings = changed(settings, wish(&SettingsWish::channels, "all"));
  settings = changed(settings, wish(&SettingsWish::main_num, "none"));
  settings = changed(settings, wish(&SettingsWish::calls_per_second, "none"));
  BOOST_TEST(settings == "{}");
}

BOOST_AUTO_TEST_CASE(a_business_leaves_to_the_tenant_what_it_does_not_say) {
  SettingsWish delivery;
  delivery.business = "delivery \"快递\"";
  delivery.display = "toAgent=main";
  std::string settings = changed("{}", delivery);
  Result<Tenant> tenant = tenant_from_settings("acme", settings);
  BOOST_REQUIRE(tenant);
  BOOST_TEST((tenant->businesses.at(*delivery.business) == Display{true, false}));
  BOOST_TEST((tenant->display == Display{}));
  settings = changed(settings, wish(&SettingsWish::display, "toCustomer=main"));
  tenant = tenant_from_settings("acme", settings);
  BOOST_REQUIRE(tenant);
  BOOST_TEST((tenant->businesses.at(*delivery.business) == Display{true, true}));
  delivery.display = "default";
  settings = changed(settings, delivery);
  settings = changed(settings, wish(&SettingsWish::display, "default"));
  BOOST_TEST(settings == "{}");
}

BOOST_AUTO_TEST_CASE(what_cc_yaml_would_refuse_is_refused) {
  const auto says = [](const SettingsWish& one, const std::string& part) {
    const std::string message = refused("{}", one);
    BOOST_TEST(holds(message, part), "expected: " << part << "\ngot: " << message);
  };
  says(wish(&SettingsWish::channels, "e9,e8"), "there is no channel \"e8\"");
  says(wish(&SettingsWish::channels, "e9,e9"), "channels[1]: is listed twice");
  says(wish(&SettingsWish::main_num, "400-1"), "mainNum: must be 1 to 16 digits");
  says(wish(&SettingsWish::ext_num, "123456789"), "extNum: must be 1 to 8 digits");
  says(wish(&SettingsWish::display, "toAgent"), "must be like toAgent=main,toCustomer=agent");
  says(wish(&SettingsWish::display, "toAgent=agent"), "display.toAgent: must be one of");
  says(wish(&SettingsWish::display, "toNobody=main"), "display.toNobody: unknown key");
  says(wish(&SettingsWish::business, "delivery"), "business: needs a display");
  says(wish(&SettingsWish::calls_per_second, "many"), "limits.callsPerSecond: must be a whole");
  says(wish(&SettingsWish::concurrent_calls, "0"), "limits.concurrentCalls: must be a whole");
  says(wish(&SettingsWish::burst, "5"), "limits: burst needs callsPerSecond");
  says(wish(&SettingsWish::recording_days, "-1"), "recordingDays: must be a whole");
  says(wish(&SettingsWish::recording_days, "ever"), "recordingDays: must be a whole");
}

BOOST_AUTO_TEST_CASE(a_tenant_of_the_file_is_told_in_the_same_words) {
  Tenant tenant;
  BOOST_TEST(to_settings(tenant) == "{}");
  tenant.channels = {"e9"};
  tenant.main_num = "400";
  tenant.display.hide_agent = true;
  tenant.businesses["delivery"] = {true, true};
  tenant.limits = {5, 0, 7};
  tenant.recording_days = 0;
  const Result<Tenant> again = tenant_from_settings("acme", to_settings(tenant));
  BOOST_REQUIRE(again);
  BOOST_TEST((again->channels == tenant.channels));
  BOOST_TEST(again->main_num == tenant.main_num);
  BOOST_TEST((again->display == tenant.display));
  BOOST_TEST((again->businesses == tenant.businesses));
  BOOST_TEST((again->limits == tenant.limits));
  BOOST_TEST(again->recording_days.value() == 0);
}

BOOST_AUTO_TEST_CASE(what_somebody_else_wrote_there_is_told) {
  BOOST_TEST(!tenant_from_settings("acme", "[1]"));
  BOOST_TEST(!tenant_from_settings("acme", "{\"channels\": "));
  BOOST_TEST(!tenant_from_settings("acme", R"({"colour": "red"})"));
  const Result<Tenant> keys =
      tenant_from_settings("acme", R"({"disabled": true, "keys": [{"id": "x", "sha256": ")" +
                                       std::string(64, 'a') + R"(", "scopes": ["admin"]}]})");
  BOOST_REQUIRE(keys);
  BOOST_TEST(keys->keys.empty());
  BOOST_TEST(!keys->disabled);
}

BOOST_AUTO_TEST_SUITE_END()
