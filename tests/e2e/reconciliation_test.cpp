// Calls without their channel's final word: counted, asked for, and told of by command and API.
#include <fstream>

#include <boost/test/unit_test.hpp>

#include "stack.hpp"

using namespace cc::test;

namespace {

Stack& stack() {
  static const TempDir folder;
  static Stack one("20", [] {
    const std::string path = folder.file("cc.yaml");
    std::ofstream(path) << read_file(CC_SOURCE_DIR "/scripts/stack.d/cc.yaml")
                        << "\nreaper:\n  queriesPerMinute: 600\n";
    return std::vector<std::string>{"--cc-yaml", path};
  }());
  return one;
}

std::string today() {
  return stack().sql("SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date");
}

Outcome command(const std::vector<std::string>& words) {
  std::vector<std::string> all{stack().env("CC_CCD"), "--config",
                               stack().env("CC_DIR") + "/conf/cc.yaml", "reconciliation"};
  all.insert(all.end(), words.begin(), words.end());
  return run({.command = all});
}

std::string make_call(const std::string& caller, const std::string& called) {
  const Answer answer = stack().post("/v1/calls", call_body(caller, called));
  BOOST_REQUIRE_EQUAL(answer.status, 202);
  return answer.at("callId");
}

/// Silent for hours, as far as the reaper can see.
void let_hours_pass(const std::string& call) {
  stack().await_state(call, "conn");
  // Its phones are silent for good; only then nothing comes in between.
  BOOST_REQUIRE(eventually([&] {
    const json::value found = stack().simulator("calls?userData=cc1." + call + ".1");
    return text_at(found.at("calls").as_array().at(0), "phase") == "ended";
  }));
  stack().sql("UPDATE call_event SET received = received - 30000000 WHERE call = " + call);
  stack().sql("UPDATE call_attempt SET sent = sent - 30000000 WHERE call = " + call);
}

bool becomes(const std::string& call, const std::string& name, const std::string& value) {
  return eventually([&] { return stack().get("/v1/calls/" + call).at(name) == value; },
                    Millis{30'000});
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_the_channels_owe_is_asked_for_and_told) {
  const std::string told = make_call("13944460001", "13812348001");
  const std::string lost = make_call("13944460002", "13812348012");
  const std::string forgotten = make_call("13944460003", "13812348044");
  const std::string open = make_call("13944460004", "13812348010");
  stack().await_state(told);
  let_hours_pass(lost);
  let_hours_pass(forgotten);
  BOOST_TEST(becomes(lost, "closeSource", "query"));  // the channel's answer
  BOOST_TEST(becomes(forgotten, "closeSource", "cc"));
  BOOST_TEST(eventually([&] {
    return stack().sql("SELECT query_problem LIKE 'given up%' FROM call_attempt WHERE call = " +
                       forgotten) == "t";
  }));
  stack().await_state(open, "conn");

  const Outcome counted = command({"run", today()});
  BOOST_TEST(counted.status == 3, counted.output);
  BOOST_TEST(counted.output.find("0 calls more are asked for") != std::string::npos,
             counted.output);
  const Outcome days = command({"days", "--channel", "e9"});
  BOOST_TEST(days.status == 3, days.output);
  BOOST_TEST(days.output.find(today() + "  demo              e9              4         2         0"
                                        "         1         0         1         0         0") !=
                 std::string::npos,
             days.output);
  const Outcome calls = command({"calls", today()});
  BOOST_TEST(calls.status == 3, calls.output);
  BOOST_TEST(calls.output.find(forgotten) != std::string::npos, calls.output);
  BOOST_TEST(calls.output.find("given up: ") != std::string::npos, calls.output);
  BOOST_TEST(calls.output.find(open) != std::string::npos, calls.output);
  BOOST_TEST(calls.output.find(lost) == std::string::npos, calls.output);
  BOOST_TEST(calls.output.find("2 calls of ") != std::string::npos, calls.output);
  BOOST_TEST(command({"days", "--tenant", "other"}).status == 0);

  const json::array rows = stack().get("/v1/reconciliation").body().at("items").as_array();
  BOOST_REQUIRE_EQUAL(rows.size(), 1U);
  BOOST_TEST(text_at(rows[0], "day") == today());
  BOOST_TEST(text_at(rows[0], "channel") == "e9");
  BOOST_TEST(text_at(rows[0], "calls") == "4");
  BOOST_TEST(text_at(rows[0], "final") == "2");
  BOOST_TEST(text_at(rows[0], "open") == "1");
  BOOST_TEST(text_at(rows[0], "givenUp") == "1");
  const Answer first = stack().get("/v1/reconciliation/" + today() + "?limit=1");
  const json::array one = first.body().at("items").as_array();
  BOOST_REQUIRE_EQUAL(one.size(), 1U);
  BOOST_TEST(text_at(one[0], "callId") == forgotten);
  BOOST_TEST(text_at(one[0], "standing") == "givenUp");
  const Answer second =
      stack().get("/v1/reconciliation/" + today() + "?limit=1&cursor=" + first.at("next"));
  BOOST_TEST(text_at(second.body().at("items").as_array().at(0), "callId") == open);
  BOOST_TEST(second.body().at("next").is_null());

  // Another tenant's key sees nothing of it.
  const Answer foreign =
      send({.url = stack().env("CC_API") + "/v1/reconciliation/" + today(),
            .headers = {"Authorization: Bearer " + stack().env("CC_KEY_OTHER")}});
  BOOST_TEST(foreign.status == 200);
  BOOST_TEST(foreign.body().at("items").as_array().empty());
}

BOOST_AUTO_TEST_CASE(each_day_it_is_done_by_itself) {
  BOOST_TEST(eventually(
      [] { return stack().log("ccd").find("reconciliation done") != std::string::npos; }));
  // Of a day whose calls are not kept any more; and nobody has counted today.
  stack().sql("UPDATE call_record SET state = 'close', close_source = 'cc' WHERE state <> 'close'");
  stack().sql(
      "INSERT INTO reconciliation VALUES ((now() AT TIME ZONE 'Asia/Shanghai')::date - 2, 'demo', "
      "'e9', 9, 9, 0, 0, 0, 0, 0, 0, 1)");
  stack().sql("UPDATE daily_work SET day = day - 1, done = 0");
  const std::string before = stack().sql("SELECT day FROM daily_work");
  stack().part("restart", "ccd");
  BOOST_TEST(eventually([&] {
    return stack().sql("SELECT day = '" + before + "'::date + 1 AND done > 0 FROM daily_work") ==
           "t";
  }));
  BOOST_TEST(stack().sql("SELECT calls FROM reconciliation ORDER BY day") == "9\n4");
  BOOST_TEST(eventually([] {
    return send({.url = stack().env("CC_API") + "/metrics"})
               .text.find("cc_calls_without_final_word{standing=\"lost\"} 1") != std::string::npos;
  }));
}

BOOST_AUTO_TEST_CASE(wrong_words_are_refused) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{},
                                             {"weeks"},
                                             {"calls"},
                                             {"calls", "2026-02-30"},
                                             {"days", "2026-02-03"},
                                             {"days", "--from", "2026-02-03", "--to", "2026-02-02"},
                                             {"run", "--tenant", "demo"},
                                             {"run", "--from", "2026-02-03"},
                                             {"days", "--channel"},
                                             {"days", "--sideways"}}) {
    BOOST_TEST(command(words).status == 2);
  }
  BOOST_TEST(command({"--help"}).status == 0);
  for (const char* path :
       {"/v1/reconciliation?from=2026-02-30", "/v1/reconciliation?from=2026-03-02&to=2026-03-01",
        "/v1/reconciliation?from=2020-01-01&to=2026-03-01", "/v1/reconciliation/yesterday",
        "/v1/reconciliation/2026-03-01?limit=0", "/v1/reconciliation?tenant=other"}) {
    BOOST_TEST(stack().get(path).status == 400, path);
  }
}
