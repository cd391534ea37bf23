// What is read back of a call's history.
#include "store/history.hpp"
#include "store_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

struct Fixture : StoreFixture {
  Fixture() { make_months(now_ms - day_ms, now_ms + day_ms); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(timeline, Fixture)

BOOST_AUTO_TEST_CASE(attempts_know_their_requests_and_the_recording_is_told_of) {
  const std::int64_t call = make_closed_call(now_ms, 1, "13812345678");
  sql("UPDATE call_attempt SET request_id = 'r-1'");
  sql("UPDATE call_record SET recording_state = 'expected', recording_reason = 'soon', "
      "recording_expected_at = 5");
  const auto timeline = wait_for(read_timeline(*pool, "demo", call));
  BOOST_REQUIRE(timeline.has_value());
  BOOST_TEST(timeline->call == call);
  BOOST_REQUIRE(timeline->attempts.size() == 1U);
  BOOST_TEST(timeline->attempts[0].request_id.value() == "r-1");
  BOOST_TEST(timeline->events.size() == 5U);
  BOOST_TEST(timeline->recording_state.value() == "expected");
  BOOST_TEST(timeline->recording_reason.value() == "soon");
  BOOST_TEST(timeline->recording_expected_at.value() == 5);
}

BOOST_AUTO_TEST_CASE(of_a_merged_call_it_is_the_survivors_and_the_tenants_alone) {
  const std::int64_t survivor = make_closed_call(now_ms, 1, "13812345678");
  const std::int64_t merged = make_call(now_ms + 1, 2, "13812345678");
  sql("UPDATE call_record SET merged_into = " + std::to_string(survivor) +
      " WHERE id = " + std::to_string(merged));
  const auto timeline = wait_for(read_timeline(*pool, "demo", merged));
  BOOST_REQUIRE(timeline.has_value());
  BOOST_TEST(timeline->call == survivor);
  BOOST_TEST(timeline->events.size() == 5U);
  BOOST_TEST(!wait_for(read_timeline(*pool, "other", merged)).has_value());
  sql("UPDATE call_record SET tenant = 'other' WHERE id = " + std::to_string(survivor));
  BOOST_TEST(!wait_for(read_timeline(*pool, "demo", merged)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
