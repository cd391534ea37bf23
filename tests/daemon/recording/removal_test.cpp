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
  config.tenants.clear();  // a tenant that nobody knows any more
  at.at_ms += 61'000;
  a.look();
  await([&] { return row(call, "state") == "deleted"; });
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
  at.at_ms += 61'000;
  a.look();  // orphans it by and by; the pass that comes then removes it
  await([&] { return row(old_call, "state") != "stored"; });
  a.run();
  BOOST_TEST(row(old_call, "state") == "");
  BOOST_TEST(!store.objects.contains(old_name));
  BOOST_TEST(row(young, "state") == "stored");
  BOOST_TEST(store.objects.contains(object_of(young)));
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
