// Calls that nobody here began: they get a record of their own, of the right tenant, and lose it to
// the call that they prove to be.
#include <boost/test/unit_test.hpp>

#include "stack.hpp"

using namespace cc::test;

namespace {

struct Callback {
  std::string action = "CallInvite";
  std::string channel_call;
  std::string caller = "13900000001";
  std::string called = "13800000001";
  std::string user_data = {};
  std::string more = {};
};

std::string xml(const Stack& stack, const Callback& callback) {
  return "<?xml version='1.0'?><req><action>" + callback.action + "</action><type>1</type><appId>" +
         stack.env("CC_E9_APP_ID") + "</appId><caller>" + callback.caller + "</caller><called>" +
         callback.called + "</called><userFlag>0</userFlag><subType>0</subType><callId>" +
         callback.channel_call + "</callId><userData>" + callback.user_data + "</userData>" +
         callback.more + "</req>";
}

void call_back(const Stack& stack, const Callback& callback) {
  const Answer answer =
      send({.method = "POST",
            .url = stack.env("CC_NGINX") + "/callback/e9/" + stack.env("CC_TOKEN"),
            .body = xml(stack, callback)});
  BOOST_REQUIRE_EQUAL(answer.status, 200);
}

std::string channel_call(char digit) {
  return std::string(32, digit);
}

/// The record that a channel's call has, as soon as it has one.
std::string record_of(const Stack& stack, const std::string& channel_call) {
  std::string id;
  BOOST_REQUIRE(eventually([&] {
    id = stack.sql("SELECT call FROM call_attempt WHERE channel_call_id = '" + channel_call + "'");
    return !id.empty();
  }));
  return id;
}

Stack& stack() {
  static Stack instance("20");
  return instance;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_call_that_is_nobodys_gets_a_record) {
  const std::string hangup = "<duration>0</duration><byeType>2</byeType>";
  call_back(stack(), {.channel_call = channel_call('1')});
  const std::string id = record_of(stack(), channel_call('1'));
  call_back(stack(), {.action = "Hangup", .channel_call = channel_call('1'), .more = hangup});
  const json::value record = stack().await_state(id);
  BOOST_TEST(text_at(record, "direction") == "in");
  BOOST_TEST(text_at(record, "closeType") == "2");
  BOOST_TEST(stack().sql("SELECT count(*) FROM call_record") == "1");
  BOOST_TEST(stack().sql("SELECT count(*) FROM call_event WHERE call = " + id +
                         " AND source = 'callback'") == "2");
  BOOST_TEST(stack().sql("SELECT count(*) FROM waiting_event") == "0");
  BOOST_TEST(stack().sql("SELECT count(*) FROM dead_letter") == "0");
  BOOST_TEST(stack().sql("SELECT count(*) FROM claim WHERE released IS NULL") == "0");
  BOOST_TEST(stack().sql("SELECT kind FROM change WHERE call = " + id + " ORDER BY version") ==
             "call.created\ncall.closed");
}

BOOST_AUTO_TEST_CASE(its_tenant_is_whose_number_was_called) {
  stack().sql(
      "INSERT INTO number (main_num, ext_num, tenant, updated) VALUES "
      "('4008001', '', 'short', 0), ('4008001', '22', 'other', 0)");
  call_back(stack(),
            {.channel_call = channel_call('2'), .caller = "13900000002", .called = "400800122"});
  const std::string id = record_of(stack(), channel_call('2'));
  BOOST_TEST(stack().sql("SELECT tenant || ' ' || main_num || ' ' || ext_num FROM call_record "
                         "WHERE id = " +
                         id) == "other 4008001 22");
  BOOST_TEST(stack().get("/v1/calls/" + id).status == 404);  // another tenant's
}

BOOST_AUTO_TEST_CASE(a_call_on_a_line_that_is_held_is_counted_and_takes_nothing) {
  call_back(stack(), {.channel_call = channel_call('3'), .caller = "13900000003"});
  const std::string first = record_of(stack(), channel_call('3'));
  call_back(stack(), {.channel_call = channel_call('4'), .caller = "13900000003"});
  const std::string second = record_of(stack(), channel_call('4'));
  BOOST_TEST(stack().sql("SELECT string_agg(DISTINCT call::text, ' ') FROM claim WHERE released IS "
                         "NULL AND resource LIKE '%13900000003'") == first);
  BOOST_TEST(eventually([&] {
    return send({.url = stack().env("CC_API") + "/metrics"})
               .text.find("cc_claim_conflicts_total 2") != std::string::npos;
  }));
}

BOOST_AUTO_TEST_CASE(what_proves_to_be_a_known_call_is_merged_into_it) {
  call_back(stack(), {.channel_call = channel_call('5'), .caller = "13900000005"});
  const std::string other = record_of(stack(), channel_call('5'));
  // The echo tells whose call it is; that one has no record here, as if PostgreSQL was set back.
  const std::string survivor = std::to_string(std::stoll(other) + 7);
  call_back(stack(), {.action = "CallEstablish",
                      .channel_call = channel_call('5'),
                      .caller = "13900000005",
                      .user_data = "cc1." + survivor + ".1"});
  BOOST_REQUIRE(eventually([&] {
    return stack().sql("SELECT merged_into FROM call_record WHERE id = " + other) == survivor;
  }));
  BOOST_TEST(stack().sql("SELECT count(*) FROM call_event WHERE call = " + survivor +
                         " AND source = 'callback'") == "2");
  BOOST_TEST(stack().sql("SELECT count(*) FROM call_event WHERE call = " + other) == "0");
  BOOST_TEST(stack().sql("SELECT call FROM call_attempt WHERE channel_call_id = '" +
                         channel_call('5') + "'") == survivor);
  BOOST_TEST(stack().sql("SELECT count(*) FROM claim WHERE released IS NULL AND call = " + other) ==
             "0");
  BOOST_TEST(stack().sql("SELECT data->>'into' FROM change WHERE kind = 'call.merged' AND call = " +
                         other) == survivor);
  const Answer asked = stack().get("/v1/calls/" + other);
  BOOST_TEST(asked.status == 200);
  BOOST_TEST(asked.at("callId") == survivor);
  BOOST_TEST(asked.at("state") == "conn");
  // What comes later finds its way.
  call_back(stack(), {.action = "Hangup",
                      .channel_call = channel_call('5'),
                      .caller = "13900000005",
                      .more = "<duration>9</duration><byeType>0</byeType>"});
  stack().await_state(survivor);
  BOOST_TEST(stack().sql("SELECT count(*) FROM dead_letter") == "0");
}

BOOST_AUTO_TEST_CASE(a_crash_while_merging_forgets_nothing) {
  call_back(stack(), {.channel_call = channel_call('7'), .caller = "13900000007"});
  const std::string other = record_of(stack(), channel_call('7'));
  // A call of ours whose channel never told its id, to other numbers: no candidate for the
  // stranger.
  const std::string survivor = std::to_string(std::stoll(other) + 7);
  stack().sql(
      "WITH r AS (INSERT INTO call_record (id, tenant, direction, initiator, caller, called, "
      "max_duration, created, updated) SELECT " +
      survivor +
      ", 'demo', 'out', 'agent', '13911111117', '13811111117', 3600, now_ms, now_ms FROM (SELECT "
      "(extract(epoch FROM now()) * 1000)::bigint AS now_ms) AS t RETURNING *) "
      "INSERT INTO call_attempt (call, attempt, tenant, channel, agent, handset, caller, called, "
      "state, created, sent) SELECT id, 1, tenant, 'e9', caller, caller, caller, called, "
      "'unknown', "
      "created, created FROM r");
  stack().part("restart", "ccd", {"--fault", "merge.moved"});
  call_back(stack(), {.action = "CallEstablish",
                      .channel_call = channel_call('7'),
                      .caller = "13911111117",
                      .called = "13811111117",
                      .user_data = "cc1." + survivor + ".1"});
  BOOST_REQUIRE(eventually([&] { return !stack().running("ccd"); }));
  BOOST_TEST(stack().sql("SELECT count(*) FROM call_event WHERE call = " + other) != "0");
  stack().part("start", "ccd");
  BOOST_REQUIRE(eventually([&] {
    return stack().sql("SELECT merged_into FROM call_record WHERE id = " + other) == survivor;
  }));
  BOOST_TEST(eventually([&] {
    return stack().sql("SELECT count(*) FROM call_event WHERE call = " + survivor +
                       " AND source = 'callback'") == "2";
  }));
  BOOST_TEST(stack().get("/v1/calls/" + survivor).at("state") == "conn");
}

BOOST_AUTO_TEST_CASE(while_a_candidate_is_being_sent_events_wait_and_go_to_it) {
  // The simulator calls back before it answers, and without our echo.
  const Answer made = stack().post("/v1/calls", call_body("13900000006", "13800008025"));
  BOOST_REQUIRE_EQUAL(made.status, 202);
  stack().await_state(made.at("callId"));
  BOOST_TEST(stack().sql("SELECT count(*) FROM call_record WHERE caller = '13900000006'") == "1");
}
