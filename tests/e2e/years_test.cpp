// Years of data: old months go, and a record can be proved to be its history's fold beside the
// running daemon.
#include <fstream>

#include <boost/test/unit_test.hpp>

#include "stack.hpp"

using namespace cc::test;

namespace {

Stack& stack() {
  static Stack one("20");
  return one;
}

Outcome rebuild(const std::vector<std::string>& words) {
  std::vector<std::string> all{stack().env("CC_CCD"), "--config",
                               stack().env("CC_DIR") + "/conf/cc.yaml"};
  all.insert(all.end(), words.begin(), words.end());
  return run({.command = all});
}

const std::string everything = "2020-01-01..2099-12-31";

}  // namespace

BOOST_AUTO_TEST_CASE(records_are_rebuilt_from_their_history) {
  std::vector<std::string> calls;
  int caller = 0;
  for (const char* called : {"13812348001", "13812348003", "13812348006", "13812348002"}) {
    const std::string phone = "1394445100" + std::to_string(caller++);
    calls.push_back(stack().post("/v1/calls", call_body(phone, called)).at("callId"));
  }
  for (const std::string& call : calls) stack().await_state(call);
  BOOST_TEST(stack().post("/v1/calls", call_body("13944451009", "13812348010")).status == 202);

  // Each of them is the fold of its events, and of its channel's bytes.
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"--rebuild", everything}, {"--rebuild", everything, "--from-raw"}}) {
    const Outcome honest = rebuild(words);
    BOOST_TEST(honest.status == 0, honest.output);
    BOOST_TEST(honest.output.find(" 0 differ") != std::string::npos, honest.output);
  }

  const std::string call = calls[0];
  const std::string before = stack().get("/v1/calls/" + call).at("closeType");
  stack().sql("UPDATE call_record SET close_type = '4' WHERE id = " + call);
  const Outcome dry = rebuild({"--rebuild", call + ".." + call, "--dry-run"});
  BOOST_TEST(dry.status == 3, dry.output);
  BOOST_TEST(
      dry.output.find(call + " close_type stored=4 folded=" + before + "\n") != std::string::npos,
      dry.output);
  BOOST_TEST(stack().get("/v1/calls/" + call).at("closeType") == "4");
  BOOST_TEST(rebuild({"--rebuild", everything, "--write"}).status == 3);
  BOOST_TEST(stack().get("/v1/calls/" + call).at("closeType") == before);
  BOOST_TEST(rebuild({"--rebuild", everything}).status == 0);
  BOOST_TEST(stack().violations() == 0);
}

BOOST_AUTO_TEST_CASE(wrong_words_are_refused) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--rebuild"},
                                             {"--rebuild", "yesterday"},
                                             {"--rebuild", everything, "--write", "--dry-run"},
                                             {"--write"},
                                             {"--rebuild", everything, "more"}}) {
    BOOST_TEST(rebuild(words).status == 2);
  }
}

BOOST_AUTO_TEST_CASE(old_months_go_when_the_configuration_says_so) {
  const TempDir folder;
  const std::string path = folder.file("cc.yaml");
  std::ofstream(path) << read_file(CC_SOURCE_DIR "/scripts/stack.d/cc.yaml")
                      << "\nretention:\n  records: 730\n  events: 90\n";
  Stack stack("20", {"--cc-yaml", path});
  stack.sql("SELECT cc_make_partitions(1672531200000, 1677628800000)");  // two months of 2023
  stack.sql(
      "INSERT INTO call_record (id, tenant, direction, initiator, max_duration, created, updated) "
      "SELECT (1676000000000 - 1577836800000) << 22, 'demo', 'out', 'agent', 60, 1, 1");
  stack.part("restart", "ccd");
  BOOST_TEST(eventually([&] {
               const std::string log = stack.log("ccd");
               return log.find("retention: call_record_202301 dropped") != std::string::npos &&
                      log.find("retention: call_record_202302 stays") != std::string::npos;
             }),
             stack.log("ccd"));
  BOOST_TEST(stack.sql("SELECT string_agg(child, ' ') FROM cc_partitions('call_record') WHERE "
                       "child < 'call_record_2024'") == "call_record_202302");
  BOOST_TEST(stack.get("/readyz").text.find("days ahead") != std::string::npos);
  const std::string metrics = send({.url = stack.env("CC_API") + "/metrics"}).text;
  BOOST_TEST(metrics.find("cc_partition_days_ahead") != std::string::npos);
}
