// A record is its history's fold, and can be made of it again.
#include "store/rebuild.hpp"

#include "store_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

struct Fixture : StoreFixture {
  Fixture() { make_months(now_ms - 40 * day_ms, now_ms + day_ms); }

  /// Three whole calls and one under way.
  void make_calls() {
    for (int i = 0; i < 3; ++i) {
      calls.push_back(make_closed_call(now_ms - i * day_ms, i, "1380000000" + std::to_string(i)));
    }
    calls.push_back(make_call(now_ms, 9, "13800000009"));
    hear(calls.back(), "CallInvite", now_ms + 900);
  }

  RebuildReport rebuild_all(bool write = false, bool from_raw = false) {
    RebuildOptions options{0, INT64_MAX, write, from_raw};
    told.clear();
    return wait_for(rebuild(*pool, channels, options, now_ms + day_ms,
                            [this](const FieldDifference& d) { told.push_back(d); }));
  }

  std::string id(std::size_t index) const { return std::to_string(calls[index]); }

  std::vector<std::int64_t> calls;
  std::vector<FieldDifference> told;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rebuilding, Fixture)

BOOST_AUTO_TEST_CASE(an_honest_history_gives_no_difference) {
  make_calls();
  BOOST_TEST(sql("SELECT count(*) FROM call_record WHERE state = 'close'") == "3");
  for (const bool from_raw : {false, true}) {
    const RebuildReport report = rebuild_all(false, from_raw);
    BOOST_TEST(report.calls == 4U);
    BOOST_TEST(report.differing == 0U);
    BOOST_TEST(report.unreadable == 0U);
    BOOST_TEST(told.empty());
  }
}

BOOST_AUTO_TEST_CASE(a_tampered_column_is_told_and_mended) {
  make_calls();
  const std::string before =
      sql("SELECT close_type, close_time, duration FROM call_record WHERE id = " + id(1));
  sql("UPDATE call_record SET close_type = '4', duration = NULL WHERE id = " + id(1));
  sql("UPDATE call_record SET version = version + 7, updated = 1 WHERE id = " +
      id(2));  // no matter
  RebuildReport report = rebuild_all();
  BOOST_TEST(report.differing == 1U);
  BOOST_TEST(report.written == 0U);
  BOOST_REQUIRE_EQUAL(told.size(), 2U);
  BOOST_TEST(told[0].call == calls[1]);
  BOOST_TEST(told[0].field == "duration");
  BOOST_TEST(!told[0].stored.has_value());
  BOOST_TEST(told[0].folded.value() == "60");
  BOOST_TEST(told[1].field == "close_type");
  BOOST_TEST(told[1].stored.value() == "4");
  BOOST_TEST(sql("SELECT close_type FROM call_record WHERE id = " + id(1)) == "4");  // a dry run

  report = rebuild_all(true);
  BOOST_TEST(report.differing == 1U);
  BOOST_TEST(report.written == 1U);
  BOOST_TEST(sql("SELECT close_type, close_time, duration FROM call_record WHERE id = " + id(1)) ==
             before);
  BOOST_TEST(sql("SELECT kind FROM change WHERE call = " + id(1) + " ORDER BY id DESC LIMIT 1") ==
             "call.amended");
  BOOST_TEST(rebuild_all().differing == 0U);
}

BOOST_AUTO_TEST_CASE(the_bytes_tell_what_the_stored_facts_have_lost) {
  make_calls();
  const std::string reason = "SELECT close_type, close_detail FROM call_record WHERE id = " + id(0);
  const std::string before = sql(reason);
  sql("UPDATE call_event SET facts = facts - 'close' WHERE name = 'closed' AND call = " + id(0));
  sql("DELETE FROM call_event WHERE name = 'a.calling' AND call = " + id(0));
  BOOST_TEST(rebuild_all(false, false).differing == 1U);
  BOOST_TEST(rebuild_all(true, false).written == 1U);  // now record and facts agree, and are wrong
  BOOST_TEST(rebuild_all(false, false).differing == 0U);
  BOOST_TEST(sql(reason) != before);

  const RebuildReport report = rebuild_all(true, true);
  BOOST_TEST(report.differing == 1U);
  BOOST_TEST(report.written == 1U);
  BOOST_TEST(sql(reason) == before);
  BOOST_TEST(rebuild_all(false, true).differing == 0U);
  BOOST_TEST(rebuild_all(false, false).differing == 0U);
}

BOOST_AUTO_TEST_CASE(a_call_without_its_history_is_left_as_it_is) {
  make_calls();
  sql("DELETE FROM call_event WHERE call = " + id(0));
  const std::string before = sql("SELECT r FROM call_record r WHERE id = " + id(0));
  const RebuildReport report = rebuild_all(true);
  BOOST_TEST(report.no_history == 1U);
  BOOST_TEST(report.differing == 0U);
  BOOST_TEST(sql("SELECT r FROM call_record r WHERE id = " + id(0)) == before);
}

BOOST_AUTO_TEST_CASE(a_delivery_of_a_channel_that_is_gone_keeps_its_events) {
  make_calls();
  channels.configure({});
  const RebuildReport report = rebuild_all(true, true);
  BOOST_TEST(report.unreadable == 10U);
  BOOST_TEST(report.differing == 0U);
}

BOOST_AUTO_TEST_CASE(many_calls_are_read_page_by_page) {
  sql("INSERT INTO call_record (id, tenant, direction, initiator, max_duration, created, updated, "
      "version) SELECT " +
      std::to_string(make_call_id(now_ms, 0)) +
      " + n, 'demo', 'out', 'agent', 60, 1, 1, 1 FROM generate_series(1, 450) AS n;"
      "INSERT INTO call_event (call, event_key, source, name, received, facts) SELECT id, 'k', "
      "'cc', 'attempt.sent', 1, '{}' FROM call_record; UPDATE call_record SET progress = 'sent'");
  BOOST_TEST(rebuild_all().calls == 450U);
  const std::size_t once = told.size();
  BOOST_TEST(once % 450 == 0U);  // each call once, all the same
}

BOOST_AUTO_TEST_CASE(ranges_are_dates_or_ids) {
  const auto days = parse_range("2026-06-01..2026-06-02");
  BOOST_REQUIRE(days);
  BOOST_TEST(call_id_time_ms(days->from) == 1'780'272'000'000);
  BOOST_TEST(call_id_time_ms(days->to) == 1'780'272'000'000 + 2 * day_ms - 1);
  BOOST_REQUIRE(parse_range("1970-01-01..9999-12-31"));
  const auto ids = parse_range("17..2026-06-02");
  BOOST_REQUIRE(ids);
  BOOST_TEST(ids->from == 17);
  for (const char* wrong : {"", "..", "2026-06-01", "2026-06-31..2026-07-01", "5..4", "a..b",
                            "2026-6-1..2026-6-2", "-5..7", "1..2..3", "2026-06-02..2026-06-01"}) {
    BOOST_TEST(!parse_range(wrong), wrong);
  }
}

BOOST_AUTO_TEST_SUITE_END()
