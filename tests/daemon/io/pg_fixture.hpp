// One PostgreSQL for all tests of pg; each test makes the tables that it needs.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "loop.hpp"
#include "pg.hpp"
#include "servers.hpp"

namespace cc::test {

inline PostgresServer& postgres() {
  static PostgresServer server;
  if (!server.running()) server.start();
  return server;
}

struct PgFixture {
  PostgresServer& server = postgres();
  asio::io_context io;
  asio::any_io_executor executor = io.get_executor();

  asio::awaitable<std::unique_ptr<pg::Connection>> connect() {
    return pg::Connection::connect(executor, server.conninfo(), 5000ms);
  }
};

/// What `work` throws, or nothing. (g++ 12 cannot await in a catch block.)
template <class Awaitable>
asio::awaitable<std::optional<pg::Failure>> failure_of(Awaitable work) {
  std::optional<pg::Failure> failure;
  try {
    co_await std::move(work);
  } catch (const pg::Failure& thrown) {
    failure = thrown;
  }
  co_return failure;
}

using pg::params;

template <class... T>
pg::Statement statement(std::string_view sql, T&&... values) {
  return {sql, params(std::forward<T>(values)...)};
}

}  // namespace cc::test
