// ccd is killed at every fault point, between any two steps of an attempt and of the dispatcher.
// After the restart the record is that of an undisturbed run, and no phone rang twice.
#include <fstream>
#include <sstream>

#include <boost/test/unit_test.hpp>

#include "stack.hpp"

using namespace cc::test;

namespace {

Stack& stack() {
  static Stack one("20");
  return one;
}

std::vector<std::string> fault_points() {
  std::istringstream lines(run({.command = {stack().env("CC_CCD"), "--fault-points"}}).output);
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    // On the way of polled calls, where e2e.lines goes, and of recordings: they come later.
    if (!line.starts_with("poller.") && !line.starts_with("recording.")) names.push_back(line);
  }
  return names;
}

// What must not depend on any crash.
std::string essence(const json::value& record) {
  std::string text;
  for (const char* name :
       {"state", "progress", "closeType", "closeDetail", "closedBy", "closeSource", "chState",
        "channel", "called", "lateLife", "recovered", "truncated"}) {
    text += std::string(name) + "=" + text_at(record, name) + " ";
  }
  for (const char* name : {"aCallTime", "bCallTime", "aOffhookTime", "bOffhookTime", "connTime",
                           "closeTime", "duration"}) {
    text += std::string(name) + (text_at(record, name).empty() ? "- " : "+ ");
  }
  return text;
}

std::size_t rings(const std::string& phone) {
  std::size_t count = 0;
  for (const json::object& line : stack().journal("ring")) {
    count += text_at(line, "leg") == "a" && text_at(line, "number") == phone ? 1U : 0U;
  }
  return count;
}

Answer post(const std::string& phone) {
  return stack().post("/v1/calls", call_body(phone, "13812348041"),
                      {"Idempotency-Key: crash-" + phone});
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_crash_at_any_point_neither_loses_nor_repeats_a_call) {
  const std::string undisturbed = essence(stack().await_state(post("13922220000").at("callId")));
  int number = 0;
  for (const std::string& point : fault_points()) {
    if (point == "dispatch.trimmed") continue;  // reached after an hour of lag: the next test
    if (point == "merge.moved") continue;       // on no call's way: strangers_test.cpp
    if (point.ends_with("next")) continue;      // only of calls that fail over: failover_test.cpp
    BOOST_TEST_CONTEXT("killed at " << point) {
      const std::string phone = "1392222" + std::to_string(1000 + ++number);
      stack().part("restart", "ccd", {"--fault", point});
      post(phone);  // may never be answered
      BOOST_REQUIRE_MESSAGE(eventually([] { return !stack().running("ccd"); }, Millis{20'000}),
                            "ccd did not reach " << point);
      stack().part("start", "ccd");
      // The application does as it should: it repeats what was not answered, with the same key.
      const Answer again = post(phone);
      BOOST_REQUIRE_MESSAGE(again.status == 202, again.status << " " << again.text);
      const std::string call = again.at("callId");
      if (point == "attempt.sending") {
        // Nobody can know whether it left: unknown, and not sent again.
        BOOST_TEST(eventually(
            [&] {
              return stack().sql("SELECT state FROM call_attempt WHERE call = " + call) ==
                     "unknown";
            },
            Millis{15'000}));
        BOOST_TEST(rings(phone) == 0U);
        BOOST_TEST(stack().get("/v1/calls/" + call).at("state") == "init");
        continue;
      }
      stack().await_state(call);
      // Late deliveries may still amend it.
      BOOST_TEST(eventually([&] {
                   return essence(stack().get("/v1/calls/" + call).body()) == undisturbed;
                 }),
                 essence(stack().get("/v1/calls/" + call).body()) << "\n  instead of\n"
                                                                  << undisturbed);
      BOOST_TEST(rings(phone) == 1U);
      BOOST_TEST(stack().sql("SELECT count(*) FROM claim WHERE released IS NULL AND call = " +
                             call) == "0");
    }
  }
  BOOST_TEST(stack().violations() == 0);
  BOOST_TEST(stack().sql("SELECT count(*) FROM dead_letter") == "0");
}

BOOST_AUTO_TEST_CASE(a_crash_between_trimming_and_going_on_changes_nothing) {
  // With no lag at all everything committed is trimmed.
  const std::string yaml = read_file(stack().env("CC_YAML"));
  const std::size_t at = yaml.find("  partitions: 1");
  BOOST_REQUIRE(at != std::string::npos);
  const TempDir folder;
  {
    std::ofstream out(folder.file("cc.yaml"));
    out << std::string(yaml).insert(at, "  trimLag: 1s\n");
  }
  Stack one("20", {"--cc-yaml", folder.file("cc.yaml"), "--fault", "dispatch.trimmed"});
  std::vector<std::string> calls;
  int number = 0;
  const bool died = eventually(
      [&] {
        const Answer made = one.post(
            "/v1/calls", call_body("1392233" + std::to_string(1000 + ++number), "13812348042"));
        if (made.status == 202) calls.push_back(made.at("callId"));
        return !one.running("ccd");
      },
      Millis{40'000});
  BOOST_REQUIRE(died);
  one.part("start", "ccd");
  for (const std::string& call : calls)
    BOOST_TEST(text_at(one.await_state(call), "closeType") == "0");
  BOOST_TEST(one.log("ccd").find("went back") == std::string::npos);
  BOOST_TEST(one.violations() == 0);
}

BOOST_AUTO_TEST_CASE(redis_and_postgresql_may_be_killed_and_come_back) {
  const Answer before = stack().post("/v1/calls", call_body("13922240001", "13812348010"));
  stack().await_state(before.at("callId"), "conn");
  stack().part("kill", "redis");
  stack().part("start", "redis");
  stack().part("kill", "postgres");
  const Answer away = stack().post("/v1/calls", call_body("13922240002", "13812348001"));
  BOOST_TEST(away.status == 503);
  stack().part("start", "postgres");
  BOOST_TEST(eventually(
      [&] { return stack().post("/v1/calls/" + before.at("callId") + "/hangup").status == 202; }));
  BOOST_TEST(text_at(stack().await_state(before.at("callId")), "closeType") == "0");
  const std::string after =
      stack().post("/v1/calls", call_body("13922240003", "13812348001")).at("callId");
  BOOST_TEST(text_at(stack().await_state(after), "closeType") == "0");
}
