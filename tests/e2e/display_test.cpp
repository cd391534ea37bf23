// Which numbers a call's phones show (rules.md, "Numbers shown"): what each channel is asked for,
// and what happens where it can't, or will not.
#include <boost/test/unit_test.hpp>

#include "several_channels.hpp"

using namespace cc::test;

namespace {

const std::string main_number = "4008002000";

/// The tenant demo hides what its businesses say, the tenant other has no number to show instead;
/// e9b and hw can't hide the customer from the agent.
Stack& stack() {
  static const Configuration configuration(
      {health("open: 60s"),
       {"    priority: 150\n", "    priority: 150\n    capabilities: {hideCustomer: false}\n"},
       {"    priority: 200\n", "    priority: 200\n    capabilities: {hideCustomer: false}\n"},
       {"    @DEMO_MAIN_NUMBER@\n",
        "    @DEMO_MAIN_NUMBER@\n"
        "    businesses:\n"
        "      shop: {toAgent: main, toCustomer: main}\n"
        "      delivery: {toAgent: main}\n"
        "      service: {toCustomer: main}\n"},
       {"  other:\n", "  other:\n    display: {toCustomer: main}\n"}});
  static Stack one("20", configuration.options({"--main-number", main_number, "--gateway",
                                                "--gateway-options", "--poll-ms 2000"}));
  return one;
}

std::string customer(const std::string& digits) {
  static int number = 1000;
  return "138" + std::to_string(number++) + digits;
}

Answer post(const std::string& more, const std::string& digits = "8042") {
  static int number = 1000;
  return stack().post("/v1/calls",
                      call_body("1398000" + std::to_string(number++), customer(digits), more),
                      {"Prefer: wait=20"});
}

/// What Jiuyun was asked to show: "A B" with - where the list was left out.
std::string shown(const std::vector<json::object>& requests, const std::string& call) {
  for (const json::object& line : requests) {
    if (text_at(line, "func") != "Calls/callBack" ||
        !text_at(line, "userData").starts_with("cc1." + call + ".")) {
      continue;
    }
    const json::value body = json::parse(text_at(line, "body"));
    const json::object& callback = body.at("callback").as_object();
    std::string words;
    for (const char* list : {"fromSerNum", "toSerNum"}) {
      const json::value* numbers = callback.if_contains(list);
      words += (words.empty() ? "" : " ") +
               (numbers == nullptr ? std::string("-") : json::serialize(*numbers));
    }
    return words;
  }
  return "no request";
}

const std::string hidden = "[\"" + main_number + "\"]";

}  // namespace

BOOST_AUTO_TEST_CASE(a_channel_is_asked_to_show_exactly_what_the_policy_says) {
  struct Policy {
    const char* more;
    std::string asked, requested;
  };
  const Policy policies[] = {
      {"", "- -", "toAgent=customer toCustomer=agent"},
      {R"("business":"shop")", hidden + " " + hidden, "toAgent=main toCustomer=main"},
      {R"("business":"delivery")", hidden + " -", "toAgent=main toCustomer=agent"},
      {R"("business":"service")", "- " + hidden, "toAgent=customer toCustomer=main"},
      {R"("business":"unheard of")", "- -", "toAgent=customer toCustomer=agent"},
      // Who asked to be called is never shown to the agent, whatever the policy.
      {R"("initiator":"customer")", hidden + " -", "toAgent=main toCustomer=agent"},
      {R"("initiator":"customer","business":"service")", hidden + " " + hidden,
       "toAgent=main toCustomer=main"},
      {R"("business":"shop","mainNum":"4008001000")", R"(["4008001000"] ["4008001000"])",
       "toAgent=main toCustomer=main"},
  };
  for (const Policy& policy : policies) {
    BOOST_TEST_CONTEXT(policy.more) {
      const Answer made = post(policy.more);
      BOOST_REQUIRE_MESSAGE(made.status == 201, made.text);
      BOOST_TEST(shown(stack().journal("request"), made.at("callId")) == policy.asked);
      BOOST_TEST(made.at("displayRequested") == policy.requested);
      BOOST_TEST(text_at(stack().await_state(made.at("callId")), "closeType") == "0");
    }
  }
}

BOOST_AUTO_TEST_CASE(huaweis_gateway_is_told_the_callers_number_where_the_agent_is_hidden) {
  stack().make_agents(1000, 1001);
  stack().await_agent("1000");
  stack().await_agent("1001");
  const auto caller_of = [](const Answer& made) {
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.text);
    stack().await_state(made.at("callId"));
    for (const json::object& line : stack().gateway_journal("callout")) {
      if (text_at(line, "callId") == made.at("channelCallId")) return text_at(line, "caller");
    }
    return std::string("no callout");
  };
  const auto call = [](const char* agent, const std::string& more) {
    return stack().post("/v1/calls",
                        R"({"agent":")" + std::string(agent) + R"(","called":")" +
                            customer("7016") + '"' + more + "}",
                        {"Prefer: wait=20"});
  };
  BOOST_TEST(caller_of(call("1000", R"(,"business":"service")")) == main_number);
  BOOST_TEST(caller_of(call("1001", "")) != main_number);
}

BOOST_AUTO_TEST_CASE(nothing_is_hidden_behind_no_number) {
  const std::string before = stack().sql("SELECT count(*) FROM call_record");
  const Answer made = send({.method = "POST",
                            .url = stack().env("CC_API") + "/v1/calls",
                            .body = call_body("13980009001", customer("8042")),
                            .headers = {"Authorization: Bearer " + stack().env("CC_KEY_OTHER")}});
  BOOST_TEST(made.status == 400, made.text);
  BOOST_TEST(made.text.find("mainNum") != std::string::npos);
  BOOST_TEST(stack().sql("SELECT count(*) FROM call_record") == before);
  BOOST_TEST(stack().sql("SELECT count(*) FROM rejection WHERE code = 'invalid-request'") == "1");
}

BOOST_AUTO_TEST_CASE(a_call_that_must_hide_goes_to_no_channel_that_cannot) {
  const std::string must_hide = R"("business":"delivery")";
  // Neither where it is named,
  const Answer named = post(must_hide + R"(,"channel":"e9b")");
  BOOST_TEST(named.status == 400, named.text);
  BOOST_TEST(named.at("type").find("channel-unable") != std::string::npos);
  // nor by choice,
  set_channel(stack(), "e9", R"({"force":"open"})");
  const Answer chosen = post(must_hide);
  BOOST_TEST(chosen.status == 503, chosen.text);  // the operator may open it again
  BOOST_TEST(chosen.at("callId") == "");
  const Answer plain = post("");
  BOOST_TEST(plain.status == 201, plain.text);
  BOOST_TEST(plain.at("channel") == "e9b");
  set_channel(stack(), "e9", R"({"force":null})");
  // nor by failing over.
  stack().outage("simulator", R"({"connections":"refuse"})");
  const Answer failed = post(must_hide);
  BOOST_TEST(failed.status == 502, failed.text);
  const json::value record = stack().await_state(failed.at("callId"));
  BOOST_TEST(text_at(record, "closeType") == "7");
  BOOST_TEST(story(stack(), failed.at("callId")) == "e9 refused");
  const Answer shown_all = post("");
  BOOST_TEST(shown_all.at("channel") == "e9b", shown_all.text);
  stack().outage("simulator", R"({"connections":null})");
  BOOST_TEST(shown(stack().second_journal("request"), plain.at("callId")) == "- -");
  for (const json::object& line : stack().second_journal("request")) {
    BOOST_TEST(text_at(line, "body").find("fromSerNum") == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_number_that_is_not_approved_is_marked_and_not_its_channel) {
  const auto marked = [](const std::string& what) {
    return stack().sql("SELECT count FROM display_refusal WHERE channel = 'e9' AND " + what);
  };
  constexpr int calls = 12;  // enough to open a breaker, were they failures
  for (int i = 0; i < calls; ++i) {
    const Answer made = post(R"("business":"shop")", "8038");  // accepted, shown otherwise
    BOOST_TEST(made.status == 201, made.text);
    BOOST_TEST(text_at(stack().await_state(made.at("callId")), "closeType") == "0");
  }
  BOOST_TEST(marked("code = '900205' AND number = '" + main_number + "'") == std::to_string(calls));
  for (int i = 0; i < calls; ++i) {
    // Nobody's phone rang, but no other channel can hide the customer.
    const Answer made = post(R"("business":"shop","mainNum":"4009990000")");
    BOOST_TEST(made.status == 502, made.text);
    BOOST_TEST(text_at(stack().await_state(made.at("callId")), "closeType") == "6");
    BOOST_TEST(story(stack(), made.at("callId")) == "e9 refused");
  }
  BOOST_TEST(marked("code = '900204' AND number = '4009990000'") == std::to_string(calls));
  const json::value e9 = channel(stack(), "e9");
  BOOST_TEST(text_at(e9, "state") == "closed", json::serialize(e9));
  BOOST_TEST(text_at(e9, "failed") == "2");  // of the outage above
  BOOST_TEST(e9.at("refusedNumbers").as_array().size() == 2U);
  BOOST_TEST(post("").at("channel") == "e9");
  BOOST_TEST(stack().violations() == 0);
}
