// Each filter that leads reads by its own index, newest first and without a sort, in a database
// where one tenant has nearly all calls; and only the months of the window are touched.
#define BOOST_TEST_MODULE explain_query
#include <boost/test/unit_test.hpp>

#include "plans.hpp"
#include "query/call_search.hpp"
#include "query/rejection_store.hpp"
#include "store_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

struct Fixture : StoreFixture {
  Fixture() {
    make_months(now_ms - 100 * day_ms, now_ms + 60 * day_ms);
    // 150,000 calls of 90 days: all but one in 500 are one tenant's, and as unequal are each other
    // column's values. Few are open.
    const auto rare = [](const std::string& often, const std::string& seldom) {
      return "CASE WHEN n % 500 > 0 THEN '" + often + "' ELSE '" + seldom + "' END";
    };
    sql("INSERT INTO call_record (id, tenant, direction, initiator, max_duration, created, "
        "updated, "
        "state, channel, close_type, agent, user_id, caller, called, biz_type, biz_id) SELECT ((at "
        "- " +
        std::to_string(id_epoch_ms) + ") << 22) + n, " + rare("big", "small") +
        ", 'out', 'agent', 3600, at, at, CASE WHEN n > 149970 THEN 'init' ELSE 'close' END, 'e9', "
        "'0', " +
        rare("often", "seldom") + ", " + rare("often", "seldom") + ", " + rare("1391", "1392") +
        ", '138' || n % 20000, " + rare("often", "seldom") +
        ", 'id' || n % 15000 FROM (SELECT n, " + std::to_string(now_ms) +
        " - (150000 - n)::bigint * " + std::to_string(90 * day_ms) +
        " / 150000 AS at FROM generate_series(1, 150000) AS n) AS x");
    sql("INSERT INTO call_attempt (call, attempt, tenant, channel, agent, state, created, "
        "channel_call_id) SELECT id, 1, tenant, 'e9', agent, 'accepted', created, md5(id::text) "
        "FROM call_record");
    sql("INSERT INTO rejection (tenant, at, code) SELECT tenant, created, 'line-busy' FROM "
        "call_record");
    sql("ANALYZE");
    sql(log_plans_sql(database));
    pool = std::make_unique<pg::Pool>(executor, server.conninfo(database), 1);
  }

  template <class Work>
  std::vector<Plan> plans_while(Work work) {
    const std::size_t before = server.log().size();
    work();
    pool.reset();  // its sessions end, and have written all they had to
    sql("SELECT 'end of plans'");
    BOOST_REQUIRE(
        eventually([&] { return server.log().find("end of plans", before) != std::string::npos; }));
    std::vector<Plan> plans = plans_of(server.log().substr(before));
    pool = std::make_unique<pg::Pool>(executor, server.conninfo(database), 1);
    return plans;
  }

  /// Of a tenant's last 31 days.
  static CallFilter window(const std::string& tenant) {
    CallFilter filter;
    filter.tenant = tenant;
    filter.from_ms = now_ms - 31 * day_ms;
    return filter;
  }

  /// What `filter` makes the server do with the calls.
  std::vector<Plan> plans_of_search(const CallFilter& filter) {
    std::vector<Plan> found;
    const auto plans = plans_while([&] {
      for (int i = 0; i < 2; ++i) {
        CallSearch search(*pool, [] { return std::vector<std::string>{"e9"}; });
        wait_for(search.page(filter, {}, 50));
      }
    });
    for (const Plan& plan : plans) {
      if (plan.query.find("FROM call_record") != std::string::npos) found.push_back(plan);
    }
    BOOST_TEST(!found.empty());
    return found;
  }

  void check(const CallFilter& filter, const std::string& index) {
    for (const Plan& plan : plans_of_search(filter)) {
      BOOST_TEST(!plan.has("Sort"), plan.text());
      BOOST_TEST(!plan.has("Seq Scan"), plan.text());
      BOOST_TEST(!plan.has("Bitmap Heap Scan"), plan.text());
      // The months of the window, and the empty ones to come.
      for (const std::string& month : plan.relations("call_record")) {
        BOOST_TEST(month >= "call_record_202605", plan.text());
      }
      BOOST_TEST(plan.text().find("_" + index + "_idx") != std::string::npos,
                 index << " is not in " << plan.text());
    }
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(explain_query, Fixture)

BOOST_AUTO_TEST_CASE(each_filter_that_leads_has_its_index) {
  for (const char* tenant : {"big", "small"}) {
    BOOST_TEST_CONTEXT(tenant) {
      CallFilter filter = window(tenant);
      check(filter, "tenant_id");
      filter.close_type = "5";  // none: the rows of the window are looked through, in order
      check(filter, "tenant_id");
      const auto check_with = [&](OptText CallFilter::*field, const char* value,
                                  const std::string& index) {
        CallFilter one = window(tenant);
        one.*field = value;
        check(one, index);
        one.state = "close";
        one.channel = "hw";  // none
        check(one, index);
      };
      check_with(&CallFilter::agent, "seldom", "tenant_agent_id");
      check_with(&CallFilter::user, "seldom", "tenant_user_id_id");
      check_with(&CallFilter::caller, "1392", "tenant_caller_id");
      check_with(&CallFilter::called, "1380", "tenant_called_id");
      check_with(&CallFilter::biz_type, "seldom", "tenant_biz_type_id");
      check_with(&CallFilter::biz_id, "id0", "tenant_biz_id_id");
    }
  }
}

BOOST_AUTO_TEST_CASE(open_calls_are_found_without_the_closed_ones) {
  for (const char* state : {"open", "init"}) {
    CallFilter filter = window("small");
    filter.state = state;
    for (const Plan& plan : plans_of_search(filter)) {
      BOOST_TEST(!plan.has("Sort"), plan.text());
      BOOST_TEST(!plan.has("Seq Scan"), plan.text());
      for (const PlanNode& node : plan.nodes) {
        if (node.index.empty()) continue;
        const std::string rule = "SELECT pg_get_indexdef('" + node.index + "'::regclass)";
        BOOST_TEST(sql(rule).find("close") != std::string::npos, plan.text());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(ids_are_looked_up_one_by_one_by_the_primary_key) {
  CallFilter filter;
  filter.tenant = "big";
  for (const std::int64_t at : {now_ms - 40 * day_ms, now_ms - 50 * day_ms}) {
    filter.ids.push_back(
        std::stoll(sql("SELECT min(id) FROM call_record WHERE tenant = 'big' AND id > " +
                       std::to_string(make_call_id(at, 0)))));
  }
  const std::string channel_call = sql("SELECT md5('" + std::to_string(filter.ids[0]) + "')");
  std::vector<Plan> plans = plans_of_search(filter);
  filter.ids.clear();
  filter.channel_call_id = channel_call;
  const std::vector<Plan> more = plans_of_search(filter);
  plans.insert(plans.end(), more.begin(), more.end());
  for (const Plan& plan : plans) {
    BOOST_TEST(!plan.has("Seq Scan"), plan.text());
    for (const PlanNode& node : plan.nodes) {
      BOOST_TEST((node.index.empty() || node.index.ends_with("_pkey")), plan.text());
    }
    for (const std::string& month : plan.relations("call_record")) {
      BOOST_TEST((month == "call_record_202604" || month == "call_record_202605"), plan.text());
    }
  }
}

BOOST_AUTO_TEST_CASE(rejections_are_read_newest_first_by_tenant) {
  RejectionFilter filter;
  Metrics metrics;
  filter.tenant = "small";
  const auto plans = plans_while([&] {
    RejectionStore store(*pool, clock, metrics);
    BOOST_TEST(wait_for(store.page(filter, INT64_MAX, 10)).rejections.size() == 10U);
    filter.code = "nothing";
    BOOST_TEST(wait_for(store.page(filter, INT64_MAX, 10)).rejections.empty());
  });
  std::size_t seen = 0;
  for (const Plan& plan : plans) {
    if (plan.query.find("FROM rejection") == std::string::npos) continue;
    ++seen;
    BOOST_TEST(!plan.has("Sort"), plan.text());
    BOOST_TEST(!plan.has("Seq Scan"), plan.text());
    BOOST_TEST(plan.text().find("rejection_tenant") != std::string::npos, plan.text());
  }
  BOOST_TEST(seen == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
