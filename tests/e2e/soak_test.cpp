// Calls without pause while parts of CC are killed and reloaded. At the end: no phone rang twice,
// every callback that was answered 200 is in a record, every call has ended or says that it isn't
// known. One minute; with CC_SOAK=long an hour.
#include <chrono>
#include <cstdlib>
#include <random>
#include <set>

#include <boost/test/unit_test.hpp>

#include "stack.hpp"

using namespace cc::test;
using Clock = std::chrono::steady_clock;

namespace {

Clock::duration length() {
  const char* soak = std::getenv("CC_SOAK");
  if (soak != nullptr && std::string(soak) == "long") return std::chrono::minutes(60);
  return std::chrono::seconds(45);
}

// What befalls the stack, in turn.
void strike(Stack& stack, unsigned turn) {
  switch (turn % 4) {
    case 0:
      stack.part("kill", "ccd");
      stack.part("start", "ccd");
      break;
    case 1:
      stack.part("restart", "ccd");
      break;
    case 2:
      stack.part("kill", "redis");
      stack.part("start", "redis");
      break;
    default:
      stack.part("kill", "postgres");
      stack.part("start", "postgres");
      break;
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_is_lost_or_rung_twice_while_parts_die) {
  Stack stack("20");
  std::mt19937 random(7);
  const char* scripts[] = {"8041", "8041", "8006", "8016", "8017", "8018", "8022", "8043"};
  const Clock::time_point until = Clock::now() + length();
  Clock::time_point next_strike = Clock::now() + std::chrono::seconds(4);
  unsigned turn = 0;
  long number = 0;
  std::set<std::string> made;
  std::map<long, long> answers;
  while (Clock::now() < until) {
    std::vector<Call> calls;
    for (int i = 0; i < 8; ++i, ++number) {
      const std::string phone = "139" + std::to_string(30000000 + number);
      const std::string called =
          "138" + std::to_string(1000 + number % 9000) + scripts[random() % std::size(scripts)];
      Call call = stack.post_later("/v1/calls", call_body(phone, called),
                                   {"Idempotency-Key: soak-" + std::to_string(number)});
      call.timeout_ms = 3000;
      calls.push_back(call);
    }
    for (const Answer& answer : send_together(calls)) {
      ++answers[answer.status];
      if (answer.status == 202) made.insert(answer.at("callId"));
    }
    if (Clock::now() >= next_strike) {
      strike(stack, turn++);
      next_strike = Clock::now() + std::chrono::seconds(4);
    }
  }
  BOOST_TEST_MESSAGE(made.size() << " calls accepted, " << turn << " strikes");
  BOOST_TEST(made.size() > 50U);

  // The phones come to rest, and what they said is drained.
  BOOST_TEST(eventually([&] { return text_at(stack.simulator("health"), "living") == "0"; },
                        Millis{60'000}));
  BOOST_TEST(eventually(
      [&] {
        return stack.sql("SELECT count(*) FROM stream_cursor WHERE entry_id = highest_id") == "1" &&
               stack.sql("SELECT count(*) FROM waiting_event") == "0";
      },
      Millis{30'000}));

  BOOST_TEST(stack.violations() == 0);
  // Every callback that NGINX answered 200 is an event of a record.
  std::set<std::string> bodies;
  long stored = 0;
  for (const json::object& push : stack.journal("push")) {
    if (text_at(push, "status") == "200" && bodies.insert(text_at(push, "bodySha256")).second)
      ++stored;
  }
  BOOST_TEST_MESSAGE(stored << " different callbacks were answered 200");
  BOOST_TEST(std::stol(stack.sql("SELECT count(*) FROM call_event WHERE source = 'callback'")) >=
             stored);
  BOOST_TEST(stack.sql("SELECT count(*) FROM dead_letter") == "0");
  // A call is over, or its attempt is one of which nobody can know, or its last word was refused by
  // a Redis that was away (503): the reaper's business, minutes from now.
  std::set<std::string> unheard;
  for (const json::object& push : stack.journal("push")) {
    if (text_at(push, "status") != "200") unheard.insert(text_at(push, "callId"));
  }
  for (const std::string& call : made) {
    const Answer record = stack.get("/v1/calls/" + call);
    const bool over = record.at("state") == "close" ||
                      unheard.contains(record.at("channelCallId")) ||
                      stack.sql("SELECT state FROM call_attempt WHERE call = " + call) == "unknown";
    BOOST_TEST(over, record.text);
  }
  BOOST_TEST(stack.nginx_alarms() == "");
}
