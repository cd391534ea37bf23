// Servers that go away, pools and loops that end with work under way.
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/test/unit_test.hpp>

#include "pg.hpp"
#include "pg_pool_fixture.hpp"

using namespace cc::test;
namespace pg = cc::pg;

BOOST_FIXTURE_TEST_SUITE(postgres_pool_ends, PoolFixture)

BOOST_AUTO_TEST_CASE(server_restarted_under_idle_connections) {
  const auto test = [&]() -> asio::awaitable<void> {
    pg::Pool pool(executor, server.conninfo(), 4);
    for (const bool crash : {false, true}) {
      {
        std::vector<pg::Transaction> all;
        for (int i = 0; i < 4; ++i) {
          pg::Transaction transaction = co_await pool.begin();
          const pg::Rows rows = co_await transaction.query("SELECT 1 AS n");
          all.push_back(std::move(transaction));
        }
      }
      BOOST_TEST(pool.status().idle == 4u);
      if (crash) {
        server.kill();
      } else {
        server.stop();
      }
      server.start();
      for (int i = 0; i < 8; ++i) co_await insert(pool, i, false);
    }
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(server_away_and_back) {
  const auto test = [&]() -> asio::awaitable<void> {
    pg::Pool pool(executor, server.conninfo(), 3);
    std::optional<pg::Failure> lost;
    bool over = false;
    const auto sleeper = [&]() -> asio::awaitable<void> {
      pg::Transaction transaction = co_await pool.begin();
      auto query = transaction.query("SELECT pg_sleep(8)");
      lost = co_await failure_of(std::move(query));
      over = true;
    };
    asio::co_spawn(io, sleeper(), [](std::exception_ptr) {});
    co_await cc::test::pause(200ms);
    server.stop();
    while (!over) co_await cc::test::pause(5ms);
    BOOST_REQUIRE(lost);
    BOOST_TEST(lost->connection_lost(), lost->what());
    BOOST_TEST(lost->what() == "terminating connection due to administrator command");
    const auto away = co_await failure_of(pool.begin(400ms));
    BOOST_REQUIRE(away);
    BOOST_TEST(away->connection_lost());
    BOOST_TEST(!pool.status().reachable);
    BOOST_TEST(!pool.status().last_error.empty());
    BOOST_TEST(pool.status().failures >= 2u);
    BOOST_TEST(pool.status().failures < 12u);  // it backs off
    // 20 wait while it comes back; all are served.
    int served = 0;
    const auto waiter = [&](int n) -> asio::awaitable<void> {
      co_await insert(pool, n, true);
      ++served;
    };
    for (int n = 0; n < 20; ++n) asio::co_spawn(io, waiter(n), [](std::exception_ptr) {});
    co_await cc::test::pause(100ms);
    server.start();
    for (int i = 0; i < 1000 && served < 20; ++i) co_await cc::test::pause(5ms);
    BOOST_TEST(served == 20);
    BOOST_TEST(pool.status().reachable);
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(destroyed_with_loans_and_waiters) {
  std::optional<pg::Transaction> loan;
  std::optional<pg::Failure> waited;
  auto pool = std::make_unique<pg::Pool>(executor, server.conninfo(), 1);
  const auto test = [&]() -> asio::awaitable<void> {
    loan.emplace(co_await pool->begin());
    const pg::Rows rows = co_await loan->query("INSERT INTO t VALUES (1)");
    auto begin = pool->begin(20000ms);
    const auto waiter = [&]() -> asio::awaitable<void> {
      waited = co_await failure_of(std::move(begin));
    };
    asio::co_spawn(io, waiter(), [](std::exception_ptr) {});
    co_await cc::test::pause(20ms);
    pool.reset();
    co_await cc::test::pause(20ms);
    BOOST_TEST(waited.has_value());
    // The loan goes on until it ends by itself.
    co_await loan->commit();
  };
  run_until_done(io, test());
  BOOST_TEST(rows_in_table() == 1);
  loan.reset();
}

BOOST_AUTO_TEST_CASE(nothing_keeps_the_loop_after_the_pool) {
  {
    pg::Pool pool(executor, "host=/nowhere user=postgres", 3);
    std::optional<pg::Failure> failure;
    const auto waiter = [&]() -> asio::awaitable<void> {
      auto begin = pool.begin(300ms);
      failure = co_await failure_of(std::move(begin));
    };
    run_until_done(io, waiter());
    BOOST_TEST(failure.has_value());
  }
  const auto begin = std::chrono::steady_clock::now();
  io.restart();
  io.run();
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 1s));
}

BOOST_AUTO_TEST_CASE(destroyed_while_connects_fail_or_hang) {
  const TempDir folder;
  asio::local::stream_protocol::acceptor silent(
      io, asio::local::stream_protocol::endpoint(folder.file(".s.PGSQL.5432")));
  for (const std::string& host : {std::string("/nowhere"), folder.path()}) {
    for (int i = 0; i < 20; ++i) {
      auto pool = std::make_unique<pg::Pool>(executor, "host=" + host + " user=postgres", 2);
      std::vector<std::string> failures;
      const auto waiter = [&]() -> asio::awaitable<void> {
        auto begin = pool->begin(20000ms);
        const auto failure = co_await failure_of(std::move(begin));
        failures.push_back(failure ? failure->what() : "");
      };
      for (int n = 0; n < 4; ++n) asio::co_spawn(io, waiter(), [](std::exception_ptr) {});
      io.restart();
      for (int turns = 0; turns < 10; ++turns) io.poll_one();  // all have begun
      io.run_for(std::chrono::milliseconds{i});
      pool.reset();
      const auto begin = std::chrono::steady_clock::now();
      io.restart();
      io.run();
      BOOST_TEST((std::chrono::steady_clock::now() - begin < 1s));
      BOOST_TEST(failures.size() == 4u);
      for (const std::string& why : failures) BOOST_TEST(why == "the pool is closed");
    }
  }
}

BOOST_AUTO_TEST_CASE(loop_destroyed_with_everything_under_way) {
  auto own = std::make_unique<asio::io_context>();
  auto pool = std::make_unique<pg::Pool>(own->get_executor(), server.conninfo(), 2);
  const auto worker = [&](int n) -> asio::awaitable<void> {
    pg::Transaction transaction = co_await pool->begin();
    pg::Params given = params(n);
    const pg::Rows rows = co_await transaction.query("INSERT INTO t VALUES ($1)", std::move(given));
    const pg::Rows slept = co_await transaction.query("SELECT pg_sleep(20)");
  };
  for (int n = 0; n < 6; ++n) asio::co_spawn(*own, worker(n), [](std::exception_ptr) {});
  own->run_for(300ms);
  pool.reset();
  own.reset();
  BOOST_TEST(rows_in_table() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
