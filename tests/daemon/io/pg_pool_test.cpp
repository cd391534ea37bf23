#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/test/unit_test.hpp>

#include "pg.hpp"
#include "pg_pool_fixture.hpp"

using namespace cc::test;
namespace pg = cc::pg;

BOOST_FIXTURE_TEST_SUITE(postgres_pool, PoolFixture)

BOOST_AUTO_TEST_CASE(session_settings) {
  const auto test = [&]() -> asio::awaitable<void> {
    pg::Pool pool(executor, server.conninfo() + " options='-c work_mem=2MB'", 2);
    for (const auto& [name, value] :
         std::vector<std::pair<std::string, std::string>>{{"synchronous_commit", "on"},
                                                          {"TimeZone", "UTC"},
                                                          {"statement_timeout", "9s"},
                                                          {"work_mem", "2MB"},
                                                          {"client_encoding", "UTF8"},
                                                          {"application_name", "cc"}}) {
      pg::Params given = params(name);
      const pg::Rows rows =
          co_await pool.query("SELECT current_setting($1) AS value", std::move(given));
      BOOST_TEST(rows.text(0, "value") == value);
    }
    BOOST_TEST(pool.status().open == 1u);
    BOOST_TEST(pool.status().idle == 1u);
    BOOST_TEST(pool.status().reachable);
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(commit_and_rollback_by_destructor) {
  const auto test = [&]() -> asio::awaitable<void> {
    pg::Pool pool(executor, server.conninfo(), 1);
    co_await insert(pool, 1, true);
    co_await insert(pool, 2, false);
    // The only connection again, behind its rollback.
    pg::Transaction transaction = co_await pool.begin();
    const pg::Rows rows = co_await transaction.query("SELECT n FROM t ORDER BY n");
    BOOST_TEST(rows.size() == 1u);
    co_await transaction.commit();
    bool refused = false;
    try {
      const pg::Rows late = co_await transaction.query("SELECT 1 AS n");
    } catch (const std::logic_error&) {
      refused = true;
    }
    BOOST_TEST(refused);
    BOOST_TEST(pool.status().connects == 1u);
    BOOST_TEST(pool.status().idle == 1u);
  };
  run_until_done(io, test());
  BOOST_TEST(rows_in_table() == 1);
}

BOOST_AUTO_TEST_CASE(a_rollback_does_not_wait_for_the_next_borrower) {
  const auto test = [&]() -> asio::awaitable<void> {
    pg::Pool pool(executor, server.conninfo(), 2);
    {
      pg::Transaction holder = co_await pool.begin();
      const pg::Rows locked = co_await holder.query("LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    }
    BOOST_TEST(eventually(
        [&] {
          return server.sql("SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass") == "0";
        },
        3000ms));
    // Nothing done at all, and a rollback after a rollback.
    { const pg::Transaction idle = co_await pool.begin(); }
    pg::Transaction other = co_await pool.begin();
    co_await other.commit();
    BOOST_TEST(pool.status().connects == 1u);
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(a_failed_transaction_is_doomed_and_the_connection_is_not) {
  const auto test = [&]() -> asio::awaitable<void> {
    pg::Pool pool(executor, server.conninfo(), 1);
    for (int round = 0; round < 2; ++round) {
      pg::Transaction transaction = co_await pool.begin();
      std::vector<pg::Statement> all;
      all.push_back(statement("INSERT INTO t VALUES (7)"));
      all.push_back(statement("SELECT 1 / $1::int", 0));
      const auto failure = co_await failure_of(transaction.pipeline(std::move(all)));
      BOOST_REQUIRE(failure);
      BOOST_TEST(failure->sqlstate == "22012");
      BOOST_TEST(transaction.failed_statement() == 1u);
      const auto next = co_await failure_of(transaction.query("SELECT 1"));
      BOOST_REQUIRE(next);
      BOOST_TEST(next->sqlstate == "25P02");
      const auto commit = co_await failure_of(transaction.commit());
      BOOST_REQUIRE(commit);
    }
    const pg::Rows rows = co_await pool.query("SELECT count(*) AS n FROM t");
    BOOST_TEST(rows.integer(0, "n") == 0);
    BOOST_TEST(pool.status().connects == 1u);
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(unique_violations_at_once_and_at_commit) {
  const auto test = [&]() -> asio::awaitable<void> {
    pg::Pool pool(executor, server.conninfo(), 1);
    co_await insert(pool, 1, true);
    const auto now = co_await failure_of(insert(pool, 1, true));
    BOOST_REQUIRE(now);
    BOOST_TEST(now->unique_violation());
    pg::Transaction late = co_await pool.begin();
    std::vector<pg::Statement> all;
    all.push_back(statement("SET CONSTRAINTS ALL DEFERRED"));
    all.push_back(statement("INSERT INTO t VALUES (1)"));
    const auto begun = co_await late.pipeline(std::move(all));
    BOOST_TEST(begun.size() == 2u);
    const auto failure = co_await failure_of(late.commit());
    BOOST_REQUIRE(failure);
    BOOST_TEST(failure->unique_violation());
  };
  run_until_done(io, test());
  BOOST_TEST(rows_in_table() == 1);
}

BOOST_AUTO_TEST_CASE(a_commit_answered_by_rollback) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    pg::Pool pool(executor, server.conninfo(), 1);
    pg::Transaction transaction = co_await pool.begin();
    // As if somebody ended the transaction behind our back: COMMIT then does nothing of ours.
    const pg::Rows rows = co_await transaction.query("INSERT INTO t VALUES (1)");
    std::vector<pg::Statement> all;
    all.push_back(statement("ROLLBACK"));
    all.push_back(statement("BEGIN"));
    const auto done = co_await transaction.pipeline(std::move(all));
    co_await transaction.commit();
    BOOST_TEST(link->usable());
  };
  run_until_done(io, test());
  BOOST_TEST(rows_in_table() == 0);
}

BOOST_AUTO_TEST_CASE(a_whole_transaction_in_one_round_trip) {
  const auto test = [&]() -> asio::awaitable<void> {
    pg::Pool pool(executor, server.conninfo(), 1);
    {
      pg::Transaction transaction = co_await pool.begin();
      std::vector<pg::Statement> all;
      all.push_back(statement("INSERT INTO t VALUES (1)"));
      all.push_back(statement("SELECT count(*) AS n FROM t"));
      const auto rows = co_await transaction.pipeline_and_commit(std::move(all));
      BOOST_REQUIRE_EQUAL(rows.size(), 2u);
      BOOST_TEST(rows[1].integer(0, "n") == 1);
    }
    pg::Transaction transaction = co_await pool.begin();
    std::vector<pg::Statement> all;
    all.push_back(statement("INSERT INTO t VALUES (2)"));
    all.push_back(statement("INSERT INTO t VALUES (1)"));
    const auto failure = co_await failure_of(transaction.pipeline_and_commit(std::move(all)));
    BOOST_REQUIRE(failure);
    BOOST_TEST(failure->unique_violation());
    BOOST_TEST(transaction.failed_statement() == 1u);
  };
  run_until_done(io, test());
  BOOST_TEST(rows_in_table() == 1);
}

BOOST_AUTO_TEST_CASE(many_waiters_on_few_connections_in_order) {
  std::vector<int> order;
  int failed = 0;
  const auto test = [&]() -> asio::awaitable<void> {
    pg::Pool pool(executor, server.conninfo(), 3);
    int left = 200;
    const auto one = [&](int n) -> asio::awaitable<void> {
      try {
        pg::Transaction transaction = co_await pool.begin(20000ms);
        order.push_back(n);
        pg::Params given = params(n);
        const pg::Rows rows =
            co_await transaction.query("INSERT INTO t VALUES ($1)", std::move(given));
        if (n % 2 == 0) co_await transaction.commit();
      } catch (const std::exception&) {
        ++failed;
      }
      --left;
    };
    for (int n = 0; n < 200; ++n) asio::co_spawn(io, one(n), [](std::exception_ptr) {});
    while (left > 0) co_await cc::test::pause(5ms);
    BOOST_TEST(pool.status().open == 3u);
    BOOST_TEST(pool.status().idle == 3u);
    BOOST_TEST(pool.status().waiting == 0u);
    BOOST_TEST(pool.status().connects == 3u);
  };
  run_until_done(io, test());
  BOOST_TEST(failed == 0);
  BOOST_TEST(rows_in_table() == 100);
  BOOST_TEST(std::is_sorted(order.begin(), order.end()));
}

BOOST_AUTO_TEST_CASE(waiting_has_a_deadline_and_can_be_cancelled) {
  const auto test = [&]() -> asio::awaitable<void> {
    pg::Pool pool(executor, server.conninfo(), 1);
    std::optional<pg::Transaction> holder;
    holder.emplace(co_await pool.begin());
    const auto begin = std::chrono::steady_clock::now();
    const auto failure = co_await failure_of(pool.begin(150ms));
    BOOST_REQUIRE(failure);
    BOOST_TEST(failure->connection_lost());
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 1s));
    BOOST_TEST(pool.status().waiting == 0u);
    asio::cancellation_signal stop;
    bool ended = false;
    asio::co_spawn(
        io, insert(pool, 1, true),
        asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr) { ended = true; }));
    co_await cc::test::pause(50ms);
    BOOST_TEST(pool.status().waiting == 1u);
    // Given and cancelled in the same breath: the connection must not get lost.
    holder.reset();
    stop.emit(asio::cancellation_type::terminal);
    co_await cc::test::pause(200ms);
    BOOST_TEST(ended);
    const pg::Rows rows = co_await pool.query("SELECT 1 AS n", {}, 1000ms);
    BOOST_TEST(rows.integer(0, "n") == 1);
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(cancelled_inside_a_transaction) {
  const auto test = [&]() -> asio::awaitable<void> {
    pg::Pool pool(executor, server.conninfo(), 1);
    asio::cancellation_signal stop;
    const auto sleeper = [&]() -> asio::awaitable<void> {
      pg::Transaction transaction = co_await pool.begin();
      const pg::Rows rows = co_await transaction.query("SELECT pg_sleep(30)");
    };
    asio::co_spawn(io, sleeper(),
                   asio::bind_cancellation_slot(stop.slot(), [](std::exception_ptr) {}));
    co_await cc::test::pause(200ms);
    stop.emit(asio::cancellation_type::terminal);
    const pg::Rows rows = co_await pool.query("SELECT 1 AS n");
    BOOST_TEST(rows.integer(0, "n") == 1);
    BOOST_TEST(pool.status().open == 1u);
    BOOST_TEST(pool.status().connects == 2u);
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_SUITE_END()
