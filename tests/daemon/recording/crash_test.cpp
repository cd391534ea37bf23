// Daemons that die on the way, and several that work side by side: one object a recording, whatever
// happens, and nothing left half-done.
#include "recording_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

struct Fixture : RecordingFixture {
  Fixture() { answers["/1"] = {http_answer("200 OK", bytes)}; }

  /// Both hold what they are at until they are let go.
  MemoryStore::Step holding() {
    return [this](const std::string&) -> asio::awaitable<void> {
      const int mine = ++held;
      while (mine > let_go) co_await pause(1ms);
    };
  }

  void check_stored_once(std::int64_t call) {
    BOOST_TEST((store.objects.at(object_of(call)) == bytes));
    BOOST_TEST(store.objects.size() == 1U);
    BOOST_TEST(store.uploads.empty());
    BOOST_TEST(record(call, "recording_state, audio_url") == "stored|memory://" + object_of(call));
    BOOST_TEST(changes(call, "recording.ready") == "1");
    BOOST_TEST(row(call, "state, owner IS NULL") == "stored|t");
  }

  const std::string bytes = mp3(50'000);
  int held = 0, let_go = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(crash, Fixture)

BOOST_AUTO_TEST_CASE(what_a_dead_daemon_had_taken_is_taken_by_another) {
  Site& a = site("a");
  const std::int64_t call = make_recorded_call(1, "/1");
  sql("UPDATE recording SET due = 1, owner = 'gone', epoch = 7");
  a.run();
  check_stored_once(call);
}

BOOST_AUTO_TEST_CASE(nobody_touches_what_a_living_daemon_has) {
  Site& a = site("a");
  Site& b = site("b");
  const std::int64_t call = make_recorded_call(1, "/1");
  sql("UPDATE recording SET due = 1, owner = 'b', epoch = " + std::to_string(b.membership.epoch()));
  BOOST_REQUIRE(wait_for(b.membership.beat()));
  a.run();
  BOOST_TEST(row(call, "state, owner") == "expected|b");
  BOOST_TEST(asked.empty());
}

BOOST_AUTO_TEST_CASE(what_is_ours_and_in_nobody_s_hand_is_begun_anew) {
  Site& a = site("a");
  const std::int64_t call = make_recorded_call(1, "/1");
  sql("UPDATE recording SET due = 1, owner = 'a', epoch = " + std::to_string(a.membership.epoch()));
  a.run();
  check_stored_once(call);
}

BOOST_AUTO_TEST_CASE(an_upload_begun_by_a_dead_daemon_is_aborted) {
  Site& a = site("a");
  Site& b = site("b");
  const std::int64_t call = make_recorded_call(1, "/1");
  store.before_end = holding();
  a.look();
  await([&] { return held == 1; });
  BOOST_TEST(row(call, "upload, object") == "upload-1|" + object_of(call));
  a.die();
  let_go = 0;
  b.look();
  await([&] { return held == 2; });
  BOOST_TEST(store.aborted == std::vector<std::string>{"upload-1"},
             boost::test_tools::per_element());
  BOOST_TEST(row(call, "owner, upload") == "b|upload-2");
  // The dead one was only asleep: what it does now counts for nothing.
  let_go = 1;
  await([&] { return a.work->in_hand() == 0 || held > 2; });
  BOOST_TEST(row(call, "state, owner") == "expected|b");
  let_go = 1'000'000;
  await([&] { return a.work->in_hand() + b.work->in_hand() == 0; });
  check_stored_once(call);
}

BOOST_AUTO_TEST_CASE(a_death_between_the_upload_s_end_and_the_row_costs_one_more_upload) {
  Site& a = site("a");
  Site& b = site("b");
  const std::int64_t call = make_recorded_call(1, "/1");
  store.after_end = holding();
  a.look();
  await([&] { return held == 1; });
  BOOST_TEST(store.objects.size() == 1U);
  BOOST_TEST(record(call, "recording_state") == "expected");
  a.die();
  store.after_end = {};
  b.run();
  check_stored_once(call);
  BOOST_TEST(store.puts[object_of(call)] == 2);
  let_go = 1;
  await([&] { return a.work->in_hand() == 0; });
  check_stored_once(call);
}

BOOST_AUTO_TEST_CASE(one_who_was_taken_for_dead_begins_no_upload_of_what_is_another_s) {
  Site& a = site("a");
  Site& b = site("b");
  const std::int64_t call = make_recorded_call(1, "/1");
  store.before_begun = holding();
  a.look();
  await([&] { return held == 1; });
  a.die();
  b.look();
  await([&] { return held == 2; });
  BOOST_TEST(row(call, "owner") == "b");
  let_go = 1;
  await([&] { return a.work->in_hand() == 0; });
  BOOST_TEST(store.undone.size() == 1U);
  BOOST_TEST(row(call, "owner, upload IS NULL") == "b|t");
  BOOST_TEST(store.uploads.size() == 1U);
  let_go = 2;
  await([&] { return b.work->in_hand() == 0; });
  check_stored_once(call);
  BOOST_TEST(metrics.recording_tries.Add({{"outcome", "lost"}}).Value() == 1);
}

BOOST_AUTO_TEST_CASE(another_kind_of_file_leaves_nothing_of_the_first) {
  Site& a = site("a");
  const std::int64_t call = make_recorded_call(1, "/1");
  const std::string before = object_of(call, ".wav");
  store.objects[before] = "of the try before";
  sql("UPDATE recording SET due = 1, owner = 'gone', epoch = 7, object = '" + before + "'");
  a.run();
  check_stored_once(call);
}

BOOST_AUTO_TEST_CASE(who_lost_the_row_does_not_finish_the_object) {
  Site& a = site();
  const std::int64_t call = make_recorded_call(1, "/1");
  store.before_end = [&](const std::string&) -> asio::awaitable<void> {
    sql("UPDATE recording SET owner = 'another', epoch = 7");
    co_return;
  };
  a.run();
  BOOST_TEST(store.begun_puts == 1);
  BOOST_TEST(store.objects.empty());
  BOOST_TEST(row(call, "state, owner, tries") == "expected|another|0");
}

BOOST_AUTO_TEST_CASE(what_is_given_up_leaves_nothing_in_the_store) {
  Site& a = site("a");
  const std::int64_t call = make_recorded_call(1, "/none");
  store.objects[object_of(call)] = "of the try before";
  store.uploads.insert("old");
  sql("UPDATE recording SET due = 1, owner = 'gone', epoch = 7, tries = 9, upload = 'old', object "
      "= "
      "'" +
      object_of(call) + "', closed = 1");
  at.at_ms += 2 * day_ms;
  a.run();
  BOOST_TEST(row(call, "state, object IS NULL, upload IS NULL") == "absent|t|t");
  BOOST_TEST(store.objects.empty());
  BOOST_TEST(store.uploads.empty());
}

BOOST_AUTO_TEST_CASE(two_daemons_never_work_on_the_same_row) {
  Site& a = site("a");
  Site& b = site("b");
  for (int i = 0; i < 60; ++i) {
    const std::string path = "/" + std::to_string(i + 100);
    answers[path] = {http_answer("200 OK", mp3(5000))};
    make_recorded_call(i, path);
  }
  const auto both = [&](Site& one) -> asio::awaitable<void> {
    while (store.puts.size() < 60) {
      co_await one.membership.beat();
      co_await one.work->look();
      co_await pause(1ms);
    }
  };
  bool done = false;
  asio::co_spawn(io, both(a), [&](std::exception_ptr error) {
    BOOST_TEST(!error);
    done = true;
  });
  wait_for(both(b));
  await([&] { return done && a.work->in_hand() + b.work->in_hand() == 0; });
  BOOST_TEST(store.objects.size() == 60U);
  for (const auto& [name, times] : store.puts) BOOST_TEST(times == 1, name);
  BOOST_TEST(sql("SELECT count(*) FROM recording WHERE state = 'stored'") == "60");
  BOOST_TEST(sql("SELECT count(*) FROM change WHERE kind = 'recording.ready'") == "60");
  BOOST_TEST(metrics.recording_tries.Add({{"outcome", "stored"}}).Value() == 60);
}

BOOST_AUTO_TEST_CASE(a_call_that_is_merged_meanwhile_leaves_no_object) {
  Site& a = site("a");
  const std::int64_t call = make_recorded_call(1, "/1"), other = make_recorded_call(2, "/none");
  sql("DELETE FROM recording WHERE call = " + std::to_string(other));
  store.after_end = holding();
  a.look();
  await([&] { return held == 1; });
  // As dispatch/merge.cpp does.
  sql("BEGIN; UPDATE recording SET state = 'orphaned', due = " + std::to_string(at.at_ms) +
      " WHERE call = " + std::to_string(call) + "; UPDATE call_record SET merged_into = " +
      std::to_string(other) + " WHERE id = " + std::to_string(call) + "; COMMIT");
  a.look();  // not while somebody puts it there
  BOOST_TEST(store.removed.empty());
  let_go = 1;
  await([&] { return a.work->in_hand() == 0; });
  BOOST_TEST(row(call, "state, owner IS NULL") == "orphaned|t");
  a.run();
  BOOST_TEST(store.objects.empty());
  BOOST_TEST(row(call, "state") == "");
}

BOOST_AUTO_TEST_CASE(an_object_whose_row_is_gone_is_removed_by_who_put_it) {
  Site& a = site("a");
  const std::int64_t call = make_recorded_call(1, "/1");
  store.after_end = holding();
  a.look();
  await([&] { return held == 1; });
  sql("DELETE FROM recording WHERE call = " + std::to_string(call));
  let_go = 1;
  await([&] { return a.work->in_hand() == 0; });
  BOOST_TEST(store.objects.empty());
  BOOST_TEST(store.removed == std::vector<std::string>{object_of(call)},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_row_of_a_merged_call_that_nobody_orphaned_goes_the_same_way) {
  Site& a = site("a");
  const std::int64_t call = make_recorded_call(1, "/1"), other = make_recorded_call(2, "/none");
  sql("DELETE FROM recording WHERE call = " + std::to_string(other));
  sql("UPDATE call_record SET merged_into = " + std::to_string(other) +
      " WHERE id = " + std::to_string(call));
  a.run();
  BOOST_TEST(row(call, "state, owner IS NULL") == "orphaned|t");
  a.run();
  BOOST_TEST(store.objects.empty());
  BOOST_TEST(row(call, "state") == "");
}

BOOST_AUTO_TEST_SUITE_END()
