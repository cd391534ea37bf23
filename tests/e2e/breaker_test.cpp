// Which channels calls are kept from, and how they come back (rules.md, "Health"), as applications
// and operators see it. What is counted is calls, by the attempts that they made.
#include <chrono>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "second_daemon.hpp"
#include "several_channels.hpp"

using namespace cc::test;
using Clock = std::chrono::steady_clock;

namespace {

/// An application that calls at a steady rate, each time from another phone to another customer.
struct Site {
  explicit Site(const std::string& limits, const std::vector<std::string>& more = {})
      // Nobody waits at the end for what hangs.
      : configuration(
            {health(limits),
             {"    baseUrl: @JIUYUN@\n", "    baseUrl: @JIUYUN@\n    answerTimeout: 2s\n"}}),
        stack("20", configuration.options(more)) {}

  /// The next call, answered when its last attempt is decided; `digits` choose what its phones do.
  Answer call(const std::string& digits = "8042", const std::string& wait = "20") {
    await_turn();
    due = Clock::now() + pause;
    ++number;
    return stack.post("/v1/calls",
                      call_body("1396000" + std::to_string(1000 + number),
                                "138" + std::to_string(1000 + number) + digits),
                      {"Prefer: wait=" + wait});
  }
  void await_turn() const {
    std::this_thread::sleep_until(due);  // a rate, and nothing that could be awaited
  }
  /// Calls until the channel's state is that; how many it took.
  int call_until(const std::string& code, const std::string& state,
                 const std::string& digits = "8042") {
    const auto until = Clock::now() + Millis{30'000};
    for (int calls = 0;; ++calls) {
      await_turn();
      if (text_at(channel(stack, code), "state") == state) return calls;
      BOOST_REQUIRE_MESSAGE(Clock::now() < until, code << " did not become " << state << ": "
                                                       << json::serialize(channel(stack, code)));
      call(digits);
    }
  }
  /// Attempts that match.
  int attempts(const std::string& condition) const {
    return std::stoi(stack.sql("SELECT count(*) FROM call_attempt WHERE " + condition));
  }
  /// How often the state became that, or changed at all.
  int changes(const std::string& code, const std::string& state = "") const {
    return std::stoi(stack.sql("SELECT count(*) FROM channel_change WHERE channel = '" + code +
                               "'" + (state.empty() ? "" : " AND state = '" + state + "'")));
  }
  /// Attempts at a channel since then that were no trial calls although its state was not closed.
  int untried(const std::string& code, const std::string& since) const {
    return attempts("channel = '" + code + "' AND created > " + since +
                    " AND reason NOT LIKE '%(a trial call)%' AND created < (SELECT "
                    "coalesce(max(at) FILTER (WHERE state = 'closed' AND at > " +
                    since + "), 9e15) FROM channel_change WHERE channel = '" + code + "')");
  }
  std::string last_attempt() const {
    return stack.sql("SELECT coalesce(max(created), 0) FROM call_attempt");
  }

  Configuration configuration;
  Stack stack;
  Millis pause{100};
  Clock::time_point due = Clock::now();
  int number = 0;
};

const char* const trial = "reason LIKE '%(a trial call)%'";

}  // namespace

BOOST_AUTO_TEST_CASE(a_channel_that_refuses_connections_is_left_after_five_calls) {
  Site site("open: 60s");  // no trial calls while this test lasts
  site.pause = Millis{200};
  Stack& stack = site.stack;
  stack.outage("simulator", R"({"connections":"refuse"})");
  for (int i = 0; i < 15; ++i) {
    const Answer made = site.call();
    BOOST_TEST(made.status == 201, made.text);  // nobody has noticed anything
    BOOST_TEST(made.at("channel") == "e9b");
    BOOST_TEST(made.at("notice") == "");
  }
  BOOST_TEST(site.attempts("channel = 'e9'") == 5);
  const json::value e9 = channel(stack, "e9");
  BOOST_TEST(text_at(e9, "state") == "open");
  BOOST_TEST(text_at(e9, "standing") == "out");
  BOOST_TEST(text_at(e9, "why").find("could not reach it") != std::string::npos);
  BOOST_TEST(!text_at(e9, "nextTrial").empty());
  BOOST_TEST(e9.at("changes").as_array().size() == 1U);
  BOOST_TEST(site.changes("e9") == 1);
  BOOST_TEST(stack.sql("SELECT tenant || ' ' || (data->>'was') || ' ' || (data->>'state') FROM "
                       "change WHERE kind = 'channel.state' ORDER BY tenant") ==
             "demo closed open\nother closed open");
  BOOST_TEST(stack.log("ccd").find("channel e9: closed -> open") != std::string::npos);
  BOOST_TEST(metric(stack, "cc_channel_changes_total", "channel=\"e9\",state=\"open\"") == 1);
  BOOST_TEST(text_at(channel(stack, "e9b"), "state") == "closed");

  // It is one state for all daemons, and outlives them.
  SecondDaemon second(stack);
  BOOST_TEST(second.get("/v1/channels/e9").at("state") == "open");
  stack.part("kill", "ccd");
  for (int i = 0; i < 3; ++i) {
    const Answer made = second.post(
        "/v1/calls",
        call_body("1396100000" + std::to_string(i), "138610" + std::to_string(i) + "8042"),
        {"Prefer: wait=20"});
    BOOST_TEST(made.at("channel") == "e9b", made.text);
  }
  stack.part("start", "ccd");
  BOOST_TEST(text_at(channel(stack, "e9"), "state") == "open");
  for (int i = 0; i < 3; ++i) BOOST_TEST(site.call().at("channel") == "e9b");
  BOOST_TEST(site.attempts("channel = 'e9'") == 5);

  // Where nothing is whole any more, what is least bad is tried, and the answer says so.
  stack.outage("simulator2", R"({"connections":"refuse"})");
  site.call_until("e9b", "open");
  const Answer refused = site.call();
  BOOST_TEST(refused.status == 502, refused.text);
  BOOST_TEST(text_at(stack.await_state(refused.at("callId")), "closeType") == "7");
  stack.outage("simulator", R"({"connections":null})");
  stack.outage("simulator2", R"({"connections":null})");
  const Answer tried = site.call();
  BOOST_TEST(tried.status == 201, tried.text);
  BOOST_TEST(tried.at("channel") == "e9");  // which may be tried again the soonest
  BOOST_TEST(tried.at("notice").find("least bad") != std::string::npos, tried.text);
  const Answer early = site.call("8042", "0");
  BOOST_TEST(early.status == 202, early.text);
  BOOST_TEST(!early.at("notice").empty());
}

BOOST_AUTO_TEST_CASE(a_channel_that_does_not_answer_is_left_as_soon_as_that_is_known) {
  Site site("slow: 500ms, open: 60s");
  site.pause = Millis{200};
  Stack& stack = site.stack;
  SecondDaemon second(stack);
  stack.outage("simulator", R"({"originate":"hang"})");
  const auto begun = Clock::now();
  int calls = 0;
  while (text_at(channel(stack, "e9"), "state") != "open") {
    BOOST_REQUIRE(++calls < 50);
    // What each daemon meets counts for both.
    if (calls % 2 == 0) {
      site.call("8042", "0");
    } else {
      site.await_turn();
      site.due = Clock::now() + site.pause;
      second.post("/v1/calls", call_body("1396200" + std::to_string(1000 + calls),
                                         "138" + std::to_string(9000 + calls) + "8042"));
    }
  }
  BOOST_TEST_MESSAGE("open after "
                     << calls << " calls and "
                     << std::chrono::duration_cast<Millis>(Clock::now() - begun).count() << " ms");
  const int at_e9 = site.attempts("channel = 'e9'");
  BOOST_TEST(at_e9 <= 10);
  for (int i = 0; i < 10; ++i) BOOST_TEST(site.call().at("channel") == "e9b");
  BOOST_TEST(site.attempts("channel = 'e9'") == at_e9);
  BOOST_TEST(site.changes("e9") == 1);
  // Those that had no answer may ring: none was tried elsewhere.
  BOOST_TEST(site.attempts("superseded") == 0);
}

BOOST_AUTO_TEST_CASE(a_channel_comes_back_by_three_trial_calls_and_flapping_does_not_shake_it) {
  Site site("open: 500ms, openMost: 1s");
  Stack& stack = site.stack;
  stack.outage("simulator", R"({"connections":"refuse"})");
  site.call_until("e9", "open");
  const auto open_ms = [&] {
    return std::stoi(stack.sql("SELECT open_ms FROM channel_health WHERE channel = 'e9'"));
  };
  BOOST_TEST(open_ms() == 500);
  BOOST_TEST(site.attempts("channel = 'e9'") == 5);
  // A trial that fails is one call's delay, and it is left alone for longer.
  while (open_ms() == 500) BOOST_TEST(site.call().at("channel") == "e9b");
  BOOST_TEST(open_ms() == 1000);
  BOOST_TEST(site.attempts("channel = 'e9'") == 6);

  stack.outage("simulator", R"({"connections":null})");
  const std::string ended = site.last_attempt();
  const auto recovering = Clock::now();
  site.call_until("e9", "closed");
  BOOST_TEST_MESSAGE("closed again "
                     << std::chrono::duration_cast<Millis>(Clock::now() - recovering).count()
                     << " ms after the outage's end");
  BOOST_TEST(site.untried("e9", ended) == 0);
  BOOST_TEST(
      site.attempts(std::string("channel = 'e9' AND created > ") + ended + " AND " + trial) == 3);
  for (int i = 0; i < 3; ++i) BOOST_TEST(site.call().at("channel") == "e9");
  BOOST_TEST(stack.log("ccd").find("half_open -> closed: it is whole again") != std::string::npos);

  // It comes and goes with each call that it is given: it never gets three well, so it stays away,
  // and each of its openings is two changes at most.
  bool away = true;
  stack.outage("simulator", R"({"connections":"refuse"})");
  site.call_until("e9", "open");
  const int changes = site.changes("e9"), openings = site.changes("e9", "open");
  const int before = site.attempts("channel = 'e9'");
  int calls = 0, given = before;
  while (site.changes("e9", "open") < openings + 3) {
    BOOST_REQUIRE(++calls < 150);
    BOOST_TEST(site.call().status == 201);
    const int now = site.attempts("channel = 'e9'");
    if (now == given) continue;
    given = now;
    away = !away;
    stack.outage("simulator", away ? R"({"connections":"refuse"})" : R"({"connections":null})");
  }
  BOOST_TEST_MESSAGE("flapping: " << calls << " calls, " << given - before << " of them at e9, "
                                  << site.changes("e9") - changes << " changes of state");
  BOOST_TEST(site.changes("e9") - changes <= 6);
  BOOST_TEST(given - before <= 9);
}

BOOST_AUTO_TEST_CASE(calls_that_are_accepted_and_then_fail_count_and_people_do_not) {
  Site site("open: 1s, openMost: 2s");
  Stack& stack = site.stack;
  // Busy, or nobody there, is somebody's own affair.
  for (const char* digits : {"8003", "8004", "8005", "8006", "8007", "8008"}) {
    for (int i = 0; i < 2; ++i) {
      const Answer made = site.call(digits);
      BOOST_TEST(made.at("channel") == "e9", made.text);
    }
  }
  BOOST_TEST(eventually(
      [&] { return stack.sql("SELECT count(*) FROM call_record WHERE state = 'close'") == "12"; }));
  stack.outage("simulator", R"({"ends":6})");
  const int well = site.number;
  // No earlier than half of all calls have failed.
  site.call_until("e9", "open");
  BOOST_TEST_MESSAGE("opened by how " << site.number - well << " calls ended");
  BOOST_TEST(site.number - well >= 10);
  BOOST_TEST(text_at(channel(stack, "e9"), "why").find("calls failed within") != std::string::npos);
  BOOST_TEST(stack.sql("SELECT by_finals FROM channel_health WHERE channel = 'e9'") == "t");
  // It accepts trial calls as it accepted the others: that proves nothing.
  const int openings = site.changes("e9", "open");
  const auto failing = Clock::now();
  while (site.changes("e9", "open") == openings) {
    BOOST_REQUIRE(Clock::now() < failing + Millis{20'000});
    site.call();
  }
  BOOST_TEST(site.changes("e9", "closed") == 0);

  stack.outage("simulator", R"({"ends":null})");
  stack.simulator("PUT", "default-script", R"({"preset":"instant","setupMs":60000})");
  const std::string ended = site.last_attempt();
  const std::string accepted =
      "channel = 'e9' AND state = 'accepted' AND created > " + ended + " AND " + trial;
  const auto healing = Clock::now();
  while (site.attempts(accepted) < 3) {
    BOOST_REQUIRE(Clock::now() < healing + Millis{20'000});
    site.call("0000");  // three seconds pass before its phones are dialled
  }
  BOOST_TEST(text_at(channel(stack, "e9"), "state") == "half_open");
  BOOST_TEST(await_channel(stack, "e9", "closed"));
  BOOST_TEST(site.attempts(accepted) == 3);
}

BOOST_AUTO_TEST_CASE(a_channel_whose_callbacks_stay_away_is_spared_until_they_come_again) {
  Site site("open: 1s, openMost: 2s, overdue: 500ms");
  Stack& stack = site.stack;
  for (int i = 0; i < 8; ++i) BOOST_TEST(site.call().at("channel") == "e9");
  BOOST_REQUIRE(eventually(
      [&] { return !text_at(channel(stack, "e9").at("callbackDelay"), "p99").empty(); }));
  stack.outage("simulator", R"({"callbacks":"lose"})");
  const int silent = site.call_until("e9", "degraded");
  BOOST_TEST_MESSAGE("degraded after " << silent << " calls that nobody heard of");
  const json::value e9 = channel(stack, "e9");
  BOOST_TEST(text_at(e9, "why").find("no callback") != std::string::npos);
  BOOST_TEST(std::stoi(text_at(e9, "missingEvents")) >= 3);
  const std::string since = site.last_attempt();
  for (int i = 0; i < 8; ++i) BOOST_TEST(site.call().status == 201);
  BOOST_TEST(site.attempts("channel = 'e9b' AND created > " + since) >= 6);
  BOOST_TEST(site.untried("e9", since) == 0);
  // Its calls are accepted all the same: nothing is out, and no answer warns.
  BOOST_TEST(site.call().at("notice") == "");

  stack.outage("simulator", R"({"callbacks":null})");
  site.call_until("e9", "closed");
  BOOST_TEST(site.untried("e9", since) == 0);
  BOOST_TEST(site.call().at("channel") == "e9");
}

BOOST_AUTO_TEST_CASE(agents_that_cannot_sign_in_make_their_channel_the_second_choice) {
  Site site("open: 1s", {"--gateway", "--gateway-options", "--poll-ms 2000"});
  Stack& stack = site.stack;
  stack.make_agents(1000, 1003);
  for (const char* agent : {"1000", "1001", "1002", "1003"}) stack.await_agent(agent);
  BOOST_TEST(text_at(channel(stack, "hw"), "state") == "closed");
  stack.outage("gateway", R"({"kind":"http503","functions":["signin"]})");
  stack.gateway("POST", "restart", R"({"forget":true})");
  BOOST_TEST(await_channel(stack, "hw", "degraded"), json::serialize(channel(stack, "hw")));
  BOOST_TEST(text_at(channel(stack, "hw"), "why").find("can't sign in") != std::string::npos);
  stack.outage("gateway", R"({"kind":null})");
  BOOST_TEST(await_channel(stack, "hw", "closed", Millis{40'000}),
             json::serialize(channel(stack, "hw")));

  // What an operator says goes before what CC thinks.
  set_channel(stack, "e9", R"({"force":"open"})");
  BOOST_TEST(text_at(channel(stack, "e9"), "state") == "forced_open");
  BOOST_TEST(site.call().at("channel") == "e9b");
  const Answer named =
      stack.post("/v1/calls", call_body("13962000001", "13862008042", R"("channel":"e9")"));
  BOOST_TEST(named.status == 503, named.text);
  set_channel(stack, "e9", R"({"force":null})");
  BOOST_TEST(site.call().at("channel") == "e9");
  set_channel(stack, "e9", R"({"force":"closed"})");
  BOOST_TEST(text_at(channel(stack, "e9"), "state") == "forced_closed");
  stack.outage("simulator", R"({"connections":"refuse"})");
  const int before = site.attempts("channel = 'e9'");
  for (int i = 0; i < 8; ++i) BOOST_TEST(site.call().at("channel") == "e9b");
  BOOST_TEST(site.attempts("channel = 'e9'") == before + 8);
  set_channel(stack, "e9", R"({"force":null})");
  BOOST_TEST(text_at(channel(stack, "e9"), "state") == "open");
  BOOST_TEST(stack.sql("SELECT string_agg(state, ' ' ORDER BY at, id) FROM channel_change WHERE "
                       "channel = 'e9'") != "");
}
