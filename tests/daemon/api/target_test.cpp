#include "api/target.hpp"

#include <set>

#include <boost/test/unit_test.hpp>

#include "api/key_ring.hpp"

using namespace cc::api;

BOOST_AUTO_TEST_SUITE(target_test)

BOOST_AUTO_TEST_CASE(a_target_is_taken_apart_and_decoded) {
  const auto target = parse_target("/v1/calls/12?version=3&wait=%31%30&&empty=&bare");
  BOOST_REQUIRE(target);
  BOOST_TEST(target->path == (std::vector<std::string>{"v1", "calls", "12"}),
             boost::test_tools::per_element());
  BOOST_REQUIRE(target->query.size() == 4U);
  BOOST_TEST(target->query[1].first == "wait");
  BOOST_TEST(target->query[1].second == "10");
  BOOST_TEST(target->query[2].second == "");
  BOOST_TEST(target->query[3].first == "bare");
  BOOST_TEST(parse_target("/")->path.size() == 1U);
  BOOST_TEST(parse_target("/a/")->path.size() == 2U);
  BOOST_TEST(parse_target("/a%2Fb")->path[0] == "a/b");
  BOOST_TEST(parse_target("http://x/a/b?c=d")->path.size() == 2U);
  BOOST_TEST(parse_target("https://x")->path.size() == 1U);
  for (const char* bad :
       {"", "*", "ftp://x/y", "x/y", "/%", "/%zz", "/%00", "/a?b%0a=1", "/a?b=%zz", "/\x01"}) {
    BOOST_TEST(!parse_target(bad), bad);
  }
}

BOOST_AUTO_TEST_CASE(a_plus_in_a_value_is_a_space_but_where_a_zone_or_a_phone_has_one) {
  const auto target = parse_target(
      "/a+b?user=shop+17&plus=%2B&from=2026-11-22T18:00:00+08:00&to=2026-11-22T18:00:00%2B08:00&"
      "agent=+8613900004445&seat=291");
  BOOST_REQUIRE(target);
  BOOST_TEST(target->path[0] == "a+b");
  QueryReader query(*target);
  BOOST_TEST(query.text("user", 20).value() == "shop 17");
  BOOST_TEST(query.text("plus", 20).value() == "+");
  BOOST_TEST(query.time("from").value() == 1'795'341'600'000);
  BOOST_TEST(query.time("to").value() == 1'795'341'600'000);
  BOOST_TEST(query.line("agent").value() == "13900004445");
  BOOST_TEST(query.line("seat").value() == "291");
  BOOST_TEST(!std::move(query).problem());
}

BOOST_AUTO_TEST_CASE(texts_are_counted_in_characters_and_hold_none_of_control) {
  const auto target =
      parse_target("/?a=%E7%8E%8B%E7%8E%8B&b=%E7%8E%8B%E7%8E%8B&c=x%0ay&d=%00&e=%FF");
  BOOST_REQUIRE(target);
  QueryReader query(*target);
  BOOST_TEST(query.text("a", 2).value() == "王王");
  for (const char* name : {"b", "c", "d", "e"}) BOOST_TEST(!query.text(name, 1), name);
  const auto problem = std::move(query).problem();
  BOOST_REQUIRE(problem);
  BOOST_TEST((problem->type == ProblemType::invalid_request));
  std::string names;
  for (const auto& wrong : problem->invalid_params) names += wrong.name + " ";
  BOOST_TEST(names == "query b query c query d query e ");
}

BOOST_AUTO_TEST_CASE(call_ids_have_one_form) {
  BOOST_TEST(parse_call_id("1").value() == 1);
  BOOST_TEST(parse_call_id("9223372036854775807").value() == INT64_MAX);
  for (const char* bad : {"", "0", "01", "-1", "+1", "1 ", "1.0", "9223372036854775808", "a",
                          "99999999999999999999"}) {
    BOOST_TEST(!parse_call_id(bad), bad);
  }
}

BOOST_AUTO_TEST_CASE(prefer_is_read_as_rfc_7240_says) {
  BOOST_TEST(preferred_wait("wait=10").value() == 10);
  BOOST_TEST(preferred_wait("respond-async, Wait = \"7\"; x=1").value() == 7);
  BOOST_TEST(preferred_wait("wait=0").value() == 0);
  BOOST_TEST(preferred_wait("wait=99999999").value() == 1'000'000);
  for (const char* bad : {"", "respond-async", "wait", "wait=", "wait=x", "wait=-1", "waiting=3"}) {
    BOOST_TEST(!preferred_wait(bad), bad);
  }
}

BOOST_AUTO_TEST_CASE(request_ids_are_sane_and_never_the_same) {
  for (const char* good : {"a", "A-1_b.c", "0123456789012345678901234567890123456789"}) {
    BOOST_TEST(sane_request_id(good));
  }
  for (const std::string& bad : {std::string(), std::string("a b"), std::string("a\n"),
                                 std::string("é"), std::string(65, 'a')}) {
    BOOST_TEST(!sane_request_id(bad));
  }
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = make_request_id();
    BOOST_TEST(sane_request_id(id));
    BOOST_TEST(seen.insert(id).second);
  }
}

BOOST_AUTO_TEST_CASE(ids_that_could_be_numbers_are_not_taken_over) {
  for (const char* id : {"13812345678", "138-1234-5678", "8613812345678", "008613812345678",
                         "order-13812345678", "a13812345678b", "01066668888", "x_075512345678",
                         "1234567", "123456789012345", "138.1234.5678"}) {
    BOOST_TEST(!sane_request_id(id), id);
  }
  for (const char* id : {"seen", "r1", "123456", "720000000000000001", "1795341600000-7f",
                         "550e8400-e29b-41d4-a716-446655440000",
                         "12345678-0123-4567-89ab-000000000000", "a1234567", "req_12345678"}) {
    BOOST_TEST(sane_request_id(id), id);
  }
}

BOOST_AUTO_TEST_CASE(json_is_recognised_by_its_content_type) {
  for (const char* good : {"application/json", "Application/JSON; charset=UTF-8",
                           "application/json;charset=\"utf-8\"", "application/json ; x=y"}) {
    BOOST_TEST(is_json(good), good);
  }
  for (const char* bad : {"", "text/json", "application/jsonx", "application/json; charset=gbk",
                          "application/x-www-form-urlencoded"}) {
    BOOST_TEST(!is_json(bad), bad);
  }
}

BOOST_AUTO_TEST_CASE(dates_are_rfc_9110s) {
  BOOST_TEST(http_date(784'111'777'000) == "Sun, 06 Nov 1994 08:49:37 GMT");
  BOOST_TEST(http_date(1'795'341'600'999) == "Sun, 22 Nov 2026 10:00:00 GMT");
}

BOOST_AUTO_TEST_CASE(every_problem_has_one_entry_in_the_catalogue) {
  std::set<std::string_view> names;
  std::set<ProblemType> types;
  for (const ProblemEntry& entry : problem_catalogue()) {
    BOOST_TEST(names.insert(entry.name).second);
    BOOST_TEST(types.insert(entry.type).second);
    BOOST_TEST(!entry.title.empty());
    BOOST_TEST(!entry.title_zh.empty());
    BOOST_TEST(entry.status >= 400U);
    BOOST_TEST((entry.retry_after == 0 || entry.retryable));
  }
  for (unsigned i = 0; i <= static_cast<unsigned>(ProblemType::outcome_unknown); ++i) {
    BOOST_TEST(types.contains(static_cast<ProblemType>(i)));
    BOOST_TEST((entry_of(static_cast<ProblemType>(i)).type == static_cast<ProblemType>(i)));
  }
}

BOOST_AUTO_TEST_CASE(keys_are_found_by_their_digest_only) {
  std::map<std::string, cc::Tenant> tenants;
  tenants["t"].name = "t";
  tenants["t"].keys.push_back(
      {"k",
       {{"2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"}},  // "key"
       {"call", "numbers"},
       {}});
  const KeyRing ring(tenants);
  const auto* const found = ring.find("key");
  BOOST_REQUIRE(found);
  BOOST_TEST(found->principal.tenant->name == "t");
  BOOST_TEST(found->principal.may(Scope::call));
  BOOST_TEST(found->principal.may(Scope::numbers));
  BOOST_TEST(!found->principal.may(Scope::read));
  BOOST_TEST(!found->principal.may(Scope::admin));
  BOOST_TEST(!ring.find(""));
  BOOST_TEST(!ring.find("Key"));
  BOOST_TEST(!ring.find(tenants["t"].keys[0].secrets.at(0).sha256));
  BOOST_TEST(!ring.find(std::string(100'000, 'k')));
}

BOOST_AUTO_TEST_SUITE_END()
