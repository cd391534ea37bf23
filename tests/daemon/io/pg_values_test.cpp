#include <boost/test/unit_test.hpp>

#include "pg.hpp"
#include "pg_fixture.hpp"

using namespace cc::test;
namespace pg = cc::pg;

BOOST_FIXTURE_TEST_SUITE(postgres_values, PgFixture)

BOOST_AUTO_TEST_CASE(values_of_each_type_and_null) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    pg::Params given = params(std::int64_t{-7'000'000'000}, 5, true, "it's \"x\" \\ 中文", nullptr,
                              std::optional<std::string>{}, std::optional<std::string>{"o"});
    const pg::Rows rows = co_await link->query(
        "SELECT $1::bigint AS big, $2::int AS small, $3::bool AS flag, $4::text AS word, "
        "$5::text AS nothing, $6::text AS absent, $7::text AS present, false AS no",
        std::move(given));
    BOOST_TEST(rows.size() == 1u);
    BOOST_TEST(rows.integer(0, "big") == -7'000'000'000);
    BOOST_TEST(rows.integer(0, "small") == 5);
    BOOST_TEST(rows.boolean(0, "flag"));
    BOOST_TEST(!rows.boolean(0, "no"));
    BOOST_TEST(rows.text(0, "word") == "it's \"x\" \\ 中文");
    BOOST_TEST(rows.is_null(0, "nothing"));
    BOOST_TEST(!rows.opt_text(0, "absent"));
    BOOST_TEST(*rows.opt_text(0, "present") == "o");
    BOOST_TEST(!rows.opt_integer(0, "nothing"));
    BOOST_TEST(*rows.opt_integer(0, "small") == 5);
    BOOST_CHECK_THROW((void)rows.text(0, "nothing"), std::logic_error);
    BOOST_CHECK_THROW((void)rows.text(0, "elsewhere"), std::logic_error);
    BOOST_CHECK_THROW((void)rows.text(0, "wor"), std::logic_error);
    BOOST_CHECK_THROW((void)rows.text(1, "word"), std::logic_error);
    BOOST_CHECK_THROW((void)rows.integer(0, "word"), std::logic_error);
    BOOST_CHECK_THROW((void)rows.boolean(0, "word"), std::logic_error);
    BOOST_CHECK_THROW((void)pg::Rows().text(0, "word"), std::logic_error);
    BOOST_TEST(pg::Rows().empty());
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(bytes_go_round) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  const std::string large(3'000'000, '\xf0');
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    for (const std::string& raw : {std::string(), all, large}) {
      pg::Params given = params(pg::bytes(raw));
      const pg::Rows rows = co_await link->query(
          "SELECT $1::bytea AS raw, length($1::bytea) AS size", std::move(given));
      BOOST_TEST((rows.bytes(0, "raw") == raw));
      BOOST_TEST(rows.integer(0, "size") == static_cast<std::int64_t>(raw.size()));
    }
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(arrays_go_round) {
  const std::vector<std::string> nasty{"",      "NULL",   "null", "a,b",  "{}",     "{a}",  "\"",
                                       "\\",    "\\\"",   " x ",  "\n\t", "it's",   "中文", "\\x41",
                                       "a\\nb", "\"\"\"", "}",    "{",    "\\\\\"", ","};
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    pg::Params words = params(pg::array(nasty));
    const pg::Rows rows = co_await link->query(
        "SELECT value, value IS NULL AS none FROM unnest($1::text[]) WITH ORDINALITY AS t(value, "
        "n) "
        "ORDER BY n",
        std::move(words));
    BOOST_REQUIRE_EQUAL(rows.size(), nasty.size());
    for (std::size_t i = 0; i < nasty.size(); ++i) BOOST_TEST(rows.text(i, "value") == nasty[i]);

    const std::vector<std::optional<std::string>> gaps{"NULL", std::nullopt, ""};
    const std::vector<std::optional<std::int64_t>> holes{INT64_MIN, std::nullopt, INT64_MAX};
    const std::vector<std::string> raws{std::string("\0\x01\xff", 3), "", "\"\\"};
    pg::Params mixed = params(pg::array(gaps), pg::array(holes), pg::array_of_bytes(raws));
    const pg::Rows table = co_await link->query(
        "SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS t(word, number, raw)",
        std::move(mixed));
    BOOST_REQUIRE_EQUAL(table.size(), 3u);
    BOOST_TEST(table.text(0, "word") == "NULL");
    BOOST_TEST(table.is_null(1, "word"));
    BOOST_TEST(table.text(2, "word").empty());
    BOOST_TEST(table.integer(0, "number") == INT64_MIN);
    BOOST_TEST(table.is_null(1, "number"));
    BOOST_TEST(table.integer(2, "number") == INT64_MAX);
    for (std::size_t i = 0; i < 3; ++i) BOOST_TEST((table.bytes(i, "raw") == raws[i]));

    const std::vector<std::optional<std::string>> some{"\xff", std::nullopt};
    pg::Params raw_gaps = params(pg::array_of_bytes(some));
    const pg::Rows gap = co_await link->query("SELECT ($1::bytea[])[1] AS a, ($1::bytea[])[2] AS b",
                                              std::move(raw_gaps));
    BOOST_TEST(gap.bytes(0, "a") == "\xff");
    BOOST_TEST(gap.is_null(0, "b"));

    pg::Params none =
        params(pg::array(std::vector<std::string>{}), pg::array(std::vector<std::int64_t>{}),
               pg::array_of_bytes(std::vector<std::string>{}));
    const pg::Rows empty = co_await link->query(
        "SELECT cardinality($1::text[]) + cardinality($2::bigint[]) + cardinality($3::bytea[]) AS "
        "n",
        std::move(none));
    BOOST_TEST(empty.integer(0, "n") == 0);
    pg::Params any = params(pg::array(std::vector<std::int64_t>{3, -4}));
    const pg::Rows found = co_await link->query(
        "SELECT i FROM generate_series(-5, 5) i WHERE i = ANY($1::bigint[]) ORDER BY i",
        std::move(any));
    BOOST_TEST(found.size() == 2u);
    BOOST_TEST(found.integer(0, "i") == -4);
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(big_results_and_big_pipelines) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    const pg::Rows rows = co_await link->query(
        "SELECT i AS n, repeat(chr(65 + i % 26), 200) AS word FROM generate_series(1, 100000) i");
    BOOST_REQUIRE_EQUAL(rows.size(), 100000u);
    BOOST_TEST(rows.integer(99999, "n") == 100000);
    BOOST_TEST(rows.text(25, "word") == std::string(200, 'A'));

    // More than the socket's buffers hold both ways: neither side may wait for the other.
    std::vector<pg::Statement> many;
    const std::string large(100'000, 'x');
    for (int i = 0; i < 200; ++i)
      many.push_back(statement("SELECT $1::text AS echo, $2::int AS n", large, i));
    const std::vector<pg::Rows> echoes = co_await link->pipeline(std::move(many));
    BOOST_REQUIRE_EQUAL(echoes.size(), 200u);
    for (std::size_t i = 0; i < 200; ++i) {
      BOOST_TEST((echoes[i].text(0, "echo") == large));
      BOOST_TEST(echoes[i].integer(0, "n") == static_cast<std::int64_t>(i));
    }
    std::vector<pg::Statement> nothing;
    const std::vector<pg::Rows> empty = co_await link->pipeline(std::move(nothing));
    BOOST_TEST(empty.empty());
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(affected_and_command) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    std::vector<pg::Statement> all;
    all.push_back(statement("CREATE TEMP TABLE a (n int)"));
    all.push_back(statement("INSERT INTO a SELECT generate_series(1, 12)"));
    all.push_back(statement("UPDATE a SET n = n + 1 WHERE n > $1", 5));
    all.push_back(statement("DELETE FROM a WHERE n < $1", 0));
    all.push_back(statement("SELECT n FROM a"));
    const std::vector<pg::Rows> done = co_await link->pipeline(std::move(all));
    BOOST_TEST(done[0].affected() == 0u);
    BOOST_TEST(done[1].affected() == 12u);
    BOOST_TEST(done[2].affected() == 7u);
    BOOST_TEST(done[3].affected() == 0u);
    BOOST_TEST(done[4].size() == 12u);
    BOOST_TEST(done[2].command() == "UPDATE 7");
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_CASE(two_columns_of_one_name_are_refused) {
  const auto test = [&]() -> asio::awaitable<void> {
    const auto link = co_await connect();
    bool refused = false;
    try {
      const pg::Rows rows = co_await link->query("SELECT 1 AS id, 2 AS other, 3 AS id");
    } catch (const std::logic_error&) {
      refused = true;
    }
    BOOST_TEST(refused);
    const pg::Rows rows = co_await link->query("SELECT 1, 2, 3 AS n");
    BOOST_TEST(rows.integer(0, "n") == 3);
  };
  run_until_done(io, test());
}

BOOST_AUTO_TEST_SUITE_END()
