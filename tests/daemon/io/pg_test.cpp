#include "pg.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/test/unit_test.hpp>

#include "pg_fixture.hpp"

using namespace cc::test;
namespace pg = cc::pg;

BOOST_FIXTURE_TEST_SUITE(postgres_connection, PgFixture)

BOOST_AUTO_TEST_CASE(error_in_the_middle_of_a_pipeline) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    const pg::Rows made = co_await link->query("CREATE TEMP TABLE m (n int PRIMARY KEY, w text)");
    for (int round = 0; round < 3; ++round) {
      std::vector<pg::Statement> all;
      all.push_back(statement("INSERT INTO m VALUES ($1, $2)", 1, "secret"));
      all.push_back(statement("SELECT count(*) AS n FROM m"));
      all.push_back(statement("INSERT INTO m VALUES ($1, $2)", 1, "secret"));
      all.push_back(statement("INSERT INTO m VALUES ($1, $2) RETURNING n", 2, "never"));
      const auto failure = co_await failure_of(link->pipeline(std::move(all)));
      BOOST_REQUIRE(failure);
      BOOST_TEST(failure->unique_violation());
      BOOST_TEST(!failure->connection_lost());
      BOOST_TEST(failure->what() == "duplicate key value violates unique constraint \"m_pkey\"");
      BOOST_TEST(link->failed_statement() == 2u);
      BOOST_TEST(link->usable());
      BOOST_TEST(!link->in_transaction());
      // Between two syncs all is one transaction: the first insert is gone too.
      const pg::Rows rows = co_await link->query("SELECT count(*) AS n FROM m");
      BOOST_TEST(rows.integer(0, "n") == 0);
    }
    // An error in parsing; the same text must not be taken for prepared afterwards.
    for (int round = 0; round < 2; ++round) {
      const auto failure = co_await failure_of(link->query("SELECT absent FROM m"));
      BOOST_REQUIRE(failure);
      BOOST_TEST(failure->sqlstate == "42703");
    }
    const pg::Rows rows = co_await link->query("SELECT 1 AS n");
    BOOST_TEST(rows.integer(0, "n") == 1);
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(messages_hold_no_values) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    for (const std::string sql : {"SELECT $1::text::bigint", "SELECT $1::text::int[]",
                                  "SELECT $1::text::timestamptz", "SELECT $1::text::jsonb"}) {
      pg::Params given = params("13900001111 \"quoted\" end");
      const auto failure = co_await failure_of(link->query(sql, std::move(given)));
      BOOST_REQUIRE(failure);
      BOOST_TEST(failure->sqlstate.substr(0, 2) == "22");
      const std::string what = failure->what();
      BOOST_TEST(what.find("139") == std::string::npos, what);
      BOOST_TEST(what.find("quoted") == std::string::npos, what);
    }
    // A zero byte would end the text early and nobody would know.
    pg::Params zero = params(std::string("a\0b", 3));
    const auto failure = co_await failure_of(link->query("SELECT $1::text", std::move(zero)));
    BOOST_REQUIRE(failure);
    BOOST_TEST(failure->sqlstate == "22021");
    BOOST_TEST(link->usable());
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(more_texts_than_are_kept_prepared) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    std::vector<std::string> texts;
    for (int i = 0; i < 700; ++i)
      texts.push_back("SELECT $1::int + " + std::to_string(i) + " AS n");
    for (int round = 0; round < 2; ++round) {
      std::vector<pg::Statement> all;
      for (const std::string& text : texts) all.push_back(statement(text, 1000));
      const std::vector<pg::Rows> sums = co_await link->pipeline(std::move(all));
      for (std::size_t i = 0; i < texts.size(); ++i) {
        BOOST_TEST(sums[i].integer(0, "n") == 1000 + static_cast<std::int64_t>(i));
      }
    }
    const pg::Rows rows = co_await link->query("SELECT count(*) AS n FROM pg_prepared_statements");
    BOOST_TEST(rows.integer(0, "n") == 512);
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(deadline_closes_the_connection) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    link->set_timeout(200ms);
    const auto begin = std::chrono::steady_clock::now();
    const auto failure = co_await failure_of(link->query("SELECT pg_sleep(20)"));
    BOOST_REQUIRE(failure);
    BOOST_TEST(failure->connection_lost());
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 2s));
    BOOST_TEST(!link->usable());
    const auto again = co_await failure_of(link->query("SELECT 1"));
    BOOST_REQUIRE(again);
    BOOST_TEST(again->connection_lost());
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(cancelled_in_the_middle) {
  std::unique_ptr<pg::Connection> link;
  bool cancelled = false;
  asio::cancellation_signal stop;
  const auto sleeper = [&]() -> asio::awaitable<void> {
    link = co_await connect();
    try {
      const pg::Rows rows = co_await link->query("SELECT pg_sleep(20)");
    } catch (const boost::system::system_error& error) {
      cancelled = error.code() == asio::error::operation_aborted;
    }
  };
  asio::co_spawn(io, sleeper(),
                 asio::bind_cancellation_slot(stop.slot(), [](std::exception_ptr) {}));
  io.run_for(300ms);
  BOOST_REQUIRE(link);
  BOOST_TEST(link->usable());
  stop.emit(asio::cancellation_type::terminal);
  io.run_for(2s);
  BOOST_TEST(cancelled);
  BOOST_TEST(!link->usable());
}

BOOST_AUTO_TEST_CASE(loop_destroyed_in_the_middle) {
  auto own = std::make_unique<asio::io_context>();
  const auto sleeper = [&]() -> asio::awaitable<void> {
    const auto link =
        co_await pg::Connection::connect(own->get_executor(), server.conninfo(), 5000ms);
    const pg::Rows rows = co_await link->query("SELECT pg_sleep(20)");
  };
  asio::co_spawn(*own, sleeper(), [](std::exception_ptr) {});
  own->run_for(300ms);
  own.reset();
}

BOOST_AUTO_TEST_CASE(connection_destroyed_under_a_query) {
  std::unique_ptr<pg::Connection> link;
  std::optional<pg::Failure> failure;
  const auto sleeper = [&]() -> asio::awaitable<void> {
    link = co_await connect();
    auto query = link->query("SELECT pg_sleep(20)");
    failure = co_await failure_of(std::move(query));
  };
  asio::co_spawn(io, sleeper(), [](std::exception_ptr) {});
  io.run_for(300ms);
  link.reset();
  io.run_for(2s);
  BOOST_REQUIRE(failure);
  BOOST_TEST(failure->connection_lost());
}

BOOST_AUTO_TEST_CASE(two_coroutines_on_one_connection_are_refused) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    bool slept = false, refused = false;
    const auto other = [&]() -> asio::awaitable<void> {
      const pg::Rows rows = co_await link->query("SELECT pg_sleep(0.2)");
      slept = true;
    };
    asio::co_spawn(io, other(), [](std::exception_ptr) {});
    co_await cc::test::pause(20ms);
    try {
      const pg::Rows rows = co_await link->query("SELECT 1 AS n");
    } catch (const std::logic_error&) {
      refused = true;
    }
    BOOST_TEST(refused);
    co_await cc::test::pause(400ms);
    BOOST_TEST(slept);
    BOOST_TEST(link->usable());
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(scripts) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    co_await link->script(
        "BEGIN;\nCREATE TEMP TABLE s (n int);\nINSERT INTO s VALUES (1), (2);\nSELECT n FROM s;\n"
        "DO $$ BEGIN INSERT INTO s VALUES (3); END $$;\nCOMMIT;");
    const pg::Rows rows = co_await link->query("SELECT count(*) AS n FROM s");
    BOOST_TEST(rows.integer(0, "n") == 3);
    const auto failure =
        co_await failure_of(link->script("INSERT INTO s VALUES (4);\n\nSELECT absent FROM s;"));
    BOOST_REQUIRE(failure);
    BOOST_TEST(failure->sqlstate == "42703");
    BOOST_TEST(failure->what() == "column \"absent\" does not exist (line 3)");
    const pg::Rows after = co_await link->query("SELECT count(*) AS n FROM s");
    BOOST_TEST(after.integer(0, "n") == 3);
    co_await link->script("");
    const auto copy = co_await failure_of(link->script("COPY s FROM STDIN"));
    BOOST_REQUIRE(copy);
    BOOST_TEST(!link->usable());
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(tables_changed_under_a_prepared_statement) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    co_await link->script("CREATE TEMP TABLE c (a int); INSERT INTO c VALUES (1)");
    const pg::Rows before = co_await link->query("SELECT * FROM c");
    co_await link->script("ALTER TABLE c ADD b text");
    const auto failure = co_await failure_of(link->query("SELECT * FROM c"));
    BOOST_REQUIRE(failure);
    BOOST_TEST(failure->sqlstate == "0A000");
    BOOST_TEST(!link->usable());  // the pool drops it, and with it all plans of its age
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(connects_that_fail) {
  const auto test = [&]() -> asio::awaitable<void> {
    using pg::Connection;
    const auto none =
        co_await failure_of(Connection::connect(executor, "host=/nowhere user=postgres", 1000ms));
    BOOST_REQUIRE(none);
    BOOST_TEST(none->connection_lost());
    const auto wrong = co_await failure_of(
        Connection::connect(executor, server.conninfo("no_such_database"), 1000ms));
    BOOST_REQUIRE(wrong);
    const auto garbled =
        co_await failure_of(Connection::connect(executor, "host='x password=hidden", 1000ms));
    BOOST_REQUIRE(garbled);
    BOOST_TEST(std::string(garbled->what()).find("hidden") == std::string::npos);
    // A listener that never answers.
    asio::local::stream_protocol::acceptor silent(
        io, asio::local::stream_protocol::endpoint(server.folder() + "/.s.PGSQL.9"));
    const auto begin = std::chrono::steady_clock::now();
    const auto hung =
        co_await failure_of(Connection::connect(executor, server.conninfo() + " port=9", 200ms));
    BOOST_REQUIRE(hung);
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 2s));
    silent.close();
    ::unlink((server.folder() + "/.s.PGSQL.9").c_str());
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_SUITE_END()
