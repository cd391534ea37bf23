// Redis or PostgreSQL comes back as an older copy of itself, while callbacks go on: that is
// noticed, the alarm names the window, and nothing is missing that anybody still had.
#include <csignal>

#include <boost/test/unit_test.hpp>

#include "open_load.hpp"
#include "recovered_calls.hpp"
#include "servers.hpp"
#include "stack.hpp"

using namespace cc::test;

namespace {

void await_accepted(const OpenLoad& load, long more) {
  const long before = load.accepted();
  BOOST_REQUIRE(eventually([&] { return load.accepted() >= before + more; }, Millis{30'000}));
}

bool logged(const Stack& stack, const std::string& text) {
  return eventually([&] { return stack.log("ccd").find(text) != std::string::npos; });
}

std::string metrics(const Stack& stack) {
  return send({.url = stack.env("CC_API") + "/metrics"}).text;
}

/// The alarm's line, for whoever reads the test's output.
std::string line_with(const std::string& log, const std::string& text) {
  const std::size_t at = log.find(text);
  if (at == std::string::npos) return "(none)";
  const std::size_t begin = log.rfind('\n', at) + 1;
  return log.substr(begin, log.find('\n', at) - begin);
}

std::string make_call(const Stack& stack, const std::string& caller, const std::string& called) {
  const Answer answer = stack.post("/v1/calls", call_body(caller, called));
  BOOST_REQUIRE_EQUAL(answer.status, 202);
  return answer.at("callId");
}

std::string talking_call(const Stack& stack, const std::string& caller) {
  stack.simulator("PUT", "scripts/13800000066",
                  R"({"setupMs":0,"aRingMs":0,"bRingMs":0,"talkMs":3600000,"bManyLines":true})");
  const std::string call = make_call(stack, caller, "13800000066");
  stack.await_state(call, "conn");
  return call;
}

void hang_up(const Stack& stack, const std::string& call) {
  const std::string id = stack.get("/v1/calls/" + call).at("channelCallId");
  BOOST_TEST(stack.simulator("POST", "hangup/" + id + "?by=b", "").status < 300);
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_older_redis_loses_only_what_nobody_else_had) {
  Stack stack("1");
  const RecoveredCalls calls(stack);
  OpenLoad load(calls.load(200), [&](long n) { return calls.callback(n); });
  await_accepted(load, 200);
  stack.save("redis", "older");
  await_accepted(load, 300);
  // The end of what is lost has not been drained yet.
  ::kill(stack.pid("ccd"), SIGSTOP);
  await_accepted(load, 100);
  stack.part("kill", "redis");
  const std::string cursor = stack.sql("SELECT entry_id FROM stream_cursor");
  stack.restore("redis", "older");
  await_accepted(load, 20);  // the spool takes them
  stack.part("start", "redis");
  ::kill(stack.pid("ccd"), SIGCONT);
  await_accepted(load, 200);
  const OpenLoad::Result result = load.stop();
  BOOST_TEST(calls.await_drained());

  // What the old Redis had taken and nobody had read is gone with it, and nothing else.
  const RedisServer lost({"--dir", stack.env("CC_DIR") + "/redis.lost", "--appendonly", "yes"});
  const std::string unread = lost.cli({"--raw", "XRANGE", "cc:events:0", "(" + cursor, "+"});
  const auto compared = calls.compare(result.accepted);
  BOOST_TEST_MESSAGE(result.accepted.size()
                     << " answered 2xx, " << compared.missing << " gone with the old Redis' end");
  BOOST_TEST(compared.missing > 0);  // or this shows nothing
  for (const std::string& body : compared.missing_bodies) {
    BOOST_TEST((unread.find(body) != std::string::npos), body);
  }
  BOOST_TEST(compared.twice == 0);
  BOOST_TEST(logged(stack, "Redis went back: "));
  const std::string alarm = line_with(stack.log("ccd"), "Redis went back: ");
  BOOST_TEST_MESSAGE(alarm);
  BOOST_TEST(alarm.find(" and " + cursor.substr(0, 8)) != std::string::npos);
  BOOST_TEST(metrics(stack).find("cc_stream_went_back_total 1\n") != std::string::npos);
  BOOST_TEST(metrics(stack).find("cc_postgresql_went_back_total 0\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_older_postgresql_gets_everything_again_that_the_stream_still_has) {
  Stack stack("1");
  const RecoveredCalls calls(stack);
  OpenLoad load(calls.load(200), [&](long n) { return calls.callback(n); });
  await_accepted(load, 100);
  const std::string living = talking_call(stack, "13944470001");
  stack.save("postgres", "older");
  await_accepted(load, 200);
  hang_up(stack, living);
  stack.await_state(living);
  const std::string unknown = make_call(stack, "13944470002", "13812348042");
  stack.await_state(unknown);
  const std::string talking = talking_call(stack, "13944470003");
  await_accepted(load, 100);
  stack.part("kill", "postgres");
  stack.restore("postgres", "older");
  await_accepted(load, 20);
  stack.part("start", "postgres");
  await_accepted(load, 200);
  const OpenLoad::Result result = load.stop();
  BOOST_TEST(calls.await_drained());

  const auto compared = calls.compare(result.accepted);
  BOOST_TEST_MESSAGE(result.accepted.size() << " answered 2xx");
  BOOST_TEST(compared.missing == 0);
  BOOST_TEST(compared.twice == 0);
  BOOST_TEST(logged(stack, "PostgreSQL went back: "));
  BOOST_TEST_MESSAGE(line_with(stack.log("ccd"), "PostgreSQL went back: "));
  BOOST_TEST(metrics(stack).find("cc_postgresql_went_back_total 1\n") != std::string::npos);
  BOOST_TEST(metrics(stack).find("cc_stream_went_back_total 0\n") != std::string::npos);

  // A call that ended meanwhile, and two that PostgreSQL had never heard of.
  BOOST_TEST(text_at(stack.await_state(living), "closeSource") == "callback");
  const json::value made_anew = stack.await_state(unknown);
  BOOST_TEST(text_at(made_anew, "closeType") == "0");
  BOOST_TEST(text_at(made_anew, "recovered") == "true");
  stack.await_state(talking, "conn");
  hang_up(stack, talking);
  BOOST_TEST(text_at(stack.await_state(talking), "closeSource") == "callback");
  BOOST_TEST(stack.log("ccd").find("closed by our own clock") == std::string::npos);
  BOOST_TEST(stack.violations() == 0);
  BOOST_TEST(stack.sql("SELECT count(*) FROM dead_letter") == "0");
}

BOOST_AUTO_TEST_CASE(an_older_postgresql_is_noticed_although_nothing_comes_any_more) {
  Stack stack("1");
  const std::string living = talking_call(stack, "13944470004");
  stack.save("postgres", "older");
  hang_up(stack, living);
  stack.await_state(living);
  // Noted beside the stream, and nothing else is going on.
  std::string cursor, noted;
  BOOST_REQUIRE_MESSAGE(eventually([&] {
                          cursor = stack.sql("SELECT entry_id FROM stream_cursor");
                          noted = stack.redis({"GET", "cc:drained:cc:events:0"});
                          return noted == cursor + "\n";
                        }),
                        noted << " is noted, " << cursor << " committed");
  stack.part("kill", "postgres");
  stack.restore("postgres", "older");
  stack.part("start", "postgres");
  BOOST_TEST(logged(stack, "PostgreSQL went back: "));
  BOOST_TEST(text_at(stack.await_state(living), "closeSource") == "callback");
  // Told once: what is read again is no news to the next who looks.
  stack.part("restart", "ccd");
  BOOST_TEST(logged(stack, "draining after " + cursor));
  BOOST_TEST(metrics(stack).find("cc_postgresql_went_back_total 0\n") != std::string::npos);
}
