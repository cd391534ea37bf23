// Whether Redis is still the one that we have been reading.
#define BOOST_TEST_MODULE dispatch
#include "dispatch/stream.hpp"

#include <boost/test/unit_test.hpp>

#include "dispatch/partition.hpp"

using namespace cc;

namespace {

// We have committed up to 50-0 and have seen up to 60-0, sixty entries in all.
StreamPosition remembered() {
  StreamPosition position;
  position.cursor = {50, 0};
  position.highest = {60, 0};
  position.entries_added = 60;
  return position;
}

StreamState whole() {
  StreamState state;
  state.exists = true;
  state.entries_added = 60;
  state.last_generated = {60, 0};
  state.cursor_entry = state.highest_entry = true;
  return state;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_stream_that_only_grew_is_read_on) {
  StreamState state = whole();
  state.last_generated = {90, 3};
  state.entries_added = 95;
  BOOST_TEST(judge(remembered(), state).says == "");
}

BOOST_AUTO_TEST_CASE(a_stream_that_nobody_has_read_yet_is_never_blamed) {
  BOOST_TEST(judge(StreamPosition{}, StreamState{}).says == "");
  BOOST_TEST(judge(StreamPosition{}, whole()).says == "");
}

BOOST_AUTO_TEST_CASE(a_flushed_stream_went_back) {
  const StreamVerdict verdict = judge(remembered(), StreamState{});
  BOOST_TEST(verdict.went_back);
  BOOST_TEST(verdict.says.find("60-0") != std::string::npos);  // the window
}

BOOST_AUTO_TEST_CASE(a_last_id_below_ours_went_back) {
  StreamState state = whole();
  state.last_generated = {59, 7};
  BOOST_TEST(judge(remembered(), state).went_back);
}

BOOST_AUTO_TEST_CASE(fewer_entries_than_we_have_seen_went_back) {
  StreamState state = whole();
  state.entries_added = 59;
  state.last_generated = {99, 0};
  BOOST_TEST(judge(remembered(), state).went_back);
}

BOOST_AUTO_TEST_CASE(new_entries_with_higher_ids_do_not_hide_that_ours_are_missing) {
  // Restored from an hour ago and already ahead of us again: only the entries themselves tell.
  StreamState state = whole();
  state.last_generated = {99, 0};
  state.entries_added = 80;
  state.cursor_entry = false;
  BOOST_TEST(judge(remembered(), state).went_back);
  state.cursor_entry = true;
  state.highest_entry = false;
  BOOST_TEST(judge(remembered(), state).went_back);
}

BOOST_AUTO_TEST_CASE(entries_that_were_trimmed_on_purpose_are_not_missed) {
  StreamState state = whole();
  state.trimmed_to = {60, 1};
  state.cursor_entry = state.highest_entry = false;
  StreamPosition position = remembered();
  position.cursor = {60, 1};
  BOOST_TEST(judge(position, state).says == "");
}

BOOST_AUTO_TEST_CASE(a_cursor_below_what_was_trimmed_raises_an_alarm_and_reads_on) {
  StreamState state = whole();
  state.trimmed_to = {55, 0};
  state.cursor_entry = false;
  const StreamVerdict verdict = judge(remembered(), state);
  BOOST_TEST(!verdict.went_back);
  BOOST_TEST(verdict.trimmed_past);
  BOOST_TEST(verdict.says.find("55-0") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(
    a_cursor_below_what_was_noted_beside_the_stream_is_a_postgresql_from_a_backup) {
  StreamState state = whole();
  state.drained = {50, 0};
  BOOST_TEST(judge(remembered(), state).says == "");
  state.drained = {49, 9};  // a daemon that died before it noted its last commit
  BOOST_TEST(judge(remembered(), state).says == "");
  state.drained = {50, 1};
  const StreamVerdict verdict = judge(remembered(), state);
  BOOST_TEST(verdict.set_back);
  BOOST_TEST(!verdict.went_back);
  BOOST_TEST(verdict.says.find("up to 50-1 (1970-01-01T00:00:00.050Z), the cursor says 50-0 (") !=
             std::string::npos);
  // A database of nothing, but not a new installation.
  BOOST_TEST(judge(StreamPosition{}, state).set_back);
  state.trimmed_to = {40, 0};
  BOOST_TEST(judge(StreamPosition{}, state).trimmed_past);  // of which some is gone
  // What was trimmed cannot be read again, and says so.
  state.trimmed_to = {50, 1};
  state.cursor_entry = false;
  BOOST_TEST(judge(remembered(), state).trimmed_past);
  BOOST_TEST(!judge(remembered(), state).set_back);
}

BOOST_AUTO_TEST_CASE(the_window_of_a_restored_redis_ends_where_it_goes_on) {
  // Restored from when it had taken up to 40-0, and ahead of us again since.
  StreamState state = whole();
  state.last_generated = {99, 0};
  state.entries_added = 80;
  state.last_kept = {40, 0};
  state.cursor_entry = state.highest_entry = false;
  const std::string says = judge(remembered(), state).says;
  BOOST_TEST(says.find("between 40-0 (1970-01-01T00:00:00.040Z) and 60-0 (") != std::string::npos);
  BOOST_TEST(says.find("up to 50-0 (") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(stream_ids_are_read_and_written) {
  BOOST_TEST(to_text(StreamId{1700000000000, 42}) == "1700000000000-42");
  BOOST_TEST((parse_stream_id("1700000000000-42") == StreamId{1700000000000, 42}));
  for (const char* wrong : {"", "-", "a-1", "1-", "1-b", "-1-2"})
    BOOST_TEST(!parse_stream_id(wrong), wrong);
  BOOST_TEST((StreamId{5, 9} < StreamId{6, 0}));
}

BOOST_AUTO_TEST_CASE(drained_time_follows_the_oldest_delivery_but_never_goes_back_or_ahead_of_us) {
  BOOST_TEST(drained_after(1000, 2000, 5000) == 2000);
  BOOST_TEST(drained_after(3000, 2000, 5000) == 3000);    // a spool replayed late
  BOOST_TEST(drained_after(1000, 99'000, 5000) == 5000);  // NGINX's clock is ahead
  BOOST_TEST(drained_after(1000, 0, 5000) == 1000);       // nothing readable
}
