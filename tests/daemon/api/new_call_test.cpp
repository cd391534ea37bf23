#include "api/new_call.hpp"

#include <set>

#include <boost/test/unit_test.hpp>

using namespace cc;
using namespace cc::api;

namespace {

Tenant tenant() {
  Tenant t;
  t.name = "acme";
  return t;
}

NewCall good(std::string_view body, const Tenant& t = tenant()) {
  auto result = read_new_call(body, t);
  if (const Problem* problem = std::get_if<Problem>(&result)) {
    BOOST_FAIL("refused: " + to_json(*problem, "test") + " for " + std::string(body));
  }
  return std::get<NewCall>(std::move(result));
}

Problem bad(std::string_view body, const Tenant& t = tenant()) {
  auto result = read_new_call(body, t);
  BOOST_REQUIRE_MESSAGE(std::holds_alternative<Problem>(result), "taken: " + std::string(body));
  return std::get<Problem>(std::move(result));
}

std::set<std::string> names(const Problem& problem) {
  std::set<std::string> result;
  for (const InvalidParam& param : problem.invalid_params) result.insert(param.name);
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(new_call_test)

BOOST_AUTO_TEST_CASE(every_field_arrives) {
  const NewCall call = good(R"({"called":"+86 138 1234-5678","caller":"0086 13900001111",
    "agent":"a1","user":"张三","channel":"e9","initiator":"customer","business":"sales",
    "bizType":"order","bizId":"42","bizData":"{\"x\":\n1}","mainNum":"4001234567",
    "extNum":"12","maxDuration":28800,"record":false})");
  BOOST_TEST(call.called == "13812345678");
  BOOST_TEST(call.caller.value() == "13900001111");
  BOOST_TEST(call.agent.value() == "a1");
  BOOST_TEST(call.user.value() == "张三");
  BOOST_TEST(call.channel.value() == "e9");
  BOOST_TEST(call.initiator == "customer");
  BOOST_TEST(call.business.value() == "sales");
  BOOST_TEST(call.biz_type.value() == "order");
  BOOST_TEST(call.biz_id.value() == "42");
  BOOST_TEST(call.biz_data.value() == "{\"x\":\n1}");
  BOOST_TEST(call.main_num.value() == "4001234567");
  BOOST_TEST(call.ext_num.value() == "12");
  BOOST_TEST(call.max_duration.value() == 28800);
  BOOST_TEST(!call.record);
  BOOST_TEST(call.body_hash.size() == 32U);
}

BOOST_AUTO_TEST_CASE(defaults_and_null_are_the_same_request) {
  const NewCall call = good(R"({"called":"13812345678"})");
  BOOST_TEST(call.initiator == "agent");
  BOOST_TEST(call.record);
  BOOST_TEST(!call.max_duration);
  BOOST_TEST(!call.main_num);
  const std::string hash = call.body_hash;
  for (const char* same : {R"({"called":"13812345678","agent":null,"record":true})",
                           R"({"initiator":"agent","called":"+86 13812345678"})",
                           "{ \"c\\u0061lled\" : \"138-1234-5678\" }"}) {
    BOOST_TEST((good(same).body_hash == hash), same);
  }
  for (const char* other :
       {R"({"called":"13812345679"})", R"({"called":"13812345678","record":false})",
        R"({"called":"13812345678","agent":"1"})", R"({"called":"13812345678","user":"1"})",
        R"({"called":"13812345678","bizData":""})", R"({"called":{"callId":"13812345678"}})"}) {
    BOOST_TEST((good(other).body_hash != hash), other);
  }
}

BOOST_AUTO_TEST_CASE(an_agent_s_phone_is_one_however_it_is_written) {
  const NewCall call = good(R"({"called":"13812345678","agent":"139 0000 5551"})");
  BOOST_TEST(call.agent.value() == "13900005551");
  BOOST_TEST(
      (good(R"({"called":"13812345678","agent":"+8613900005551"})").body_hash == call.body_hash));
  BOOST_TEST(good(R"({"called":"13812345678","agent":"seat 7"})").agent.value() == "seat 7");
}

BOOST_AUTO_TEST_CASE(a_whole_number_may_have_a_point) {
  const std::string hash = good(R"({"called":"13812345678","maxDuration":300})").body_hash;
  for (const char* same : {"300.0", "3e2", "3000e-1"}) {
    const NewCall call =
        good(R"({"called":"13812345678","maxDuration":)" + std::string(same) + "}");
    BOOST_TEST(call.max_duration.value() == 300, same);
    BOOST_TEST((call.body_hash == hash), same);
  }
  for (const char* wrong : {"300.5", "0.0", "28800.1", "1e300", "-1.0", "\"300\""}) {
    BOOST_TEST(names(bad(R"({"called":"13812345678","maxDuration":)" + std::string(wrong) + "}"))
                   .contains("maxDuration"),
               wrong);
  }
}

BOOST_AUTO_TEST_CASE(the_customer_of_another_call) {
  const NewCall call = good(R"({"called":{"callId":"720000000000000001"}})");
  BOOST_TEST(call.called_of.value() == 720'000'000'000'000'001);
  BOOST_TEST(call.called.empty());
  BOOST_TEST(names(bad(R"({"called":{"callId":720}})")).contains("called.callId"));
  BOOST_TEST(names(bad(R"({"called":{}})")).contains("called.callId"));
  BOOST_TEST(names(bad(R"({"called":{"callId":"7","x":1}})")).contains("called.x"));
}

BOOST_AUTO_TEST_CASE(all_problems_are_named_at_once) {
  const Problem problem = bad(R"({"called":"abc","caller":13900001111,"agent":"","user":"a\u0007",
    "channel":"too-long-a-code","initiator":"nobody","business":7,"bizType":"","bizId":[],
    "bizData":{"a":1},"mainNum":"400-x","extNum":"123456789","maxDuration":28801,"record":"yes",
    "tenant":"other"})");
  BOOST_TEST((problem.type == ProblemType::invalid_request));
  BOOST_TEST(names(problem) ==
                 (std::set<std::string>{"called", "caller", "agent", "user", "channel", "initiator",
                                        "business", "bizType", "bizId", "bizData", "mainNum",
                                        "extNum", "maxDuration", "record", "tenant"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(one_wrong_field_is_one_complaint) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {R"({})", "called"},
      {R"({"called":null})", "called"},
      {R"({"called":""})", "called"},
      {R"({"called":"12"})", "called"},
      {R"({"called":"1234567890123456"})", "called"},
      {R"({"called":true})", "called"},
      {R"({"called":["13812345678"]})", "called"},
      {R"({"called":"13812345678","caller":"13812345678"})", "called"},
      {R"({"called":"13812345678","maxDuration":0})", "maxDuration"},
      {R"({"called":"13812345678","maxDuration":-1})", "maxDuration"},
      {R"({"called":"13812345678","maxDuration":60.5})", "maxDuration"},
      {R"({"called":"13812345678","maxDuration":"60"})", "maxDuration"},
      {R"({"called":"13812345678","maxDuration":99999999999999999999})", "maxDuration"},
      {R"({"called":"13812345678","record":1})", "record"},
      {R"({"called":"13812345678","extNum":"1"})", "extNum"},
      {R"({"called":"13812345678","initiator":"customer"})", "mainNum"},
      {R"({"called":"13812345678","Agent":"a"})", "Agent"},
      {R"({"called":"13812345678","13812345678":"a"})", "138****5678"},
      {R"({"called":"13812345678","bizData":"a\u0000b"})", "bizData"},
  };
  for (const auto& [body, name] : cases) {
    const Problem problem = bad(body);
    BOOST_TEST(problem.invalid_params.size() == 1U, body);
    BOOST_TEST(names(problem).contains(name), body << " gave " << to_json(problem, ""));
    BOOST_TEST(to_json(problem, "").find("13812345678") == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(widths_count_characters_and_biz_data_bytes) {
  const auto body = [](const std::string& name, const std::string& value) {
    return R"({"called":"13812345678",")" + name + R"(":")" + value + R"("})";
  };
  std::string wide;
  for (int i = 0; i < 32; ++i) wide += "字";
  BOOST_TEST(good(body("business", wide)).business.value() == wide);
  BOOST_TEST(names(bad(body("business", wide + "x"))).contains("business"));
  BOOST_TEST(good(body("agent", std::string(64, 'a'))).agent.value().size() == 64U);
  BOOST_TEST(names(bad(body("agent", std::string(65, 'a')))).contains("agent"));
  BOOST_TEST(good(body("bizData", std::string(4096, 'a'))).biz_data.value().size() == 4096U);
  BOOST_TEST(names(bad(body("bizData", std::string(4097, 'a')))).contains("bizData"));
}

BOOST_AUTO_TEST_CASE(what_is_no_json_is_malformed) {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("{} x"), std::string("{\"called\":1,}"),
        std::string("{'called':1}"), std::string("// c\n{}"), std::string("\xff\xfe{}"),
        std::string("{\"called\":\"\xc3\"}"), std::string("{\"called\":\"\\ud800\"}"),
        std::string("{\"called\":\"1\",\"called\":\"2\"}"),
        std::string("{\"called\":{\"callId\":\"1\",\"callId\":\"2\"}}"), std::string(1000, '['),
        std::string("{\"a\":NaN}"), std::string("{\"a\":\"\n\"}"),
        std::string("{\"c\":\"1\",\"\\u0063\":\"2\"}"), std::string("nul\0", 4)}) {
    const Problem problem = bad(text);
    BOOST_TEST((problem.type == ProblemType::malformed_request), text);
    BOOST_TEST(names(problem).contains("body"));
  }
  for (const char* text : {"[]", "1", "\"x\"", "null", "true"}) {
    BOOST_TEST((bad(text).type == ProblemType::invalid_request), text);
  }
}

BOOST_AUTO_TEST_CASE(the_tenants_main_number_is_the_default_and_outside_the_hash) {
  Tenant t = tenant();
  const std::string plain = good(R"({"called":"13812345678"})", t).body_hash;
  t.main_num = "4001234567";
  t.ext_num = "8";
  const NewCall call = good(R"({"called":"13812345678"})", t);
  BOOST_TEST(call.main_num.value() == "4001234567");
  BOOST_TEST(call.ext_num.value() == "8");
  BOOST_TEST((call.body_hash == plain));
  BOOST_TEST(good(R"({"called":"13812345678","extNum":"9"})", t).ext_num.value() == "9");
  BOOST_TEST(!good(R"({"called":"13812345678","mainNum":"4007654321"})", t).ext_num);
  BOOST_TEST(good(R"({"called":"13812345678","initiator":"customer"})", t).main_num.value() ==
             "4001234567");
}

BOOST_AUTO_TEST_SUITE_END()
