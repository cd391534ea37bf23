// Every statement that runs all the time goes by an index: the plans are those of the statements
// that CC's own code sent, so a changed statement is judged, not a copy of it.
#define BOOST_TEST_MODULE explain
#include <set>

#include <boost/test/unit_test.hpp>

#include "call/attempts.hpp"
#include "call/create.hpp"
#include "call/hangups.hpp"
#include "call/reconciliation.hpp"
#include "dispatch/batch.hpp"
#include "dispatch/letter_store.hpp"
#include "dispatch/line_events.hpp"
#include "plans.hpp"
#include "poller/seat_rows.hpp"
#include "store/history.hpp"
#include "store/purge.hpp"
#include "store_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

/// No line is ours.
struct NoLines final : Lines {
  bool serves(std::string_view, std::string_view) const override { return false; }
  asio::awaitable<Lease> lease(std::string, std::string, std::string, Millis) override {
    co_return Lease{};
  }
  void lost(std::string_view, std::string_view, const std::shared_ptr<LineSession>&) override {}
  std::int64_t line_ms() const override { return 0; }
};

// A prepared statement gets its generic plan at the sixth time.
constexpr int times = 8;

struct Fixture : StoreFixture {
  Fixture() {
    make_months(now_ms - 70 * day_ms, now_ms + 60 * day_ms);
    fill();
    sql("ANALYZE");
    sql(log_plans_sql(database));
    pool = std::make_unique<pg::Pool>(executor, server.conninfo(database), 1);
  }

  /// 200 calls a day for 60 days, all closed but the last few; what hangs on them, and what is old.
  void fill() {
    const std::string epoch = std::to_string(id_epoch_ms), now = std::to_string(now_ms);
    const std::string day = std::to_string(day_ms);
    sql("INSERT INTO call_record (id, tenant, direction, initiator, max_duration, created, "
        "updated, state, version, channel, call_id, caller, called) SELECT ((at - " +
        epoch +
        ") << 22) + n, 'tenant' || n % 60, 'out', 'agent', 3600, at, at, "
        "CASE WHEN n <= 11990 THEN 'close' ELSE 'init' END, 3, 'e9', md5(n::text), "
        "'13900000001', '13800000001' FROM (SELECT n, " +
        now + " - (12000 - n)::bigint * " + day +
        " / 200 AS at FROM generate_series(1, 12000) AS n) AS x");
    sql("INSERT INTO call_attempt (call, attempt, tenant, channel, agent, handset, state, created, "
        "sent, channel_call_id) SELECT id, 1, tenant, 'e9', 'agent' || id % 300, '13900000001', "
        "'accepted', created, created, call_id FROM call_record");
    sql("INSERT INTO call_event (call, event_key, attempt, source, name, received, facts) SELECT "
        "id, decode(md5(id::text || k), 'hex') || '\\x0000'::bytea, 1, 'callback', 'closed', "
        "created, '{}' FROM call_record CROSS JOIN generate_series(1, 3) AS k");
    sql("INSERT INTO claim (kind, resource, call, attempt, taken, released) SELECT 'line', 'e9/' "
        "|| id, id, 1, created, CASE WHEN state = 'close' THEN created END FROM call_record");
    sql("INSERT INTO change (tenant, call, version, kind, at) SELECT tenant, id, 1, "
        "'call.created', created FROM call_record");
    sql("INSERT INTO rejection (tenant, at, code) SELECT tenant, created, 'x' FROM call_record");
    sql("INSERT INTO idempotency_key (tenant, key, call, body_hash, created) SELECT tenant, "
        "id::text, id, 'h', created FROM call_record");
    sql("INSERT INTO dead_letter (delivery_key, channel, reason, received, raw, first_seen, "
        "last_seen) SELECT decode(md5(id::text), 'hex'), 'c' || id % 50, 'reason', created, 'raw', "
        "created, created FROM call_record");
    sql("INSERT INTO waiting_event (event_key, channel, channel_call_id, source, name, received, "
        "facts) SELECT decode(md5(n::text) || '0000', 'hex'), 'e9', md5((n * 7)::text), "
        "'callback', "
        "'other', " +
        now + ", '{}' FROM generate_series(1, 20) AS n");
  }

  /// The plans of what `work` makes the server run.
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

  /// Of the plans, those of statements that hold `text`; there must be some.
  static std::vector<Plan> of(const std::vector<Plan>& plans, std::string_view text) {
    std::vector<Plan> found;
    for (const Plan& plan : plans) {
      if (plan.query.find(text) != std::string::npos) found.push_back(plan);
    }
    BOOST_REQUIRE_MESSAGE(!found.empty(), "nothing ran with: " << text);
    return found;
  }

  std::int64_t some_call() {
    return std::stoll(sql("SELECT id FROM call_record ORDER BY id OFFSET 9000 LIMIT 1"));
  }

  Config config;
  Metrics metrics;
};

/// Tables that grow for ever, or with the traffic, are never read from end to end; but the months
/// to come are empty, and to read nothing is cheapest.
void check_no_scan(const std::vector<Plan>& plans, const std::string& nearly_empty = "none") {
  BOOST_TEST(!plans.empty());
  std::set<std::string> told;
  for (const Plan& plan : plans) {
    for (const PlanNode& node : plan.nodes) {
      if (node.type != "Seq Scan" || node.relation.ends_with("_202607") ||
          node.relation.ends_with("_202608") || node.relation.ends_with(nearly_empty)) {
        continue;
      }
      for (const char* table :
           {"call_", "claim", "change", "dead_letter", "rejection", "idempotency_key"}) {
        const bool grows = node.relation.starts_with(table);
        if (grows && told.insert(plan.text()).second) BOOST_ERROR(plan.text());
      }
    }
  }
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(explain, Fixture)

BOOST_AUTO_TEST_CASE(a_call_by_its_id_touches_one_partition_by_its_primary_key) {
  const std::int64_t call = some_call();
  const std::string tenant =
      sql("SELECT tenant FROM call_record WHERE id = " + std::to_string(call));
  const std::string month =
      sql("SELECT to_char(to_timestamp(created / 1000.0) AT TIME ZONE 'UTC', 'YYYYMM') FROM "
          "call_record WHERE id = " +
          std::to_string(call));
  const auto plans = plans_while([&] {
    for (int i = 0; i < times; ++i) {
      BOOST_TEST(wait_for(read_record(*pool, tenant, call)).has_value());
      BOOST_TEST(wait_for(read_timeline(*pool, tenant, call)).has_value());
    }
  });
  check_no_scan(plans);
  for (const Plan& plan : of(plans, "FROM call_record")) {
    BOOST_TEST((plan.relations("call_record") == std::vector{"call_record_" + month}), plan.text());
    // (tenant, id) leads to the one row as well.
    BOOST_TEST((plan.text().find("using call_record_" + month + "_pkey") != std::string::npos ||
                plan.text().find("using call_record_" + month + "_tenant_id") != std::string::npos),
               plan.text());
  }
  for (const Plan& plan : of(plans, "FROM call_event")) {
    BOOST_TEST((plan.relations("call_event") == std::vector{"call_event_" + month}), plan.text());
    BOOST_TEST(plan.text().find("call_event_" + month + "_pkey") != std::string::npos, plan.text());
  }
}

BOOST_AUTO_TEST_CASE(a_tenants_newest_calls_come_in_order_without_a_sort) {
  const Plan plan = plan_from_json(
      sql("EXPLAIN (FORMAT JSON) SELECT * FROM call_record WHERE tenant = 'tenant7' AND id >= " +
          std::to_string(make_call_id(now_ms - 31 * day_ms, 0)) + " AND id < " +
          std::to_string(make_call_id(now_ms, 0)) + " ORDER BY id DESC LIMIT 50"));
  BOOST_TEST(!plan.has("Sort"), plan.text());
  BOOST_TEST(!plan.has("Seq Scan"), plan.text());
  BOOST_TEST(plan.relations("call_record").size() == 2U, plan.text());  // May and June
  BOOST_TEST(plan.text().find("_tenant_id_idx") != std::string::npos, plan.text());
}

BOOST_AUTO_TEST_CASE(calls_are_found_by_the_channels_ids) {
  std::vector<FoundEvent> events(20);
  for (std::size_t i = 0; i < events.size(); ++i) {
    events[i].channel = "e9";
    events[i].found.channel_call_id = sql("SELECT md5('" + std::to_string(i * 500 + 1) + "')");
  }
  const auto plans = plans_while([&] {
    for (int i = 0; i < times; ++i) {
      const pg::Statement find = find_calls(events);
      BOOST_TEST(wait_for(pool->query(find.sql, find.params)).size() == events.size());
    }
  });
  check_no_scan(plans);
  for (const Plan& plan : of(plans, "FROM call_attempt")) {
    BOOST_TEST(plan.text().find("call_attempt_channel_channel_call_id_key") != std::string::npos,
               plan.text());
  }
}

BOOST_AUTO_TEST_CASE(waiting_events_find_their_calls_by_index) {
  const auto plans = plans_while([&] {
    for (int i = 0; i < times; ++i) wait_for(sweep_waiting(*pool, channels, now_ms));
  });
  BOOST_TEST(sql("SELECT count(*) FROM waiting_event") == "0");
  check_no_scan(plans);
  of(plans, "FROM waiting_event w JOIN call_attempt");
}

BOOST_AUTO_TEST_CASE(what_is_due_is_found_without_looking_at_what_is_not) {
  config.daemon_id = "test";
  Membership membership(*pool, clock, "test", "1", [] { return MemberNews{}; });
  NoLines lines;
  const auto plans = plans_while([&] {
    Watch watch(*pool, clock);
    ChannelHealth health(config, *pool, channels, membership, clock, metrics);
    const Parts parts{config, *pool, channels, membership, clock, metrics, watch, lines, health};
    Attempts attempts(parts);
    Hangups hangups(parts);
    for (int i = 0; i < times; ++i) {
      wait_for(attempts.adopt());
      wait_for(hangups.pursue());
    }
  });
  check_no_scan(plans);
  for (const Plan& plan : of(plans, "hangup_asked IS NOT NULL")) {
    BOOST_TEST(plan.text().find("call_attempt_hangup") != std::string::npos, plan.text());
  }
  for (const Plan& plan : of(plans, "state = 'planned' AND (created <")) {
    BOOST_TEST(plan.text().find("call_attempt_unsettled") != std::string::npos, plan.text());
  }
}

BOOST_AUTO_TEST_CASE(a_choice_and_health_look_at_few_of_many_lines_and_verdicts) {
  make_months(clock.epoch_ms() - day_ms, clock.epoch_ms() + day_ms);  // that the new calls are in
  ChannelConfig seats;
  seats.code = "hw";
  seats.kind = "hw";
  config.channels["hw"] = seats;
  config.tenants["demo"].name = "demo";
  sql("INSERT INTO agent (channel, agent, tenant, handset, desired, actual, updated, last_used) "
      "SELECT 'hw', n::text, CASE WHEN n <= 2000 THEN 'demo' ELSE 'other' END, (13700000000 + "
      "n)::text, 'online', 'online', 1, n FROM generate_series(1, 20000) AS n");
  sql("INSERT INTO binding (tenant, user_id, lines, updated) SELECT 'demo', 'user' || n, "
      "jsonb_build_array(jsonb_build_object('channel', 'hw', 'agent', n::text)), 1 FROM "
      "generate_series(1, 2000) AS n");
  sql("INSERT INTO channel_verdict (call, attempt, channel, begun, taken, taken_at, judged) SELECT "
      "id, 1, 'hw', created, 0, created, created FROM call_record");
  sql("ANALYZE agent, binding, channel_verdict");
  Membership membership(*pool, clock, "test", "1", [] { return MemberNews{}; });
  NoLines lines;
  config.tenants["demo"].limits = {100'000, 0, 100'000};
  CallGates gates;
  const auto plans = plans_while([&] {
    Watch watch(*pool, clock);
    ChannelHealth health(config, *pool, channels, membership, clock, metrics);
    const Parts parts{config, *pool, channels, membership, clock, metrics, watch, lines, health};
    for (int i = 0; i < times; ++i) {
      NewCall call;
      call.tenant = "demo";
      call.called = "13800000001";
      if (i % 2 == 1) call.user = "user" + std::to_string(100 + i);
      auto made = wait_for(create_call(parts, gates, call));
      BOOST_REQUIRE(std::holds_alternative<Created>(made));
      health.taken(std::get<Created>(made).record.constants.id, 1, now_ms, ChannelVerdict::well);
      wait_for(health.flush());
      wait_for(health.look(now_ms));
    }
  });
  check_no_scan(plans, sql("SELECT to_char(now() AT TIME ZONE 'UTC', '_YYYYMM')"));
  for (const Plan& plan : of(plans, "ORDER BY a.last_used")) {
    BOOST_TEST(plan.text().find("agent_pool") != std::string::npos, plan.text());
    BOOST_TEST(!plan.has("Sort"), plan.text());
  }
  for (const Plan& plan : of(plans, "FROM channel_verdict")) {
    BOOST_TEST(plan.text().find("Seq Scan on channel_verdict") == std::string::npos, plan.text());
  }
  const auto counts = of(plans, "SELECT count(*) AS open FROM (SELECT 1 FROM call_record");
  BOOST_TEST(!counts.empty());
  for (const Plan& plan : counts) {
    // By the index that holds open calls only: nothing closed is read to be left out.
    BOOST_TEST(plan.text().find("_tenant_id_idx") != std::string::npos, plan.text());
    BOOST_TEST(plan.text().find("(state)::text <> 'close'") == std::string::npos, plan.text());
  }
}

BOOST_AUTO_TEST_CASE(a_polled_line_s_attempts_are_found_by_line_and_time) {
  std::vector<FoundEvent> events(3);
  for (std::size_t i = 0; i < events.size(); ++i) {
    events[i].channel = "e9";
    events[i].found.subject = "agent" + std::to_string(i);
    events[i].found.event.source = Source::poll;
    events[i].found.event.received_ms = now_ms - day_ms * static_cast<std::int64_t>(i);
  }
  const auto plans = plans_while([&] {
    for (int i = 0; i < times; ++i) {
      const pg::Statement find = find_line_attempts(events);
      BOOST_TEST(wait_for(pool->query(find.sql, find.params)).size() == 6U);
      wait_for(ask_about_calls(*pool, {"e9/1", "e9/2"}, now_ms));
    }
  });
  check_no_scan(plans);
  for (const Plan& plan : of(plans, "AS x (channel, agent, first, last)")) {
    BOOST_TEST(plan.text().find("call_attempt_line") != std::string::npos, plan.text());
  }
}

BOOST_AUTO_TEST_CASE(purges_go_by_age) {
  Retention retention;
  retention.attempts = retention.events = 90;  // nothing is that old: found out by the index alone
  retention.changes = retention.dead_letters = retention.rejections = 59;
  const auto plans = plans_while([&] {
    for (int i = 0; i < times; ++i) wait_for(purge(*pool, retention, now_ms));
  });
  check_no_scan(plans);
  for (const char* index : {"change_at", "dead_letter_age", "rejection_at", "call_attempt_created",
                            "claim_released", "idempotency_key_created"}) {
    bool used = false;
    for (const Plan& plan : plans) used |= plan.text().find(index) != std::string::npos;
    BOOST_TEST(used, index);
  }
}

BOOST_AUTO_TEST_CASE(a_day_is_reconciled_from_that_day_alone) {
  const Day day = Day::of(now_ms).plus(-1);
  const auto plans = plans_while([&] {
    for (int i = 0; i < times; ++i) {
      BOOST_TEST(
          !wait_for(reconcile(*pool, day, day, Millis{47 * 3'600'000}, now_ms)).days.empty());
      wait_for(list_owed(*pool, day, {}, 0, 100));
    }
  });
  check_no_scan(plans);
  for (const Plan& plan : of(plans, "FROM call_record r")) {
    BOOST_TEST(plan.relations("call_record").size() == 1U, plan.text());
  }
}

BOOST_AUTO_TEST_CASE(dead_letters_are_paged_by_index) {
  LetterFilter filter;
  const auto plans = plans_while([&] {
    for (int i = 0; i < times; ++i) {
      filter.channel.reset();
      BOOST_TEST(wait_for(list_letters(*pool, filter)).size() == 50U);
      filter.channel = "c7";
      BOOST_TEST(wait_for(list_letters(*pool, filter)).size() == 50U);
    }
  });
  check_no_scan(plans);
  for (const Plan& plan : of(plans, "FROM dead_letter")) {
    BOOST_TEST(!plan.has("Sort"), plan.text());
  }
}

BOOST_AUTO_TEST_SUITE_END()
