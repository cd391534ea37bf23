// The audit trail grows for years: what reads it, writes it and purges it goes by an index.
#include <set>

#include "audit/audit_trail.hpp"
#include "plans.hpp"
#include "store/purge.hpp"
#include "store_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

constexpr int times = 8;  // a prepared statement gets its generic plan at the sixth time

struct Fixture : StoreFixture {
  Fixture() {
    const std::string now = std::to_string(now_ms), day = std::to_string(day_ms);
    sql("INSERT INTO audit (at, tenant, key, action, request_id, calls, count) SELECT " + now +
        " - (60000 - n)::bigint * " + day +
        " / 600, 'tenant' || n % 20, 'key' || n % 3, 'numbers.shown', 'r' || n, ARRAY[n, n + 1], 2 "
        "FROM generate_series(1, 60000) AS n");
    sql("ANALYZE audit");
    sql(log_plans_sql(database));
    pool = std::make_unique<pg::Pool>(executor, server.conninfo(database), 1);
    trail.emplace(executor, *pool, clock, metrics);
  }

  void check(const AuditFilter& filter, std::size_t least) {
    for (int i = 0; i < times; ++i) {
      BOOST_TEST(wait_for(trail->page(filter, INT64_MAX, 50)).entries.size() >= least);
    }
  }

  Metrics metrics;
  std::optional<StoredAuditTrail> trail;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(audit_plans, Fixture)

BOOST_AUTO_TEST_CASE(no_statement_reads_the_whole_trail) {
  AuditFilter filter;
  filter.tenant = "tenant7";
  check(filter, 50);
  filter.from_ms = now_ms - 31 * day_ms;
  check(filter, 50);
  filter.to_ms = now_ms - 20 * day_ms;
  check(filter, 50);
  filter.key = "key1";
  check(filter, 50);
  filter.from_ms = 0;
  filter.to_ms = INT64_MAX;
  check(filter, 50);
  filter.key = "nobody";
  check(filter, 0);
  filter.key.reset();
  filter.action = "key.created";
  check(filter, 0);
  filter.action.reset();
  filter.request_id = "r40007";
  check(filter, 1);
  filter.request_id.reset();
  filter.call = 40'007;
  check(filter, 1);
  AuditEntry entry;
  entry.tenant = "tenant7";
  for (int i = 0; i < times; ++i) wait_for(trail->keep(entry));
  Retention retention;
  retention.audit = 99;
  wait_for(purge(*pool, retention, now_ms));
  pool.reset();  // its sessions end, and have written all they had to
  sql("SELECT 'end of plans'");
  BOOST_REQUIRE(eventually([&] { return server.log().find("end of plans") != std::string::npos; }));
  std::set<std::string> told;
  std::size_t seen = 0;
  for (const Plan& plan : plans_of(server.log())) {
    if (plan.query.find("audit") == std::string::npos) continue;
    ++seen;
    for (const PlanNode& node : plan.nodes) {
      // By its numbers it would be read as a whole too, only in order: everybody's rows.
      const bool all = node.type == "Seq Scan" && node.relation == "audit";
      const bool everybodys = node.index == "audit_pkey" && plan.query.find("DELETE") != 0;
      if ((all || everybodys) && told.insert(plan.text()).second) {
        BOOST_ERROR(plan.query << ": " << plan.text());
      }
    }
  }
  BOOST_TEST(seen >= 7U * times);
}

BOOST_AUTO_TEST_SUITE_END()
