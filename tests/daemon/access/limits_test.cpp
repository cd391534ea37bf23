// Tokens of a bucket in PostgreSQL, calls counted under a lock, and the gate in front of that.
#include "access/limits.hpp"

#include <algorithm>
#include <chrono>

#include <boost/asio/detached.hpp>

#include "agent_fixture.hpp"
#include "call/create.hpp"

using namespace cc;
using namespace cc::test;

namespace {

struct Fixture : AgentFixture {
  bool take(CallLimits limits, const std::string& tenant = "acme") {
    return !wait_for(take_token(*pool, tenant, limits));
  }
  /// Takes all that are there, which must be `expected` and no more than came while it took them,
  /// at one a second.
  void take_all(CallLimits limits, int expected, const std::string& tenant = "acme") {
    const auto begun = std::chrono::steady_clock::now();
    int taken = 0;
    while (taken < 1000 && take(limits, tenant)) ++taken;
    const auto took = std::chrono::steady_clock::now() - begun;
    BOOST_TEST(taken >= expected);
    BOOST_TEST(taken <= expected + 1 + took / 1s);
  }
  void pass_seconds(double seconds) {
    sql("UPDATE tenant_usage SET refilled = refilled - interval '1 second' * " +
        std::to_string(seconds));
  }

  void insert_call(std::int64_t id, const std::string& tenant, const std::string& state,
                   const std::string& merged_into = "NULL") {
    sql("INSERT INTO call_record (id, tenant, direction, initiator, state, merged_into, "
        "max_duration, created, updated) VALUES (" +
        std::to_string(id) + ", '" + tenant + "', 'out', 'agent', '" + state + "', " + merged_into +
        ", 60, 1, 1)");
  }
  asio::awaitable<std::optional<Refusal>> count(std::string tenant, int most) {
    pg::Transaction transaction = co_await pool->begin();
    std::optional<Refusal> refusal =
        co_await count_open_calls(transaction, tenant, {0, 0, most}, now_ms);
    co_await transaction.commit();
    co_return refusal;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(limits, Fixture)

BOOST_AUTO_TEST_CASE(a_bucket_is_full_at_first_and_refilled_by_postgresql_s_clock) {
  const CallLimits slow{1, 5, 0};
  sql("INSERT INTO tenant_usage (tenant, kind, tokens, refilled) VALUES ('late', 'rate', 5, "
      "clock_timestamp() + interval '1 hour')");
  take_all(slow, 5, "late");  // a clock that was set back gives and takes nothing
  BOOST_TEST(take(slow));
  BOOST_TEST(sql("SELECT tokens FROM tenant_usage WHERE tenant = 'acme'") == "4");
  take_all(slow, 4);
  const auto refusal = wait_for(take_token(*pool, "acme", slow));
  if (refusal) {  // not if a second passed just now
    BOOST_TEST((refusal->code == Refusal::Code::too_fast));
    BOOST_TEST(refusal->limit.value() == 1);
    BOOST_TEST(refusal->retry_after.count() == 1000);
    BOOST_TEST(refusal->detail.find("more than 1 calls a second") != std::string::npos);
  }
  sql("UPDATE tenant_usage SET tokens = 0, refilled = clock_timestamp()");
  pass_seconds(3);
  take_all(slow, 3);
  sql("UPDATE tenant_usage SET tokens = 0, refilled = clock_timestamp()");
  pass_seconds(1000);  // never more than the burst
  take_all(slow, 5);
  wait_for(give_token_back(*pool, "acme", slow));
  BOOST_TEST(take(slow));
  // Another tenant's is another bucket; without a burst it holds a second's.
  take_all({1, 0, 0}, 1, "other");
}

BOOST_AUTO_TEST_CASE(a_token_is_taken_by_one_of_many) {
  sql("INSERT INTO tenant_usage (tenant, kind, tokens, refilled) VALUES ('acme', 'rate', 7, "
      "clock_timestamp() + interval '1 hour')");
  const CallLimits limits{1, 7, 0};
  const auto begun = std::chrono::steady_clock::now();
  int taken = 0, done = 0;
  for (int i = 0; i < 40; ++i) {
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
          if (!co_await take_token(*pool, "acme", limits)) ++taken;
          ++done;
        },
        [](std::exception_ptr error) {
          if (error) std::rethrow_exception(error);
        });
  }
  while (done < 40) wait_for(pause(1ms));
  BOOST_TEST(taken >= 7);
  BOOST_TEST(taken <= 8 + (std::chrono::steady_clock::now() - begun) / 1s);
}

BOOST_AUTO_TEST_CASE(open_calls_are_counted) {
  make_months(now_ms - 70 * day_ms, now_ms + day_ms);
  BOOST_TEST(!wait_for(count("acme", 1)));
  insert_call(make_call_id(now_ms - 1000, 1), "acme", "init");
  insert_call(make_call_id(now_ms - 1000, 2), "acme", "conn");
  insert_call(make_call_id(now_ms - 1000, 3), "acme", "close");
  insert_call(make_call_id(now_ms - 1000, 4), "other", "init");
  insert_call(make_call_id(now_ms - 1000, 5), "acme", "init",
              std::to_string(make_call_id(now_ms - 1000, 1)));
  insert_call(make_call_id(now_ms - 60 * day_ms, 6), "acme", "init");  // nobody's any more
  BOOST_TEST(!wait_for(count("acme", 3)));
  for (const int most : {1, 2}) {
    const auto refusal = wait_for(count("acme", most));
    BOOST_REQUIRE(refusal);
    BOOST_TEST((refusal->code == Refusal::Code::too_many));
    BOOST_TEST(refusal->limit.value() == most);
    BOOST_TEST(refusal->detail.find("limit of " + std::to_string(most)) != std::string::npos);
  }
  BOOST_TEST(!wait_for(count("other", 2)));
}

BOOST_AUTO_TEST_CASE(whoever_counts_waits_for_the_one_before) {
  std::vector<std::string> order;
  int done = 0;
  const auto spawn = [&](auto work) {
    asio::co_spawn(io, std::move(work), [&](std::exception_ptr error) {
      ++done;
      if (error) std::rethrow_exception(error);
    });
  };
  auto first = [&]() -> asio::awaitable<void> {
    pg::Transaction transaction = co_await pool->begin();
    co_await count_open_calls(transaction, "acme", {0, 0, 5}, now_ms);
    order.push_back("first counts");
    // Until the second one waits for us.
    for (bool waits = false; !waits;) {
      const pg::Rows rows = co_await pool->query(
          "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
          "current_database()");
      waits = rows.integer(0, "n") == 1;
    }
    order.push_back("first ends");
    co_await transaction.commit();
  };
  auto second = [&]() -> asio::awaitable<void> {
    while (order.empty()) co_await pause(1ms);
    pg::Transaction transaction = co_await pool->begin();
    co_await count_open_calls(transaction, "acme", {0, 0, 5}, now_ms);
    order.push_back("second counts");
    co_await transaction.commit();
  };
  spawn(first);
  spawn(second);
  while (done < 2) wait_for(pause(1ms));
  const std::vector<std::string> expected{"first counts", "first ends", "second counts"};
  BOOST_TEST(order == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(one_at_a_time_passes_a_tenant_s_gate_in_order) {
  CallGates gates;
  std::vector<int> order;
  int inside = 0, most = 0, done = 0;
  for (int i = 0; i < 20; ++i) {
    asio::co_spawn(
        io,
        [&, i]() -> asio::awaitable<void> {
          const auto pass = co_await gates.enter("acme", std::chrono::steady_clock::now() + 60s);
          order.push_back(i);
          most = std::max(most, ++inside);
          co_await pause(1ms);
          --inside;
        },
        [&](std::exception_ptr error) {
          ++done;
          if (error) std::rethrow_exception(error);
        });
  }
  // Another tenant's gate stands open.
  bool other = false;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        const auto pass = co_await gates.enter("other", std::chrono::steady_clock::now() + 60s);
        other = done == 0;
      },
      asio::detached);
  while (done < 20) wait_for(pause(1ms));
  BOOST_TEST(most == 1);
  BOOST_TEST(other);
  BOOST_TEST(std::is_sorted(order.begin(), order.end()));
  BOOST_TEST(order.size() == 20U);
}

BOOST_AUTO_TEST_CASE(nobody_waits_at_a_gate_for_ever) {
  CallGates gates;
  const auto far = std::chrono::steady_clock::now() + 60s;
  std::optional<CallGates::Pass> held;
  const auto take_it = [&]() -> asio::awaitable<void> {
    held.emplace(co_await gates.enter("acme", far));
  };
  wait_for(take_it());
  const auto try_it = [&]() -> asio::awaitable<void> {
    const auto pass = co_await gates.enter("acme", std::chrono::steady_clock::now());
  };
  BOOST_CHECK_THROW(wait_for(try_it()), pg::Failure);
  held.reset();
  wait_for(take_it());  // whoever gave up is not waited for
  BOOST_TEST(held.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
