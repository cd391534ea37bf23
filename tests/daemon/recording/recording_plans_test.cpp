// A million recordings lie in the store while a few are on their way: what runs each second, and
// what looks for those whose time is over, goes by an index.
#include <set>

#include "plans.hpp"
#include "recording/recording_queue.hpp"
#include "recording_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

constexpr int times = 8;  // a prepared statement gets its generic plan at the sixth time

}  // namespace

BOOST_FIXTURE_TEST_CASE(no_statement_reads_all_recordings, RecordingFixture) {
  sql("INSERT INTO recording (call, file, tenant, channel, source, closed, state, due, object, "
      "stored) SELECT (n::bigint * 60000 + " +
      std::to_string(now_ms - 50 * day_ms) +
      " - 1577836800000) << 22, 'audio', 'tenant' || n % 20, 'e9', 'http://x/' || n, 1, CASE WHEN "
      "n % 500 = 0 THEN 'expected' ELSE 'stored' END, CASE WHEN n % 1000 <> 0 THEN n END, 'o' || "
      "n, "
      "n::bigint * 60000 FROM generate_series(1, 60000) AS n");
  sql("ANALYZE recording");
  sql("SELECT count(*) FROM recording");
  Site& a = site();
  sql(log_plans_sql(database));
  auto logged = std::make_unique<pg::Pool>(executor, server.conninfo(database), 1);
  Parts parts{config, *logged, channels, a.membership, at, metrics, watch, lines, a.health};
  RecordingQueue queue(parts);
  for (int i = 0; i < times; ++i) {
    wait_for(queue.schedule());
    const std::vector<RecordingKey> nobody;
    const auto taken = wait_for(queue.take(2, nobody, {}));
    BOOST_TEST(taken.size() == 2U);
    BOOST_TEST(wait_for(queue.tenants()).size() == 20U);
    const auto expired = wait_for(queue.take_expired("tenant7", "s", 60'000LL * 20'000,
                                                      std::nullopt));
    wait_for(queue.expired_elsewhere("tenant7", "s", 60'000LL * 20'000));
    wait_for(queue.orphaned_elsewhere("s"));
    BOOST_TEST(expired.size() == 100U);
    const auto more = wait_for(queue.take_expired("tenant7", "s", 60'000LL * 20'000,
                                                   expired.back()));
    BOOST_TEST(more.size() == 100U);
    BOOST_TEST(more.front().stored_ms > expired.back().stored_ms);
    wait_for(queue.count());
    wait_for(queue.give_back(taken[0]));
    wait_for(queue.orphan_dropped(1, now_ms));
  }
  logged.reset();  // its sessions end, and have written all they had to
  sql("SELECT 'end of plans'");
  BOOST_REQUIRE(eventually([&] { return server.log().find("end of plans") != std::string::npos; }));
  std::set<std::string> told;
  std::size_t seen = 0;
  for (const Plan& plan : plans_of(server.log())) {
    if (plan.query.find("recording") == std::string::npos ||
        plan.query.find("count(*) FROM recording") != std::string::npos ||
        plan.query.find("ANALYZE") != std::string::npos) {
      continue;
    }
    ++seen;
    // What is due comes out of its index in order.
    if (plan.query.find("ORDER BY r.due") != std::string::npos && plan.has("Sort")) {
      BOOST_ERROR(plan.text());
    }
    for (const PlanNode& node : plan.nodes) {
      if (node.type == "Seq Scan" && node.relation == "recording" &&
          told.insert(plan.text()).second) {
        BOOST_ERROR(plan.query << ": " << plan.text());
      }
    }
  }
  BOOST_TEST(seen >= 7U * times);
}
