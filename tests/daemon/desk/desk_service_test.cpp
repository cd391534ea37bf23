// What is shown of channels, in words and figures, and what becomes of what operators set.
#include "health/desk_service.hpp"

#include "agent_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

struct Fixture : AgentFixture {
  Fixture() {
    make_months(now_ms - day_ms, now_ms + day_ms);
    config.channels["hw"].priority = 50;
  }

  std::vector<ChannelReport> list(const std::string& tenant = "acme") {
    return wait_for(desk.list(tenant, std::nullopt));
  }
  ChannelReport get(const std::string& channel = "e9", const std::string& tenant = "acme") {
    std::vector<ChannelReport> reports = wait_for(desk.list(tenant, channel));
    BOOST_REQUIRE_EQUAL(reports.size(), 1U);
    return std::move(reports.front());
  }
  ChannelReport set(const ChannelWish& wish) {
    moved.at_ms += 1000;
    return wait_for(desk.set("acme", "e9", wish, "acme/admin")).value();
  }
  /// A call of e9 as it ended or goes on.
  void put_call(std::int64_t at_ms, int sequence, const std::string& state, bool connected) {
    sql("INSERT INTO call_record (id, tenant, channel, direction, initiator, state, conn_time, "
        "max_duration, created, updated) VALUES (" +
        std::to_string(make_call_id(at_ms, sequence)) + ", 'acme', 'e9', 'out', 'agent', '" +
        state + "', " + (connected ? "1" : "NULL") + ", 3600, 1, 1)");
  }

  DeskService desk{config, *pool, moved};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(desk_service, Fixture)

BOOST_AUTO_TEST_CASE(a_channel_of_which_nothing_is_known_is_whole) {
  const std::vector<ChannelReport> all = list();
  BOOST_REQUIRE(all.size() == 2U);
  BOOST_TEST(all[0].channel == "hw");  // by priority
  BOOST_TEST(all[0].priority == 50);
  BOOST_TEST(all[1].channel == "e9");
  BOOST_TEST(all[1].kind == "e9");
  BOOST_TEST(all[1].state == "closed");
  BOOST_TEST(all[1].standing == "whole");
  BOOST_TEST(all[1].why == "");
  BOOST_TEST(all[1].since == 0);
  BOOST_TEST(all[1].enabled);
  BOOST_TEST(!all[1].next_trial);
  BOOST_TEST(list("e9only").size() == 1U);
  BOOST_TEST(wait_for(desk.list("e9only", "hw")).empty());
  BOOST_TEST(wait_for(desk.list("acme", "sip")).empty());
  BOOST_TEST(list("nobody").empty());
}

BOOST_AUTO_TEST_CASE(the_state_is_told_with_reasons) {
  sql("INSERT INTO channel_health (channel, breaker, since, why, next_trial, event_p50, event_p99, "
      "missing) VALUES ('e9', 'open', 5, '7 of 10 failed', 77, 800, 2000, 3)");
  ChannelReport report = get();
  BOOST_TEST(report.state == "open");
  BOOST_TEST(report.standing == "out");
  BOOST_TEST(report.why == "7 of 10 failed");
  BOOST_TEST(report.since == 5);
  BOOST_TEST(report.next_trial.value() == 77);
  BOOST_TEST(report.event_p50.value() == 800);
  BOOST_TEST(report.event_p99.value() == 2000);
  BOOST_TEST(report.missing == 3);
  sql("UPDATE channel_health SET breaker = 'closed', silent = 9, silent_why = 'quiet', "
      "silent_next = 88");
  report = get();
  BOOST_TEST(report.state == "degraded");
  BOOST_TEST(report.standing == "degraded");
  BOOST_TEST(report.since == 9);
  BOOST_TEST(report.next_trial.value() == 88);
  sql("INSERT INTO channel_change (channel, at, was, state, why) SELECT 'e9', n, 'closed', "
      "'degraded', 'n' || n FROM generate_series(1, 25) AS n");
  report = get();
  BOOST_TEST(report.changes.size() == 20U);
  BOOST_TEST(report.changes[0].at == 25);
  BOOST_TEST(report.changes[0].why == "n25");
  BOOST_TEST(report.since == 25);
  BOOST_TEST(get("hw").changes.empty());
}

BOOST_AUTO_TEST_CASE(figures_are_of_the_last_minutes) {
  const auto verdict = [&](int call, const std::string& taken, const std::string& final,
                           std::int64_t judged) {
    sql("INSERT INTO channel_verdict (call, attempt, channel, begun, taken, final, judged) VALUES "
        "(" +
        std::to_string(call) + ", 1, 'e9', 1, " + taken + ", " + final + ", " +
        std::to_string(judged) + ")");
  };
  verdict(1, "0", "NULL", now_ms - 1000);
  verdict(2, "0", "1", now_ms - 1000);
  verdict(3, "2", "NULL", now_ms - 59'000);
  verdict(4, "2", "NULL", now_ms - 61'000);
  put_call(now_ms - 1000, 1, "close", true);
  put_call(now_ms - 1000, 2, "conn", true);
  put_call(now_ms - 599'000, 3, "close", false);
  put_call(now_ms - 1000, 4, "init", false);     // not known yet
  put_call(now_ms - 601'000, 5, "close", true);  // too long ago
  sql("INSERT INTO call_attempt (call, attempt, tenant, channel, agent, state, created, query_due) "
      "SELECT n, 1, 'acme', 'e9', 'x', 'accepted', 1, CASE WHEN n < 4 THEN 9 END FROM "
      "generate_series(1, 5) AS n");
  const ChannelReport report = get();
  BOOST_TEST(report.judged == 3);
  BOOST_TEST(report.failed == 2);
  BOOST_TEST(report.originated == 3);
  BOOST_TEST(report.answered == 2);
  BOOST_TEST(report.query_backlog == 3);
  BOOST_TEST(get("hw").judged == 0);
}

BOOST_AUTO_TEST_CASE(lines_are_the_tenants_own) {
  sql("INSERT INTO agent (channel, agent, tenant, handset, desired, actual, updated) VALUES "
      "('hw', '291', 'acme', '40001', 'online', 'online', 1), "
      "('hw', '292', 'acme', '40002', 'online', 'failing', 1), "
      "('hw', '293', 'acme', '40003', 'online', 'online', 1), "
      "('hw', '294', 'acme', '40004', 'online', 'online', 1), "
      "('hw', '295', 'acme', '40005', 'deleted', 'online', 1), "
      "('hw', '296', 'other', '40006', 'online', 'online', 1), "
      "('e9', '13900000001', 'acme', '13900000001', 'online', NULL, 1), "
      "('e9', '13900000002', 'acme', '13900000002', 'offline', NULL, 1)");
  occupy("hw/293", 7);
  sql("INSERT INTO claim (kind, resource, call, attempt, taken) VALUES ('handset', '40004', 8, 1, "
      "1)");
  ChannelReport report = get("hw");
  BOOST_TEST(report.lines_free == 1);
  BOOST_TEST(report.lines_busy == 2);
  BOOST_TEST(report.lines_offline == 1);
  report = get("e9");
  BOOST_TEST(report.lines_free == 1);
  BOOST_TEST(report.lines_busy == 0);
  BOOST_TEST(report.lines_offline == 1);
}

BOOST_AUTO_TEST_CASE(refused_numbers_are_the_channels_and_the_tenants) {
  sql("INSERT INTO display_refusal (tenant, channel, number, code, first, last, count) VALUES "
      "('acme', 'e9', '4001', '1003', 1, 5, 2), ('acme', 'e9', '4002', '1003', 1, 9, 1), "
      "('acme', 'hw', '4003', '7', 1, 9, 1), ('other', 'e9', '4004', '1003', 1, 9, 1)");
  const ChannelReport report = get();
  BOOST_REQUIRE(report.refused_numbers.size() == 2U);
  BOOST_TEST(report.refused_numbers[0].number == "4002");
  BOOST_TEST(report.refused_numbers[1].code == "1003");
  BOOST_TEST(report.refused_numbers[1].count == 2);
}

BOOST_AUTO_TEST_CASE(what_is_set_holds_until_it_is_taken_back) {
  ChannelWish wish;
  wish.forced = OptText("open");
  wish.priority = std::optional<int>(7);
  ChannelReport report = set(wish);
  BOOST_TEST(report.state == "forced_open");
  BOOST_TEST(report.standing == "shut");
  BOOST_TEST(report.forced.value() == "open");
  BOOST_TEST(report.priority == 7);
  BOOST_TEST(report.weight == 1);
  BOOST_TEST(report.since == moved.at_ms);
  BOOST_TEST(sql("SELECT set_by || ' ' || set_at FROM channel_health") ==
             "acme/admin " + std::to_string(moved.at_ms));
  BOOST_TEST(report.changes.at(0).was == "closed");
  BOOST_TEST(report.changes.at(0).state == "forced_open");

  wish = {};
  wish.weight = std::optional<int>(3);
  report = set(wish);  // no other state
  BOOST_TEST(report.changes.size() == 1U);
  BOOST_TEST(report.priority == 7);
  BOOST_TEST(report.weight == 3);

  wish = {};
  wish.forced.emplace();
  wish.priority.emplace();
  report = set(wish);
  BOOST_TEST(report.state == "closed");
  BOOST_TEST(!report.forced);
  BOOST_TEST(report.priority == 100);
  BOOST_TEST(report.weight == 3);
  BOOST_TEST(report.changes.size() == 2U);

  wish = {};
  wish.enabled = std::optional<bool>(false);
  report = set(wish);
  BOOST_TEST(report.state == "disabled");
  BOOST_TEST(report.standing == "shut");
  BOOST_TEST(!report.enabled);
  BOOST_TEST(report.why == "it is switched off");
}

BOOST_AUTO_TEST_CASE(those_who_may_use_it_are_told) {
  ChannelWish wish;
  wish.forced = OptText("closed");
  set(wish);
  BOOST_TEST(sql("SELECT string_agg(tenant, ' ' ORDER BY tenant) FROM change WHERE kind = "
                 "'channel.state' AND call IS NULL AND position IS NULL") == "acme e9only other");
  BOOST_TEST(sql("SELECT DISTINCT data->>'channel' || ' ' || (data->>'was') || ' ' || "
                 "(data->>'state') || ' ' || (data->>'why') FROM change") ==
             "e9 closed forced_closed an operator set it");
  BOOST_TEST(!wait_for(desk.set("e9only", "hw", wish, "x")));
  BOOST_TEST(!wait_for(desk.set("acme", "sip", wish, "x")));
  BOOST_TEST(sql("SELECT count(*) FROM channel_health") == "1");
}

BOOST_AUTO_TEST_CASE(what_the_breaker_knows_is_left_alone) {
  sql("INSERT INTO channel_health (channel, breaker, since, why, next_trial) VALUES "
      "('e9', 'open', 5, '7 of 10 failed', 77)");
  ChannelWish wish;
  wish.priority = std::optional<int>(7);
  const ChannelReport report = set(wish);
  BOOST_TEST(report.state == "open");
  BOOST_TEST(report.changes.empty());
  BOOST_TEST(sql("SELECT breaker || since || why || next_trial FROM channel_health") ==
             "open57 of 10 failed77");
}

BOOST_AUTO_TEST_SUITE_END()
