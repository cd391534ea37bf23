// What is told of a recording, from the record and its row.
#include "recording/stored_recordings.hpp"

#include "store_fixture.hpp"

using namespace cc;
using namespace cc::test;
using State = RecordingStatus::State;

namespace {

constexpr std::int64_t hour_ms = 3'600'000;

/// An hour behind the calls.
struct LaterClock final : Clock {
  std::int64_t epoch_ms() const override { return now; }
  std::chrono::steady_clock::time_point steady() const override { return {}; }
  asio::awaitable<void> sleep_for(Millis) override { co_return; }
  std::int64_t now = now_ms + hour_ms + 1;  // no whole second
};

/// Signs by writing down what it was asked.
struct FakeStore final : ObjectStore {
  std::string_view kind() const noexcept override { return "fake"; }
  std::string identity() const override { return "fake:1"; }
  std::string address(const std::string& name, std::int64_t) const override { return name; }
  asio::awaitable<PutResult> put(PutWish, ByteSource&) override { co_return PutResult{}; }
  asio::awaitable<std::optional<StoreProblem>> abort(std::string, std::string) override {
    co_return std::nullopt;
  }
  asio::awaitable<std::optional<StoreProblem>> remove(std::string) override {
    co_return std::nullopt;
  }
  SignedUrl signed_url(const SignWish& wish) const override {
    if (away) throw StoreAway("no key");
    return {wish.name + "|" + std::to_string(wish.now_ms) + "|" + std::to_string(wish.ttl) + "|" +
                wish.file_name + "|" + wish.content_type,
            std::min(longest_ms, (wish.now_ms / 1000 + wish.ttl) * 1000)};
  }
  bool away = false;
  std::int64_t longest_ms = INT64_MAX;  // as credentials end
};

struct Fixture : StoreFixture {
  Fixture() {
    make_months(now_ms - day_ms, now_ms + day_ms);
    recordings.configure(store, 300);
    call = make_closed_call(now_ms, 1, "13812345678");
    sql("DELETE FROM recording");
  }

  void set(const std::string& columns) {
    sql("UPDATE call_record SET " + columns + " WHERE id = " + std::to_string(call));
  }
  void put_row(const std::string& state, const std::string& file = "audio") {
    sql("INSERT INTO recording (call, file, tenant, channel, source, closed, state, due, problem, "
        "object, size, content_type) VALUES (" +
        std::to_string(call) + ", '" + file + "', 'demo', 'e9', 'http://x/', 1, '" + state + "', " +
        (state == "expected" ? "77" : "NULL") + ", 'why', 'demo/2026/06/15/" +
        std::to_string(call) + (file == "ivr" ? "-ivr" : "") + ".mp3', 99, 'audio/mpeg')");
  }
  std::optional<RecordingStatus> ask(bool ivr = false, const std::string& tenant = "demo") {
    return wait_for(recordings.status(tenant, call, ivr));
  }
  std::string reason() {
    const auto status = ask();
    BOOST_REQUIRE(status);
    BOOST_TEST((status->state == State::none));
    return status->reason + (status->later ? " (later)" : "");
  }

  LaterClock later;
  std::shared_ptr<FakeStore> store = std::make_shared<FakeStore>();
  StoredRecordings recordings{*pool, later};
  std::int64_t call = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(stored_recordings, Fixture)

BOOST_AUTO_TEST_CASE(a_stored_one_is_told_of_and_led_to) {
  put_row("stored");
  const auto status = ask();
  BOOST_REQUIRE(status);
  BOOST_TEST((status->state == State::stored));
  BOOST_TEST(status->call == call);
  BOOST_TEST(status->size == 99U);
  BOOST_TEST(status->content_type == "audio/mpeg");
  const std::string name = std::to_string(call) + ".mp3";
  auto link = wait_for(recordings.link("demo", call, false, std::nullopt));
  BOOST_REQUIRE(link);
  BOOST_TEST(link->url == "demo/2026/06/15/" + name + "|" + std::to_string(later.now) + "|300|" +
                              name + "|audio/mpeg");
  BOOST_TEST(link->expires_at == now_ms + hour_ms + 300'000);  // as signatures count
  link = wait_for(recordings.link("demo", call, false, 60));
  BOOST_TEST(link->expires_at == now_ms + hour_ms + 60'000);
  BOOST_TEST(!wait_for(recordings.link("other", call, false, 60)));
  BOOST_TEST(!wait_for(recordings.link("demo", call, true, 60)));
  BOOST_TEST(!ask(false, "other"));
}

BOOST_AUTO_TEST_CASE(a_link_lives_no_longer_than_what_signs_it) {
  put_row("stored");
  store->longest_ms = later.now + 40'000;
  const auto link = wait_for(recordings.link("demo", call, false, 300));
  BOOST_REQUIRE(link);
  BOOST_TEST(link->expires_at == later.now + 40'000);
}

BOOST_AUTO_TEST_CASE(one_in_another_store_is_not_led_to) {
  put_row("stored");
  sql("UPDATE recording SET store = 'fake:1'");
  BOOST_TEST(wait_for(recordings.link("demo", call, false, 60)).has_value());
  store->away = true;
  BOOST_CHECK_THROW(wait_for(recordings.link("demo", call, false, 60)), StoreAway);
  store->away = false;
  sql("UPDATE recording SET store = 'oss:calls/cc/'");
  BOOST_CHECK_THROW(wait_for(recordings.link("demo", call, false, 60)), StoreAway);
  BOOST_TEST((ask()->state == State::stored));
}

BOOST_AUTO_TEST_CASE(the_ivrs_file_is_another_one) {
  BOOST_TEST(ask(true)->reason == "The channel named no IVR file.");
  put_row("stored", "ivr");
  BOOST_TEST((ask(true)->state == State::stored));
  BOOST_TEST((ask(false)->state == State::none));
  const auto link = wait_for(recordings.link("demo", call, true, 60));
  BOOST_REQUIRE(link);
  BOOST_TEST(link->url.find(std::to_string(call) + "-ivr.mp3|") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(of_a_merged_call_it_is_the_survivors_and_the_tenants_alone) {
  put_row("stored");
  const std::int64_t merged = make_call(now_ms + 1, 2, "13812345678");
  sql("UPDATE call_record SET merged_into = " + std::to_string(call) +
      " WHERE id = " + std::to_string(merged));
  const auto status = wait_for(recordings.status("demo", merged, false));
  BOOST_REQUIRE(status);
  BOOST_TEST(status->call == call);
  BOOST_TEST((status->state == State::stored));
  BOOST_TEST(wait_for(recordings.link("demo", merged, false, 60)).has_value());
  BOOST_TEST(!wait_for(recordings.status("other", merged, false)));
  set("tenant = 'other'");
  BOOST_TEST(!wait_for(recordings.status("demo", merged, false)));
  BOOST_TEST(!wait_for(recordings.link("demo", merged, false, 60)));
}

BOOST_AUTO_TEST_CASE(one_that_is_waited_for_says_until_when) {
  put_row("expected");
  set("recording_state = 'expected', recording_expected_at = 55");
  auto status = ask();
  BOOST_TEST((status->state == State::expected));
  BOOST_TEST(status->expected_at.value() == 77);  // the next try
  sql("UPDATE recording SET due = NULL");
  BOOST_TEST(ask()->expected_at.value() == 55);
  BOOST_TEST(!wait_for(recordings.link("demo", call, false, 60)));
}

BOOST_AUTO_TEST_CASE(there_is_a_reason_where_there_is_none) {
  set("record = false");
  BOOST_TEST(reason() == "A recording was not asked for.");
  set("record = true, state = 'conn', close_time = NULL");
  BOOST_TEST(reason() == "The call is not over yet. (later)");
  BOOST_TEST(ask(true)->later);
  set("state = 'close', close_time = " + std::to_string(now_ms) + ", conn_time = NULL");
  BOOST_TEST(reason() == "The call was never connected.");
  set("conn_time = " + std::to_string(now_ms - 1));
  BOOST_TEST(reason() == "The channel has named no recording so far. (later)");
  later.now += 24 * hour_ms;
  BOOST_TEST(reason() == "The channel named no recording.");
  set("ch_audio_url = 'http://x/', recording_state = 'expected'");
  BOOST_TEST(reason().starts_with("The call is from before CC fetched recordings"));
}

BOOST_AUTO_TEST_CASE(what_was_given_up_says_why) {
  put_row("absent");
  set("recording_state = 'absent', recording_reason = 'no such file for 24 h'");
  BOOST_TEST(reason() == "Given up: no such file for 24 h.");
  put_row("absent", "ivr");
  BOOST_TEST(ask(true)->reason == "Given up: why.");
}

BOOST_AUTO_TEST_CASE(what_is_deleted_stays_so_when_its_row_is_gone) {
  put_row("deleted");
  set("recording_state = 'deleted', recording_reason = 'kept for 180 days'");
  BOOST_TEST((ask()->state == State::deleted));
  BOOST_TEST(ask()->reason == "kept for 180 days");
  sql("DELETE FROM recording");
  BOOST_TEST((ask()->state == State::deleted));
  BOOST_TEST(!wait_for(recordings.link("demo", call, false, 60)));
}

BOOST_AUTO_TEST_CASE(without_a_store_there_is_nothing_to_lead_to) {
  recordings.configure(nullptr, 300);
  for (const char* state : {"stored", "expected"}) {
    sql("DELETE FROM recording");
    put_row(state);
    BOOST_TEST(reason() == "No store for recordings is configured.");
    BOOST_TEST(!wait_for(recordings.link("demo", call, false, 60)));
  }
}

BOOST_AUTO_TEST_SUITE_END()
