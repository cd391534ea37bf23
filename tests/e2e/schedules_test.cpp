// Hundreds of random fault schedules through the real processes: each is a call with faults drawn
// for it at every channel, asked for in one of many ways and perhaps hung up, while daemons die and
// freeze, channels are out, NGINX and Redis are restarted. The journals of all three simulators,
// side by side with the records, show that no phone rang twice because of us and that every record
// tells what happened.
//
// About a minute; with CC_SOAK=long thousands. CC_SEED repeats a run's calls, faults and strikes,
// as far as two runs can be alike; CC_SCHEDULES is how many calls there shall be.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>
#include <sstream>

#include <boost/test/unit_test.hpp>

#include "schedules_lies.hpp"
#include "schedules_oracle.hpp"

using namespace cc::test;

namespace {

bool long_form() {
  const char* soak = std::getenv("CC_SOAK");
  return soak != nullptr && std::string(soak) == "long";
}

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* given = std::getenv(name);
  return given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
}

/// The stream that is not drained to its end; empty = all are.
std::string streams_behind(const Stack& stack) {
  std::istringstream streams(stack.redis({"--raw", "KEYS", "cc:events:*"}));
  for (std::string stream; streams >> stream;) {
    std::istringstream last(stack.redis({"--raw", "XINFO", "STREAM", stream}));
    std::string word;
    while (last >> word && word != "last-generated-id") {
    }
    last >> word;
    if (stack.sql("SELECT entry_id FROM stream_cursor WHERE stream = '" + stream + "'") != word)
      return stream;
  }
  return {};
}

/// Nothing is under way any more, in the world or in CC; or what still is.
std::string under_way(const Stack& stack) {
  for (const json::value& health : {stack.simulator("health"), stack.second("health")}) {
    if (text_at(health, "living") != "0") return "calls at Jiuyun: " + text_at(health, "living");
  }
  const json::value gateway = stack.gateway("health");
  for (const char* what : {"calls_living", "events_queued"}) {
    if (text_at(gateway, what) != "0") return std::string(what) + " " + text_at(gateway, what);
  }
  const json::value nginx = send({.url = stack.env("CC_NGINX") + "/cc/status"}).body();
  if (text_at(nginx.at("spool"), "files") != "0") return "NGINX's spool";
  if (const std::string behind = streams_behind(stack); !behind.empty()) return behind;
  return stack.sql(
      "SELECT concat((SELECT count(*) || ' spools ' FROM daemon WHERE spool_since IS NOT NULL "
      "HAVING count(*) > 0), (SELECT count(*) || ' waiting events ' FROM waiting_event HAVING "
      "count(*) > 0), (SELECT count(*) || ' open calls ' FROM call_record WHERE state <> 'close' "
      "AND merged_into IS NULL HAVING count(*) > 0), (SELECT count(*) || ' calls to be asked "
      "about' FROM call_attempt a JOIN call_record r ON r.id = a.call WHERE a.query_due IS NOT "
      "NULL AND a.channel <> 'hw' AND r.close_source = 'cc' HAVING count(*) > 0))");
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_phone_rings_twice_and_every_record_is_true_whatever_fails) {
  const std::uint64_t seed = number_from("CC_SEED", std::random_device{}());
  const auto calls = static_cast<long>(number_from("CC_SCHEDULES", long_form() ? 8000 : 600));
  BOOST_TEST_MESSAGE("CC_SEED=" << seed << ", " << calls << " schedules");
  const auto took = [begun = std::chrono::steady_clock::now()] {
    const auto passed = std::chrono::steady_clock::now() - begun;
    return "after " +
           std::to_string(std::chrono::duration_cast<std::chrono::seconds>(passed).count()) +
           " s: ";
  };
  Site site;
  Stack& stack = site.stack();
  stack.random_faults("simulator", jiuyun_faults(seed));
  stack.random_faults("simulator2", jiuyun_faults(seed + 1));
  stack.random_faults("gateway", gateway_faults(seed + 2));
  BOOST_TEST_MESSAGE(took() << "all stands");

  ScheduleLoad load(site, {.seed = seed, .calls = calls});
  ScheduleStrikes strikes(site, seed);
  const std::vector<ScheduleStrike> struck = strikes.run([&] { return load.done(); });
  BOOST_TEST_MESSAGE(took() << "all strikes are done");
  const std::vector<ScheduleLoad::Made> made = load.join();
  BOOST_TEST_MESSAGE(took() << "all calls are made");
  for (const ScheduleStrike& strike : struck)
    BOOST_TEST_MESSAGE("  " << strike.from << " " << strike.what << " for "
                            << strike.to - strike.from << " ms");

  std::string left;
  std::string last;
  const auto at_rest = [&] {
    left = under_way(stack);
    if (!left.empty()) last = left;
    return left.empty();
  };
  BOOST_TEST(eventually(at_rest, Millis{120'000}), "still under way: " << left);
  BOOST_TEST_MESSAGE(took() << "nothing is under way; the last was " << last);
  // What our own clock has closed holds its phones for 90 s from its sending.
  const Instant jumped =
      std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  site.advance(Millis{100'000});
  BOOST_TEST(eventually(
      [&] { return stack.sql("SELECT count(*) FROM claim WHERE released IS NULL") == "0"; },
      Millis{20'000}));

  ScheduleOracle oracle(stack, made, struck, jumped);
  for (const ScheduleLie& lie : schedule_lies()) {
    ScheduleOracle deceived(oracle);
    BOOST_TEST(lie.tell(deceived), "nothing to lie about: " << lie.complaint);
    deceived.judge();
    const auto& said = deceived.complaints();
    BOOST_TEST(
        std::ranges::any_of(said, [&](const auto& one) { return one.what == lie.complaint; }),
        "not seen: " << lie.complaint);
  }
  oracle.judge();
  oracle.judge_api();
  BOOST_TEST_MESSAGE(took() << oracle.figures());
  std::map<std::string, long> kinds;
  std::set<std::string> told;
  for (const ScheduleOracle::Complaint& one : oracle.complaints()) {
    if (++kinds[one.what] > 3) continue;
    BOOST_TEST_MESSAGE("  " << one.what << ": " << one.told);
    if (!one.call.empty() && told.size() < 5 && told.insert(one.call).second)
      BOOST_TEST_MESSAGE(oracle.timeline(one.call));
  }
  for (const auto& [what, n] : kinds) BOOST_ERROR(what << ": " << n << " (CC_SEED=" << seed << ")");
  BOOST_TEST(stack.sql("SELECT string_agg(DISTINCT reason, '; ') FROM dead_letter") == "");
  BOOST_TEST(stack.sql("SELECT count(*) FROM call_record WHERE direction = 'in' OR recovered") ==
             "0");
  BOOST_TEST(std::filesystem::is_empty(stack.env("CC_DIR") + "/ccd/spool"));
  BOOST_TEST(stack.nginx_alarms() == "");
}
