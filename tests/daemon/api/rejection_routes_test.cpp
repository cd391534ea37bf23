// Refused requests for calls: each is kept with what could be read of it, and listed.
#include "noun_rig.hpp"
#include "query_fakes.hpp"

using namespace cc;
using namespace cc::test;

namespace {

namespace json = boost::json;

struct Fixture : NounRig {
  Fixture() {
    nouns.rejections = &rejections;
    build();
  }

  /// What was kept of the one request since.
  Rejection kept() {
    BOOST_REQUIRE(rejections.kept.size() == 1U);
    Rejection one = rejections.kept[0];
    rejections.kept.clear();
    return one;
  }

  void refuse_with(Refusal::Code code, const std::string& detail) {
    Script script;
    script.refusal = Refusal{code, detail, 77};
    script.refusal->limit = 5;
    script.refusal->retry_after = std::chrono::milliseconds(1200);
    calls.set(script);
  }

  FakeRejections rejections;
};

const std::string body = R"({"called":"138 1234 5678","caller":"+86 13900001111","agent":"291",
  "user":"zhang","channel":"e9","business":"sales","bizType":"order","bizId":"42"})";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rejection_routes_test, Fixture)

BOOST_AUTO_TEST_CASE(each_refusal_is_kept_under_its_problem_s_name) {
  using Code = Refusal::Code;
  const std::map<Code, std::pair<unsigned, std::string>> cases{
      {Code::no_line, {400, "no-line"}},
      {Code::unknown_channel, {400, "unknown-channel"}},
      {Code::no_channel, {503, "no-channel"}},
      {Code::line_offline, {409, "line-offline"}},
      {Code::line_busy, {409, "line-busy"}},
      {Code::unable, {400, "channel-unable"}},
      {Code::no_main_number, {400, "invalid-request"}},
      {Code::unknown_call, {400, "invalid-request"}},
      {Code::key_reused, {422, "idempotency-key-reused"}},
      {Code::too_fast, {429, "too-fast"}},
      {Code::too_many, {429, "too-many-calls"}},
      {Code::own_number, {400, "invalid-request"}},
  };
  for (const auto& [code, expected] : cases) {
    refuse_with(code, "about 13812345678");
    const api::Response response = ask("POST", "/v1/calls", body, "full");
    const Rejection one = kept();
    BOOST_TEST(response.status == expected.first, expected.second);
    BOOST_TEST(problem(response) == expected.second);
    BOOST_TEST(one.code == expected.second);
    BOOST_TEST(one.status == static_cast<int>(expected.first));
    BOOST_TEST((one.tenant == "acme" && one.key == "full" && one.request_id == "request-1"));
    BOOST_TEST(one.at == clock.epoch_ms());
    BOOST_TEST(holds(one.detail, "138****5678"), one.detail);
    BOOST_TEST((one.caller == "139****1111" && one.called == "138****5678"));
    BOOST_TEST((one.agent == "291" && one.user == "zhang" && one.channel == "e9"));
    BOOST_TEST((one.business == "sales" && one.biz_type == "order" && one.biz_id == "42"));
    BOOST_TEST(one.call.value() == 77);
  }
}

BOOST_AUTO_TEST_CASE(a_limit_says_which_how_much_and_when_to_come_again) {
  refuse_with(Refusal::Code::too_fast, "more than 5 a second");
  const api::Response response = ask("POST", "/v1/calls", body, "full");
  const json::object said = document(response);
  BOOST_TEST(said.at("limit").as_string() == "callsPerSecond");
  BOOST_TEST(said.at("limitValue").as_string() == "5");
  bool told = false;
  for (const auto& [name, value] : response.headers) told |= name == "Retry-After" && value == "2";
  BOOST_TEST(told);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_body_is_kept_with_what_is_right) {
  ask("POST", "/v1/calls", R"({"called":"x","agent":"291","maxDuration":0,"user":7})", "full");
  const Rejection one = kept();
  BOOST_TEST((one.status == 400 && one.code == "invalid-request"));
  BOOST_TEST(one.agent.value() == "291");
  BOOST_TEST(!one.user.has_value());
  for (const char* name : {"called", "maxDuration", "user"}) BOOST_TEST(holds(one.detail, name));
}

BOOST_AUTO_TEST_CASE(what_is_no_body_is_kept_too) {
  ask("POST", "/v1/calls", "{\"called\":", "full");
  BOOST_TEST(kept().code == "malformed-request");
  ask("POST", "/v1/calls", "[13812345678]", "full");
  BOOST_TEST(kept().code == "invalid-request");
  ask("POST", "/v1/calls", "", "full");  // no Content-Type
  const Rejection one = kept();
  BOOST_TEST((one.status == 415 && one.code == "unsupported-media-type"));
  BOOST_TEST(!one.called.has_value());
}

BOOST_AUTO_TEST_CASE(what_was_not_refused_is_not_kept) {
  BOOST_TEST(ask("POST", "/v1/calls", body, "full").status == 202U);
  Script script;
  script.failure = "57014";
  calls.set(script);
  BOOST_TEST(ask("POST", "/v1/calls", body, "full").status == 503U);
  BOOST_TEST(ask("POST", "/v1/calls", body, "reader").status == 403U);
  BOOST_TEST(rejections.kept.empty());
}

BOOST_AUTO_TEST_CASE(a_list_asks_for_what_is_given_and_shows_all_of_it) {
  Rejection one;
  one.id = 9;
  one.at = 5;
  one.status = 409;
  one.code = "line-busy";
  one.detail = "busy";
  one.request_id = "r-1";
  one.key = "crm";
  one.called = "138****5678";
  one.call = 77;
  rejections.answer = {{one}, 9};
  const api::Response response =
      ask("GET",
          "/v1/rejections?code=line-busy&agent=a&user=u&channel=e9&bizType=t&bizId=i&requestId=r-1&"
          "from=5&to=2026-11-22T10:00:00Z&limit=20&cursor=100",
          {}, "reader");
  BOOST_TEST(response.status == 200U, response.body);
  const RejectionFilter& filter = rejections.filter;
  BOOST_TEST((filter.tenant == "acme" && filter.code == "line-busy" && filter.agent == "a"));
  BOOST_TEST((filter.user == "u" && filter.channel == "e9" && filter.request_id == "r-1"));
  BOOST_TEST((filter.biz_type == "t" && filter.biz_id == "i"));
  BOOST_TEST((filter.from_ms == 5 && filter.to_ms == 1'795'341'600'000));
  BOOST_TEST((rejections.below == 100 && rejections.limit == 20U));
  BOOST_TEST(json::serialize(document(response)) ==
             R"({"items":[{"id":"9","at":5,"status":409,"code":"line-busy","detail":"busy",)"
             R"("requestId":"r-1","key":"crm","caller":null,"called":"138****5678","agent":null,)"
             R"("user":null,"channel":null,"business":null,"bizType":null,"bizId":null,)"
             R"("callId":"77"}],"next":"9"})");
}

BOOST_AUTO_TEST_CASE(a_wrong_list_is_refused) {
  BOOST_TEST(invalid(ask("GET", "/v1/rejections?limit=0&cursor=x&from=never&colour=red", {},
                         "reader")) == "query from query cursor query limit query colour");
  BOOST_TEST(invalid(ask("GET", "/v1/rejections?from=9&to=9", {}, "reader")) == "query from");
  BOOST_TEST(ask("GET", "/v1/rejections", {}, "caller").status == 403U);
}

BOOST_AUTO_TEST_SUITE_END()
