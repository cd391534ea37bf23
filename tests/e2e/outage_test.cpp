// Two hours without PostgreSQL, without Redis, without ccd, while calls go on. The hours pass on
// the parts' own clocks, not on ours. No call is closed by our own clock, no phone is free before
// its call is over, and afterwards every record is true.
#include <thread>

#include <boost/test/unit_test.hpp>

#include "shifted_clock.hpp"
#include "stack.hpp"

using namespace cc::test;
using namespace std::chrono_literals;

namespace {

constexpr auto outage = 2h;
constexpr auto step = 20s;
// In which the parts do what falls due after each step. Many more steps than one, so that an hour
// is not one leap for them.
constexpr auto breath = 30ms;

class Fixture {
 public:
  Fixture() {
    // Of one the channel never says another word.
    play("13800000054", R"({"setupMs":0,"aRingMs":0,"bRingMs":0,"talkMs":0,)"
                        R"("callbacks":{"lose":["Hangup"]},"query":{"code":"900219"}})");
  }

  void play(const std::string& number, const std::string& script) {
    const Answer answer = stack.simulator("PUT", "scripts/" + number, script);
    BOOST_REQUIRE_MESSAGE(answer.status < 300, answer.text);
  }

  /// A customer who answers at once and talks until somebody hangs up.
  std::string talker() {
    const std::string number = "138000010" + std::to_string(10 + talkers_++);
    play(number, R"({"setupMs":0,"aRingMs":0,"bRingMs":0,"talkMs":36000000})");
    return number;
  }

  std::string make(const std::string& caller, const std::string& called,
                   const std::string& seconds = "28800") {
    const Answer answer =
        stack.post("/v1/calls", call_body(caller, called, "\"maxDuration\":" + seconds));
    BOOST_REQUIRE_MESSAGE(answer.status == 202, answer.text);
    return answer.at("callId");
  }

  std::string make_talking(const std::string& caller) {
    const std::string call = make(caller, talker());
    stack.await_state(call, "conn");
    return call;
  }

  /// By the customer; the channel's word goes wherever there is a place for it.
  void hang_up(const std::string& call) {
    const json::value found = stack.simulator("calls?userData=cc1." + call + ".1");
    const std::string id = text_at(found.at("calls").as_array().at(0), "callId");
    BOOST_TEST(stack.simulator("POST", "hangup/" + id + "?by=b", "").status < 300);
    BOOST_TEST(
        eventually([&] { return text_at(stack.simulator("calls/" + id), "phase") == "ended"; }));
  }

  template <class Each>
  void let_pass(std::chrono::seconds duration, Each each) {
    for (auto passed = 0s; passed < duration; passed += step) {
      clock.advance(step);
      std::this_thread::sleep_for(breath);
      if (passed % 600s == 0s) each();
    }
  }
  void let_pass(std::chrono::seconds duration) {
    let_pass(duration, [] {});
  }

  std::string reaped() {
    return stack.sql("SELECT count(*) FROM call_event WHERE name = 'reaped'");
  }
  std::string held_claims() {
    return stack.sql("SELECT count(*) FROM claim WHERE released IS NULL AND release_at IS NULL");
  }

  /// What holds after each of the outages. `ended`: hung up in its midst, an hour before its end.
  void check(const std::string& living, const std::string& ended, std::int64_t ended_ms) {
    const json::value closed = stack.await_state(ended, "close", Millis{60'000});
    BOOST_TEST(text_at(closed, "closeSource") == "callback");
    BOOST_TEST(text_at(closed, "closeType") == "0");
    const std::int64_t close_ms = closed.at("closeTime").as_int64();
    BOOST_TEST(std::abs(close_ms - ended_ms) < 60'000, close_ms - ended_ms);
    BOOST_TEST(stack.get("/v1/calls/" + living).at("state") == "conn");
    // Its phone is not free, the other's is.
    BOOST_TEST(stack.post("/v1/calls", call_body("13944480001", "13812348042")).status == 409);
    const Answer again = stack.post("/v1/calls", call_body("13944480002", "13812348042"));
    BOOST_TEST(again.status == 202, again.text);
    BOOST_TEST(reaped() == "0");
    BOOST_TEST(stack.log("ccd").find("closed by our own clock") == std::string::npos);
    hang_up(living);
    BOOST_TEST(text_at(stack.await_state(living), "closeSource") == "callback");
    BOOST_TEST(stack.violations() == 0);

    // And silence is still silence: of this call nothing is ever heard again.
    const std::string silent = make("13944480009", "13800000054", "600");
    stack.await_state(silent, "conn");
    let_pass(14min);
    BOOST_TEST(reaped() == "0");
    // Small steps, with a breath after each: a statement under way has 10 s, and on a busy machine
    // there would always be one that a larger step makes late.
    BOOST_TEST(eventually(
        [&] {
          clock.advance(5s);
          std::this_thread::sleep_for(breath);
          return reaped() == "1";
        },
        Millis{60'000}));
    BOOST_TEST(text_at(stack.await_state(silent), "closeDetail") == "no_final_event");
  }

  ShiftedClock clock;
  Stack stack{"20", clock.options()};

 private:
  int talkers_ = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(outages, Fixture)

BOOST_AUTO_TEST_CASE(two_hours_without_postgresql) {
  const std::string living = make_talking("13944480001"), ended = make_talking("13944480002");
  stack.part("kill", "postgres");
  let_pass(outage / 2);
  hang_up(ended);
  const std::int64_t ended_ms = clock.now_ms();
  let_pass(outage / 2);
  stack.part("start", "postgres");
  check(living, ended, ended_ms);
}

BOOST_AUTO_TEST_CASE(two_hours_without_redis) {
  const std::string living = make_talking("13944480001"), ended = make_talking("13944480002");
  stack.part("kill", "redis");
  // Calls can be made all the while; what their channel says of them waits in NGINX's spool.
  const std::string born = make("13944480003", talker());
  BOOST_REQUIRE(eventually([&] {
    return stack.sql("SELECT state FROM call_attempt WHERE call = " + born) == "accepted";
  }));
  const auto look = [&] {
    BOOST_TEST(reaped() == "0");
    BOOST_TEST(held_claims() == "6");
  };
  let_pass(outage / 2, look);
  hang_up(ended);
  const std::int64_t ended_ms = clock.now_ms();
  let_pass(outage / 2, look);
  BOOST_TEST(stack.log("ccd").find("not been drained to its end for an hour") != std::string::npos);
  stack.part("start", "redis");
  stack.await_state(born, "conn", Millis{60'000});
  hang_up(born);
  check(living, ended, ended_ms);
}

BOOST_AUTO_TEST_CASE(two_hours_without_ccd) {
  const std::string living = make_talking("13944480001"), ended = make_talking("13944480002");
  stack.part("kill", "ccd");
  const auto look = [&] { BOOST_TEST(held_claims() == "4"); };
  let_pass(outage / 2, look);
  hang_up(ended);
  const std::int64_t ended_ms = clock.now_ms();
  let_pass(outage / 2, look);
  stack.part("start", "ccd");
  check(living, ended, ended_ms);
}

BOOST_AUTO_TEST_SUITE_END()
