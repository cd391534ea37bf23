// Old months go whole, the newest stay, and nothing that is in use is ever touched.
#include "store/retention.hpp"

#include "store/purge.hpp"
#include "store_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

const std::string months =
    "SELECT string_agg(child, ' ' ORDER BY child) FROM cc_partitions('call_record')";
const std::string event_months =
    "SELECT string_agg(child, ' ' ORDER BY child) FROM cc_partitions('call_event')";

/// 2026-<month>-15T12:00Z, or that of the year before.
std::int64_t middle_of(int month, int year = 2026) {
  return std::chrono::duration_cast<Millis>(
             std::chrono::sys_days(std::chrono::year(year) / month / 15).time_since_epoch())
             .count() +
         12 * 3'600'000;
}

Retention keep(int records, int events) {
  Retention retention;
  retention.records = retention.attempts = records;
  retention.events = events;
  return retention;
}

struct Fixture : StoreFixture {
  Fixture() { make_months(middle_of(12, 2025), middle_of(8)); }

  RetentionReport drop(const Retention& retention) {
    return wait_for(drop_old_months(*pool, retention, now_ms));
  }
};

using Names = std::vector<std::string>;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(retention, Fixture)

BOOST_AUTO_TEST_CASE(old_months_go_and_the_newest_stay) {
  for (const int month : {1, 2, 3, 6}) {
    make_closed_call(middle_of(month), month, "13800000001");
  }
  sql("UPDATE claim SET released = 1");
  const RetentionReport report = drop(keep(120, 90));  // since 15 February, since 17 March
  BOOST_TEST(report.kept_back.empty());
  BOOST_TEST(report.busy.empty());
  BOOST_TEST(sql(months) ==
             "call_record_202602 call_record_202603 call_record_202604 call_record_202605 "
             "call_record_202606 call_record_202607 call_record_202608");
  BOOST_TEST(sql(event_months) ==
             "call_event_202603 call_event_202604 call_event_202605 call_event_202606 "
             "call_event_202607 call_event_202608");
  BOOST_TEST(report.dropped.size() == 5U);
  BOOST_TEST(sql("SELECT count(*) FROM call_record") == "3");
  BOOST_TEST(sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'retired%'") == "0");
  // Once more there is nothing to do, and what is made anew each hour is not what was dropped.
  BOOST_TEST(drop(keep(120, 90)).dropped.empty());
  BOOST_TEST(wait_for(make_partitions(*pool, now_ms)) == 2);  // September
  BOOST_TEST(drop(keep(90, 90)).dropped == Names{"call_record_202602"});
}

BOOST_AUTO_TEST_CASE(for_ever_is_for_ever) {
  BOOST_TEST(drop(keep(0, 0)).dropped.empty());
  BOOST_TEST(sql("SELECT count(*) FROM cc_partitions('call_record')") == "9");
}

BOOST_AUTO_TEST_CASE(an_open_call_keeps_its_month) {
  const std::int64_t open = make_call(middle_of(1), 1, "13800000001");
  make_closed_call(middle_of(2), 2, "13800000002");
  const RetentionReport report = drop(keep(90, 90));
  BOOST_TEST(report.kept_back == (Names{"call_event_202601", "call_record_202601"}));
  BOOST_TEST(report.dropped == (Names{"call_event_202512", "call_event_202602",
                                      "call_record_202512", "call_record_202602"}));
  hear(open, "Hangup", middle_of(6), "<duration>0</duration><byeType>2</byeType>");
  BOOST_TEST(drop(keep(90, 90)).dropped == (Names{"call_event_202601", "call_record_202601"}));
}

BOOST_AUTO_TEST_CASE(a_held_claim_keeps_its_month) {
  const std::int64_t closed = make_closed_call(middle_of(1), 1, "13800000001");
  sql("INSERT INTO claim (kind, resource, call, attempt, taken) VALUES ('line', 'e9/1', " +
      std::to_string(closed) + ", 1, 0)");
  BOOST_TEST(drop(keep(90, 90)).kept_back == (Names{"call_event_202601", "call_record_202601"}));
  sql("UPDATE claim SET released = 1");
  BOOST_TEST(drop(keep(90, 90)).dropped == (Names{"call_event_202601", "call_record_202601"}));
}

BOOST_AUTO_TEST_CASE(whoever_reads_or_drains_is_never_kept_waiting) {
  make_closed_call(middle_of(1), 1, "13800000001");
  const auto read_and_drop = [&]() -> asio::awaitable<RetentionReport> {
    pg::Transaction reader = co_await pool->begin();
    co_await reader.query("SELECT count(*) FROM call_record");
    const RetentionReport busy = co_await drop_old_months(*pool, keep(90, 0), now_ms);
    co_await reader.query("SELECT count(*) FROM call_record");  // still at work
    co_await reader.commit();
    co_return busy;
  };
  const auto begun = std::chrono::steady_clock::now();
  const RetentionReport report = wait_for(read_and_drop());
  BOOST_TEST((std::chrono::steady_clock::now() - begun < 10s));
  BOOST_TEST(report.dropped.empty());
  BOOST_TEST(report.busy.size() == 3U);
  BOOST_TEST(drop(keep(90, 0)).dropped.size() == 3U);
}

BOOST_AUTO_TEST_CASE(what_a_dead_daemon_took_off_is_dropped_by_the_next) {
  sql("SELECT cc_retire_partition('call_record', 'call_record_202601')");
  BOOST_TEST(sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'retired_call_record_202601%' "
                 "AND relkind = 'r'") == "1");
  drop(keep(0, 0));
  BOOST_TEST(sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'retired%'") == "0");
}

BOOST_AUTO_TEST_CASE(partitions_ahead_are_counted_up_to_the_first_gap) {
  const auto until = [&] { return wait_for(partitions_until(*pool, now_ms)); };
  BOOST_TEST(until() == middle_of(9) - 14 * day_ms - day_ms / 2);  // the end of August
  sql("DROP TABLE call_event_202608");
  BOOST_TEST(until() == middle_of(8) - 14 * day_ms - day_ms / 2);
  sql("DROP TABLE call_record_202607");
  BOOST_TEST((until() - now_ms) / day_ms < least_days_ahead);
  sql("DROP TABLE call_record_202606");
  BOOST_TEST(until() == 0);
  wait_for(make_partitions(*pool, now_ms));
  BOOST_TEST((until() - now_ms) / day_ms > 2 * least_days_ahead);
}

BOOST_AUTO_TEST_CASE(rows_go_in_batches_when_they_have_served_their_time) {
  const std::int64_t old = make_closed_call(middle_of(1), 1, "13800000001");
  const std::int64_t open = make_call(middle_of(1), 2, "13800000002");
  const std::int64_t fresh = make_closed_call(middle_of(6), 3, "13800000003");
  const std::string then = std::to_string(now_ms - 40 * day_ms), now = std::to_string(now_ms);
  sql("DELETE FROM change; UPDATE claim SET released = 1;"
      "INSERT INTO change (tenant, kind, at) SELECT 'demo', 'call.changed', " +
      then + " FROM generate_series(1, 12001);" +
      "INSERT INTO change (tenant, kind, at) VALUES ('demo', 'call.changed', " + now +
      ");"
      "INSERT INTO rejection (tenant, at, code) VALUES ('demo', " +
      then + ", 'x'), ('demo', " + now +
      ", 'x');"
      "INSERT INTO dead_letter (delivery_key, channel, reason, received, raw, first_seen, "
      "last_seen) VALUES ('a', 'e9', 'r', 1, 'x', 1, " +
      then + "), ('b', 'e9', 'r', 1, 'x', 1, " + now + ")");
  Retention retention = keep(120, 90);
  retention.dead_letters = 0;
  wait_for(purge(*pool, retention, now_ms));
  BOOST_TEST(sql("SELECT count(*) FROM change") == "1");
  BOOST_TEST(sql("SELECT count(*) FROM rejection") == "1");
  BOOST_TEST(sql("SELECT count(*) FROM dead_letter") == "2");  // for ever
  retention.dead_letters = 30;
  wait_for(purge(*pool, retention, now_ms));
  BOOST_TEST(sql("SELECT count(*) FROM dead_letter") == "1");
  BOOST_TEST(sql("SELECT string_agg(call::text, ' ' ORDER BY call) FROM call_attempt") ==
             std::to_string(open) + " " + std::to_string(fresh));
  BOOST_TEST(sql("SELECT count(*) FROM call_record WHERE id = " + std::to_string(old)) == "1");
}

BOOST_AUTO_TEST_CASE(a_late_event_of_a_call_that_is_forgotten_makes_no_second_record) {
  ChannelConfig e9;
  e9.code = e9.kind = "e9";
  e9.default_tenant = "demo";
  e9.remembered = std::chrono::days(90);
  channels.configure({{"e9", e9}});
  Delivery delivery;
  delivery.received_ms = middle_of(1);
  delivery.body = "<req><action>Hangup</action><callId>" + std::string(32, '7') + "</callId></req>";
  std::vector<StreamEntry> entries(1);
  entries[0].field = "e9";
  entries[0].value = encode_envelope(delivery);
  const auto late = [&]() -> asio::awaitable<StoredEvents> {
    Batch batch = understand_batch(entries, channels, now_ms);
    pg::Transaction transaction = co_await pool->begin();
    const Known known = co_await look_up(transaction, batch.events);
    co_return co_await store_events(transaction, channels, std::move(batch.events), known, now_ms);
  };
  const StoredEvents stored = wait_for(late());
  BOOST_TEST(stored.waiting.empty());
  BOOST_REQUIRE_EQUAL(stored.expired.size(), 1U);
  BOOST_TEST(stored.expired[0].reason.starts_with("expired"));
  BOOST_TEST(stored.expired[0].key.size() == 16U);
}

BOOST_AUTO_TEST_SUITE_END()
