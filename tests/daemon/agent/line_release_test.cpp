// A line that is freed by hand: what its call loses, is asked about and tells of it.
#include "agent_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

using Code = AgentRefusal::Code;

struct Fixture : AgentFixture {
  Fixture() { make_months(now_ms - day_ms, now_ms + day_ms); }

  /// A call of tenant demo on 13900000001, which holds its line and handset.
  std::int64_t make_stuck_call() {
    const std::int64_t call = make_call(now_ms - 60'000, ++sequence, "13812345678");
    hear(call, "CallInvite", now_ms - 59'000);
    hold(call);
    return call;
  }
  void hold(std::int64_t call) {
    const std::string id = std::to_string(call);
    sql("INSERT INTO claim (kind, resource, call, attempt, taken) VALUES ('line', "
        "'e9/13900000001', " +
        id + ", 1, 1), ('handset', '13900000001', " + id + ", 1, 1)");
  }
  void make_agent(const std::string& tenant) {
    sql("INSERT INTO agent (channel, agent, tenant, handset, desired, updated) VALUES "
        "('e9', '13900000001', '" +
        tenant + "', '13900000001', 'online', 1)");
  }

  std::variant<Release, AgentRefusal> try_release(const std::string& tenant = "demo") {
    moved.at_ms += 1000;
    ReleaseOrder order;
    order.tenant = tenant;
    order.channel = "e9";
    order.agent = "+86 139-0000-0001";
    order.reason = "the phone is free";
    order.request_id = "request-7";
    return wait_for(service.release(order));
  }
  Release release() {
    auto result = try_release();
    if (const auto* refusal = std::get_if<AgentRefusal>(&result)) BOOST_FAIL(refusal->detail);
    return std::get<Release>(std::move(result));
  }
  Code refused(const std::string& tenant) {
    auto result = try_release(tenant);
    BOOST_REQUIRE(std::holds_alternative<AgentRefusal>(result));
    return std::get<AgentRefusal>(result).code;
  }
  std::string held() { return sql("SELECT count(*) FROM claim WHERE released IS NULL"); }
  std::string events() {
    return sql("SELECT count(*) FROM call_event WHERE name = 'line.released'");
  }

  int sequence = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(line_release, Fixture)

BOOST_AUTO_TEST_CASE(the_call_lets_go_and_is_asked_about) {
  const std::int64_t call = make_stuck_call();
  sql("INSERT INTO claim (kind, resource, call, attempt, taken) VALUES ('line', 'hw/291', 5, 1, "
      "1)");
  const std::string record = sql("SELECT * FROM call_record");
  const Release done = release();  // the line is no agent
  BOOST_TEST(done.call.value() == call);
  BOOST_TEST(done.agent.channel == "e9");
  BOOST_TEST(done.agent.agent == "13900000001");
  BOOST_TEST(done.agent.desired == "");
  const std::string now = std::to_string(moved.at_ms);
  BOOST_TEST(sql("SELECT count(*) FROM claim WHERE released = " + now) == "2");
  BOOST_TEST(held() == "1");
  BOOST_TEST(sql("SELECT query_asked || ' ' || query_due FROM call_attempt") == now + " " + now);
  BOOST_TEST(sql("SELECT attempt || ' ' || source || ' ' || received || ' ' || (facts->>'reason') "
                 "|| ' ' || (facts->>'request_id') FROM call_event WHERE name = 'line.released'") ==
             "1 cc " + now + " the phone is free request-7");
  BOOST_TEST(sql("SELECT * FROM call_record") == record);  // what is known of the call is the same
}

BOOST_AUTO_TEST_CASE(a_free_line_stays_as_it_is) {
  make_stuck_call();
  make_agent("demo");
  release();
  const std::string asked = sql("SELECT query_asked FROM call_attempt");
  const Release done = release();
  BOOST_TEST(!done.call);
  BOOST_TEST(done.agent.desired == "online");
  BOOST_TEST(!done.agent.call);
  BOOST_TEST(sql("SELECT query_asked FROM call_attempt") == asked);
  BOOST_TEST(events() == "1");
}

BOOST_AUTO_TEST_CASE(each_time_is_told) {
  const std::int64_t call = make_stuck_call();
  release();
  hold(call);  // it lived on
  BOOST_TEST(release().call.value() == call);
  BOOST_TEST(held() == "0");
  BOOST_TEST(events() == "2");
}

BOOST_AUTO_TEST_CASE(a_call_without_the_channels_id_is_not_asked_about) {
  hold(make_call(now_ms - 60'000, 1, "13812345678"));
  BOOST_TEST(release().call.has_value());
  BOOST_TEST(sql("SELECT count(query_asked) + count(query_due) FROM call_attempt") == "0");
}

BOOST_AUTO_TEST_CASE(whose_line_it_is) {
  BOOST_TEST((refused("demo") == Code::not_found));
  make_stuck_call();
  BOOST_TEST((refused("acme") == Code::not_found));
  make_agent("acme");
  BOOST_TEST((refused("acme") == Code::line_busy));
  BOOST_TEST(held() == "2");
  BOOST_TEST(events() == "0");
}

BOOST_AUTO_TEST_CASE(a_claim_that_is_due_holds_nothing) {
  make_stuck_call();
  make_agent("demo");
  sql("UPDATE claim SET release_at = 1");
  BOOST_TEST(!release().call);
  BOOST_TEST(held() == "2");
}

BOOST_AUTO_TEST_SUITE_END()
