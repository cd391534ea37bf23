// Whose word each call's end rests on, and that the channels are asked for what they still owe.
#include "call/reconciliation.hpp"

#include "store_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

constexpr Millis give_up{47 * 3'600'000};
constexpr Millis at{12'600'000};  // 03:30 in UTC+8, where now_ms is 20:00
constexpr std::int64_t hour_ms = 3'600'000;

const Day today = Day::of(now_ms);
const Day yesterday = today.plus(-1);

struct Fixture : StoreFixture {
  Fixture() { make_months(now_ms - 40 * day_ms, now_ms + day_ms); }

  void change_attempt(std::int64_t call, const std::string& assignments) {
    sql("UPDATE call_attempt SET " + assignments + " WHERE call = " + std::to_string(call));
  }

  /// Accepted by the channel; then only our own clock closed it.
  std::int64_t make_lapsed_call(std::int64_t at_ms, int sequence) {
    const std::int64_t id = make_call(at_ms, sequence, "13800000001");
    change_attempt(id, "state = 'accepted', channel_call_id = '" + channel_call(id) + "'");
    sql("UPDATE call_record SET state = 'close', close_source = 'cc', close_type = '255', "
        "close_detail = 'no_final_event', channel = 'e9' WHERE id = " +
        std::to_string(id));
    return id;
  }

  Reconciled run(Day day) { return wait_for(reconcile(*pool, day, day, give_up, now_ms)); }

  std::string standing_of(std::int64_t call, const DayFilter& filter = {}) {
    for (const OwedCall& owed : wait_for(list_owed(*pool, yesterday, filter, 0, 100))) {
      if (owed.id == call) return owed.standing;
    }
    return "none";
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(reconciliation, Fixture)

BOOST_AUTO_TEST_CASE(days_are_the_channels) {
  BOOST_TEST(today.text() == "2026-06-15");
  BOOST_TEST(Day::of(now_ms + 4 * hour_ms - 1).text() == "2026-06-15");
  BOOST_TEST(Day::of(now_ms + 4 * hour_ms).text() == "2026-06-16");
  BOOST_TEST((Day::parse("2026-06-15") == today));
  BOOST_TEST(Day::parse("2024-02-29")->plus(1).text() == "2024-03-01");
  for (const char* text : {"", "2026-6-15", "2026-06-31", "2026-06-15 ", "20260615", "2019-12-31",
                           "2100-01-01", "2026-06-1x", "yesterday!"}) {
    BOOST_TEST(!Day::parse(text), text);
  }
}

BOOST_AUTO_TEST_CASE(every_call_stands_somewhere) {
  const std::int64_t begin = yesterday.begin_ms();
  make_closed_call(begin, 1, "13800000001");
  const std::int64_t open = make_call(begin + 1, 2, "13800000001");
  const std::int64_t asking = make_lapsed_call(begin + 2, 3);
  change_attempt(asking, "query_due = 1");
  const std::int64_t given_up = make_lapsed_call(begin + 3, 4);
  change_attempt(given_up, "query_problem = 'given up: 900219 for 13812345678'");
  const std::int64_t unnamed = make_lapsed_call(begin + 4, 5);
  change_attempt(unnamed, "state = 'unknown', channel_call_id = NULL");
  const std::int64_t unasked = make_lapsed_call(begin + 5, 6);
  change_attempt(unasked, "created = created - 8640000000");
  const std::int64_t refused = make_lapsed_call(begin + 6, 7);
  change_attempt(refused, "state = 'refused', channel_call_id = NULL");
  // Neither of the day, nor to be counted at all.
  make_lapsed_call(begin - 1, 8);
  make_lapsed_call(yesterday.end_ms(), 9);
  sql("UPDATE call_record SET merged_into = 1 WHERE id = " +
      std::to_string(make_lapsed_call(begin + 7, 10)));

  const Reconciled result = run(yesterday);
  BOOST_TEST(result.asked == 0U);
  BOOST_REQUIRE_EQUAL(result.days.size(), 1U);
  const ReconciledDay& day = result.days[0];
  BOOST_TEST(day.day == "2026-06-14");
  BOOST_TEST(day.tenant == "demo");
  BOOST_TEST(day.channel == "e9");
  BOOST_TEST(day.calls == 7);
  BOOST_TEST(day.final == 1);
  BOOST_TEST(day.refused == 1);
  BOOST_TEST(day.open == 1);
  BOOST_TEST(day.asking == 1);
  BOOST_TEST(day.given_up == 1);
  BOOST_TEST(day.unnamed == 1);
  BOOST_TEST(day.unasked == 1);
  BOOST_TEST(day.lost() == 3);

  BOOST_TEST(standing_of(open) == "open");
  BOOST_TEST(standing_of(asking) == "asking");
  BOOST_TEST(standing_of(given_up) == "given_up");
  BOOST_TEST(standing_of(unnamed) == "unnamed");
  BOOST_TEST(standing_of(unasked) == "unasked");
  BOOST_TEST(standing_of(refused) == "none");
  DayFilter foreign;
  foreign.tenant = "other";
  BOOST_TEST(standing_of(open, foreign) == "none");
  // Page by page.
  const auto first = wait_for(list_owed(*pool, yesterday, {}, 0, 2));
  BOOST_REQUIRE_EQUAL(first.size(), 2U);
  BOOST_TEST(first[1].id == asking);
  BOOST_TEST(wait_for(list_owed(*pool, yesterday, {}, asking, 100)).size() == 3U);
}

BOOST_AUTO_TEST_CASE(what_nobody_asked_for_is_asked_for) {
  const std::int64_t call = make_lapsed_call(yesterday.begin_ms() + hour_ms, 1);
  BOOST_TEST(standing_of(call) == "unasked");
  const Reconciled result = run(yesterday);
  BOOST_TEST(result.asked == 1U);
  BOOST_REQUIRE_EQUAL(result.days.size(), 1U);
  BOOST_TEST(result.days[0].asking == 1);
  BOOST_TEST(sql("SELECT query_due FROM call_attempt") == std::to_string(now_ms));
  BOOST_TEST(run(yesterday).asked == 0U);  // once is enough
  // The channel's own word settles it, and the day is counted anew.
  hear(call, "Hangup", now_ms, "<duration>60</duration><byeType>1</byeType>");
  BOOST_TEST(run(yesterday).days[0].final == 1);
  BOOST_TEST(standing_of(call) == "none");
}

BOOST_AUTO_TEST_CASE(once_a_day_by_one_daemon) {
  make_lapsed_call(yesterday.begin_ms() + hour_ms, 1);
  make_lapsed_call(today.plus(-3).begin_ms() + hour_ms, 2);  // its channel has forgotten it
  make_lapsed_call(today.plus(-9).begin_ms() + hour_ms, 3);  // nothing changes that any more
  make_call(today.begin_ms() + hour_ms, 4, "13800000001");   // nobody owes a word of it yet
  const auto daily = [&](std::int64_t when_ms) {
    return wait_for(reconcile_daily(*pool, at, give_up, when_ms));
  };
  const auto done = daily(now_ms);
  BOOST_REQUIRE(done.has_value());
  BOOST_TEST(done->asked == 1U);
  BOOST_REQUIRE_EQUAL(done->days.size(), 2U);
  BOOST_TEST(done->days[0].unasked == 1);
  BOOST_TEST(done->days[1].asking == 1);
  BOOST_TEST(!daily(now_ms + hour_ms).has_value());
  // One that died in its midst has not done it: another takes the turn when it has had its time.
  sql("UPDATE daily_work SET day = day - 1");
  BOOST_TEST(!daily(now_ms + 600'000).has_value());
  BOOST_TEST(daily(now_ms + 600'001).has_value());
  const std::int64_t next = today.plus(1).begin_ms() + at.count();
  BOOST_TEST(!daily(next - 1).has_value());
  BOOST_TEST(daily(next).has_value());
  BOOST_TEST(!daily(next).has_value());
  BOOST_TEST(wait_for(list_days(*pool, today.plus(-30), today, {})).size() == 3U);
  DayFilter filter;
  filter.channel = "hw";
  BOOST_TEST(wait_for(list_days(*pool, today.plus(-30), today, filter)).empty());
}

BOOST_AUTO_TEST_CASE(a_count_that_no_call_stands_behind_any_more_goes) {
  const std::int64_t call = make_lapsed_call(yesterday.begin_ms() + hour_ms, 1);
  BOOST_TEST(run(yesterday).days.size() == 1U);
  sql("UPDATE call_record SET merged_into = 1 WHERE id = " + std::to_string(call));
  BOOST_TEST(wait_for(reconcile(*pool, yesterday, yesterday, give_up, now_ms + 1)).days.empty());
  BOOST_TEST(sql("SELECT count(*) FROM reconciliation") == "0");
}

BOOST_AUTO_TEST_CASE(what_is_not_kept_any_more_keeps_its_last_count) {
  const std::int64_t call = make_lapsed_call(yesterday.begin_ms() + hour_ms, 1);
  BOOST_TEST(run(yesterday).days.size() == 1U);
  sql("DELETE FROM call_attempt");
  BOOST_TEST(wait_for(reconcile(*pool, yesterday, yesterday, give_up, now_ms + 1)).days.empty());
  BOOST_TEST(standing_of(call) == "purged");
  sql("DELETE FROM call_record");
  BOOST_TEST(wait_for(reconcile(*pool, yesterday, yesterday, give_up, now_ms + 2)).days.empty());
  BOOST_TEST(sql("SELECT asking || ' ' || looked FROM reconciliation") ==
             "1 " + std::to_string(now_ms));
}

BOOST_AUTO_TEST_SUITE_END()
