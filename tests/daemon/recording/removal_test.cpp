// What lies in the store goes when its time is over, or its record is gone.
#include "recording/object_name.hpp"
#include "recording_fixture.hpp"
#include "store/retention.hpp"

using namespace cc;
using namespace cc::test;

namespace {

struct Fixture : RecordingFixture {
  std::int64_t store_one(int sequence, std::int64_t call_at = now_ms - 3'600'000) {
    const std::string path = "/" + std::to_string(sequence);
    answers[path] = {http_answer("200 OK", mp3(50))};
    const std::int64_t call = make_recorded_call(sequence, path, call_at);
    a.run();
    BOOST_REQUIRE(row(call, "state") == "stored");
    return call;
  }
  /// The next sweep and all of it, and one more pass for what it orphaned.
  void sweep() {
    at.at_ms += 61'000;
    a.run();
    wait_for(settled());
    a.run();
  }
  asio::awaitable<void> settled() {
    for (int i = 0; i < 300; ++i) co_await pause(1ms);
  }
  void keep(const std::string& tenant, int days) {
    config.tenants[tenant].name = tenant;
    config.tenants[tenant].recording_days = days;
  }

  void retry_recordings_of(std::int64_t call) {
    sql("UPDATE recording SET state = 'expected', due = 1, tries = 0 WHERE call = " +
        std::to_string(call));
  }

  Site& a = site();
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(removal, Fixture)

BOOST_AUTO_TEST_CASE(a_recording_is_deleted_when_its_tenant_s_time_is_over) {
  const std::int64_t call = store_one(1);
  const std::string name = object_of(call);
  keep("demo", 7);
  at.at_ms += 7 * day_ms - 120'000;
  sweep();
  BOOST_TEST(row(call, "state") == "stored");
  at.at_ms += 120'000;
  at.at_ms += 61'000;
  a.look();
  await([&] { return row(call, "state") == "deleted"; });
  BOOST_TEST(store.objects.empty());
  BOOST_TEST(row(call, "owner IS NULL, object IS NULL, size") == "t|t|50");
  BOOST_TEST(record(call, "recording_state, recording_reason, audio_url IS NULL") ==
             "deleted|kept for 7 days|t");
  BOOST_TEST(changes(call, "recording.deleted") == "1");
  await([&] { return metrics.recordings_deleted.Value() == 1; });
}

BOOST_AUTO_TEST_CASE(a_tenant_that_says_nothing_has_the_common_time_and_none_is_for_ever) {
  const std::int64_t call = store_one(1);
  at.at_ms += 1000 * day_ms;
  sweep();
  BOOST_TEST(row(call, "state") == "stored");
  config.retention.recordings = 900;
  keep("demo", 0);
  sweep();
  BOOST_TEST(row(call, "state") == "stored");
  // A tenant that this daemon does not know may be one that keeps everything, of which another
  // daemon's configuration tells.
  config.tenants.clear();
  sweep();
  BOOST_TEST(row(call, "state, owner IS NULL") == "stored|t");
  config.tenants["demo"].name = "demo";
  at.at_ms += 61'000;
  a.look();
  await([&] { return row(call, "state") == "deleted"; });
}

BOOST_AUTO_TEST_CASE(a_host_whose_clock_is_wrong_deletes_nothing) {
  const std::int64_t call = store_one(1);
  keep("demo", 7);
  fleet_ms = at.at_ms;
  at.at_ms += 3650 * day_ms;
  sweep();
  BOOST_TEST(row(call, "state") == "stored");
  fleet_ms = *fleet_ms + 8 * day_ms;
  at.at_ms += 61'000;
  a.look();
  await([&] { return row(call, "state") == "deleted"; });
}

BOOST_AUTO_TEST_CASE(a_call_whose_history_is_gone_keeps_the_rest_of_its_record) {
  make_months(now_ms - 120 * day_ms, now_ms);
  const std::int64_t old_at = now_ms - 100 * day_ms;
  const std::int64_t deleted = store_one(1, old_at), again = store_one(2, old_at);
  const std::int64_t young = store_one(3);
  const std::string others =
      "to_jsonb(call_record) - '{recording_state,recording_reason,audio_url,version,updated}'"
      "::text[]";
  const std::string before = record(deleted, others), before_again = record(again, others);
  Retention retention;
  retention.records = 0;
  retention.attempts = retention.events = 60;
  BOOST_REQUIRE(!wait_for(drop_old_months(*pool, retention, now_ms)).dropped.empty());
  const std::string id = std::to_string(again);
  sql("UPDATE recording SET state = 'absent' WHERE call = " + id);
  retry_recordings_of(again);
  a.run();
  const std::string name = object_name("demo", again, false, ".mp3");
  BOOST_TEST(row(again, "state") == "stored");
  BOOST_TEST(record(again, "recording_state, audio_url") == "stored|memory://" + name);
  BOOST_TEST(record(again, others) == before_again);
  BOOST_TEST(changes(again, "recording.ready") == "2");

  keep("demo", 1);
  at.at_ms += 2 * day_ms;
  a.look();
  await([&] { return row(young, "state") == "deleted"; });
  await([&] { return row(deleted, "state") == "deleted"; });
  BOOST_TEST(record(deleted, "recording_state, recording_reason, audio_url IS NULL") ==
             "deleted|kept for 1 day|t");
  BOOST_TEST(record(deleted, others) == before);
  BOOST_TEST(changes(deleted, "recording.deleted") == "1");
}

BOOST_AUTO_TEST_CASE(one_that_the_database_has_trouble_with_holds_up_no_other) {
  const std::int64_t first = store_one(1);
  at.at_ms += 1000;
  const std::int64_t second = store_one(2);
  sql("ALTER TABLE recording ADD CONSTRAINT never CHECK (state <> 'deleted' OR call <> " +
      std::to_string(first) + ")");
  keep("demo", 1);
  at.at_ms += 2 * day_ms;
  a.look();
  await([&] { return row(second, "state") == "deleted"; });
  await([&] { return row(first, "state, owner IS NULL") == "stored|t"; });
}

BOOST_AUTO_TEST_CASE(one_that_can_not_be_removed_holds_up_no_other) {
  const std::int64_t first = store_one(1);
  at.at_ms += 1000;
  const std::int64_t second = store_one(2);
  store.stuck = {object_of(first)};
  keep("demo", 1);
  at.at_ms += 2 * day_ms;
  a.look();
  await([&] { return row(second, "state") == "deleted"; });
  await([&] { return row(first, "owner IS NULL") == "t"; });
  BOOST_TEST(row(first, "state") == "stored");
  BOOST_TEST(record(first, "recording_state") == "stored");
  store.stuck.clear();
  at.at_ms += 61'000;
  a.look();
  await([&] { return row(first, "state") == "deleted"; });
}

BOOST_AUTO_TEST_CASE(the_recordings_of_a_month_that_is_dropped_go_too) {
  make_months(now_ms - 120 * day_ms, now_ms);
  const std::int64_t old_at = now_ms - 100 * day_ms;
  const std::int64_t old_call = store_one(1, old_at), young = store_one(2);
  const std::string old_name = object_name("demo", old_call, false, ".mp3");
  BOOST_REQUIRE(store.objects.contains(old_name));
  Retention retention;
  retention.records = retention.attempts = retention.events = 60;
  const RetentionReport report = wait_for(drop_old_months(*pool, retention, now_ms));
  BOOST_REQUIRE(!report.dropped.empty());
  sweep();  // where records are kept for ever none was dropped
  BOOST_TEST(row(old_call, "state") == "stored");
  config.retention.records = 60;
  at.at_ms += 61'000;
  a.look();  // orphans it by and by; the pass that comes then removes it
  await([&] { return row(old_call, "state") != "stored"; });
  a.run();
  BOOST_TEST(row(old_call, "state") == "");
  BOOST_TEST(!store.objects.contains(old_name));
  BOOST_TEST(row(young, "state") == "stored");
  BOOST_TEST(store.objects.contains(object_of(young)));
}

BOOST_AUTO_TEST_CASE(what_lies_in_another_store_stays_stored_and_is_told_of) {
  const std::int64_t away = store_one(1), orphan = store_one(2);
  BOOST_TEST(row(away, "store") == "memory:1");
  store.its_identity = "memory:2";
  const std::int64_t here = store_one(3), old = store_one(4);
  BOOST_TEST(row(here, "store") == "memory:2");
  sql("UPDATE recording SET store = NULL WHERE call = " + std::to_string(old));
  sql("UPDATE recording SET state = 'orphaned', due = 1 WHERE call = " + std::to_string(orphan));
  keep("demo", 1);
  at.at_ms += 2 * day_ms;
  a.run();
  await([&] { return row(here, "state") == "deleted" && row(old, "state") == "deleted"; });
  await([&] {
    return a.work->health().says.find("2 recordings lie in another store") != std::string::npos;
  });
  BOOST_TEST((a.work->health().grade == Grade::degraded));
  BOOST_TEST(row(away, "state, owner IS NULL") == "stored|t");
  BOOST_TEST(row(orphan, "state, owner IS NULL, tries") == "orphaned|t|0");
  BOOST_TEST(record(away, "recording_state") == "stored");
  BOOST_TEST(store.objects.contains(object_of(away)));
  BOOST_TEST(store.objects.contains(object_of(orphan)));
  // It is configured again.
  store.its_identity = "memory:1";
  at.at_ms += 3'700'000;
  a.run();
  await([&] { return row(away, "state") == "deleted"; });
  await([&] { return a.work->health().says.find("another store") == std::string::npos; });
  BOOST_TEST(row(orphan, "state") == "");
  BOOST_TEST(store.objects.empty());
}

BOOST_AUTO_TEST_CASE(an_orphan_that_can_not_be_removed_is_kept_in_mind) {
  const std::int64_t call = store_one(1);
  sql("UPDATE recording SET state = 'orphaned', due = 1");
  store.stuck = {object_of(call)};
  a.run();
  BOOST_TEST(row(call, "state, tries, owner IS NULL") == "orphaned|1|t");
  store.stuck.clear();
  at.at_ms += 3'600'000;
  a.run();
  BOOST_TEST(row(call, "state") == "");
  BOOST_TEST(store.objects.empty());
}

BOOST_AUTO_TEST_SUITE_END()
