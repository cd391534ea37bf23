// Drained time through outages of hours, none of which is waited for.
#include "call/drained_time.hpp"

#include <boost/test/unit_test.hpp>

#include "dispatch/nginx_watch.hpp"

using namespace cc;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t hour = 3'600'000;
constexpr std::int64_t begin = 1'700'000'000'000;

struct Fixture {
  DrainedTime time;
  DrainedTime::Steady steady{};
  std::int64_t now_ms = begin;

  void pass(std::int64_t ms) {
    now_ms += ms;
    steady += std::chrono::milliseconds(ms);
  }
  std::optional<std::int64_t> judge(std::int64_t drained_ms) {
    return time.judge(drained_ms, now_ms, steady, 1h);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(drained_time_test, Fixture)

BOOST_AUTO_TEST_CASE(it_is_what_was_drained) {
  BOOST_TEST(judge(begin).value() == begin);
  pass(2000);
  BOOST_TEST(judge(begin + 1900).value() == begin + 1900);
  BOOST_TEST(!time.gone_on());
}

BOOST_AUTO_TEST_CASE(while_nothing_was_ever_drained_nobody_is_silent) {
  BOOST_TEST(!judge(0));
  pass(hour / 2);
  BOOST_TEST(!judge(0));
}

BOOST_AUTO_TEST_CASE(it_stands_still_for_an_hour_and_then_goes_on_an_hour_behind) {
  judge(begin);
  for (int minute = 1; minute < 60; ++minute) {
    pass(60'000);
    BOOST_TEST(judge(begin).value() == begin);
  }
  pass(60'000);
  BOOST_TEST(judge(begin).value() == begin);  // exactly an hour behind
  BOOST_TEST(time.gone_on());
  pass(hour);
  BOOST_TEST(judge(begin).value() == begin + hour);
  // What comes back catches up, and time is the drained one again.
  pass(1000);
  BOOST_TEST(judge(begin + 1000).value() == begin + 1000);
  BOOST_TEST(!time.gone_on());
}

BOOST_AUTO_TEST_CASE(a_time_in_which_nobody_could_look_is_no_standstill) {
  judge(begin);
  pass(2000);
  judge(begin);
  BOOST_TEST(time.standing().count() == 2000);
  pass(2 * hour);  // PostgreSQL was away; nothing has been drained yet since
  BOOST_TEST(judge(begin).value() == begin);
  BOOST_TEST(!time.gone_on());
  BOOST_TEST(time.standing().count() == 2000);
  for (int minute = 1; minute < 60; ++minute) {
    pass(60'000);
    BOOST_TEST(judge(begin).value() == begin);
  }
  pass(60'000);
  judge(begin);
  BOOST_TEST(time.gone_on());  // but now it is one
}

BOOST_AUTO_TEST_CASE(after_an_outage_of_our_own_being_behind_is_no_standstill) {
  pass(2 * hour);  // the daemon was down; it reads what waits
  BOOST_TEST(judge(begin).value() == begin);
  BOOST_TEST(!time.gone_on());
  pass(2000);
  BOOST_TEST(judge(begin + hour).value() == begin + hour);
}

BOOST_AUTO_TEST_CASE(the_status_page_tells_of_the_spool) {
  BOOST_TEST(read_spool_state(R"({"spool":null})")->oldest_ms == 0);
  BOOST_TEST(read_spool_state(R"({"spool":{"readable":true,"files":0,"oldest_received_ms":0}})")
                 ->oldest_ms == 0);
  BOOST_TEST(read_spool_state(R"({"spool":{"readable":true,"files":2,"oldest_received_ms":17}})")
                 ->oldest_ms == 17);
  for (const char* text : {"", "[]", "{}", R"({"spool":1})", R"({"spool":{"readable":false}})",
                           R"({"spool":{"readable":true}})",
                           R"({"spool":{"readable":true,"oldest_received_ms":-1}})"}) {
    BOOST_TEST(!read_spool_state(text), text);
  }
}

BOOST_AUTO_TEST_SUITE_END()
