// The inside of pg::Pool. Private to daemon/io.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "backoff.hpp"
#include "pg.hpp"
#include "waiter.hpp"

namespace cc::pg {

/// Shared by the Pool, the loans, and the coroutines that open connections.
struct Pool::Impl : std::enable_shared_from_this<Impl> {
  using Lent = std::unique_ptr<Connection>;

  Impl(asio::any_io_executor its_executor, const std::string& its_conninfo, std::size_t its_size);

  /// Throws Failure at the deadline. What it returns must come back through take_back().
  static asio::awaitable<Lent> acquire(std::shared_ptr<Impl> self, Millis timeout);
  /// Rolls back what is open; drops what is unusable.
  void take_back(Lent connection) noexcept;
  void close() noexcept;

  void succeeded() noexcept { reachable = true; }
  void failed(const Failure& failure);

  /// In the frame of a coroutine that waits for a connection.
  struct Waiting {
    Waiting(std::shared_ptr<Impl> its_pool, Millis timeout);
    Waiting(const Waiting&) = delete;
    ~Waiting();
    std::shared_ptr<Impl> pool;
    Waiter waiter;
    Lent connection;
  };

  void give(Lent connection);  // to the first who waits, or aside
  void open_more();
  static asio::awaitable<void> open(std::shared_ptr<Impl> self);
  bool wanted() const noexcept { return !closing && !waiting.empty(); }

  asio::any_io_executor executor;
  std::string conninfo;
  std::size_t size;
  std::vector<Lent> idle;  // the last to come is the first to go
  std::list<Waiting*> waiting;
  std::list<Waiter*> pauses;  // in open(), until the next connect may be tried
  std::list<std::shared_ptr<Connection::Impl>> connecting;  // in open()
  std::size_t openers = 0;                                  // coroutines in open()
  std::size_t lent = 0;
  Backoff backoff{Millis{50}, Millis{2000}};
  std::chrono::steady_clock::time_point not_before{};  // of the next connect
  bool closing = false, trouble = false;               // trouble = the last connect failed
  bool reachable = false;
  std::uint64_t connects = 0, failures = 0;
  std::string last_error;
};

struct Transaction::Loan {
  explicit Loan(std::shared_ptr<Pool::Impl> its_pool) : pool(std::move(its_pool)) {}
  Loan(const Loan&) = delete;
  ~Loan() { give_back(); }
  void give_back() noexcept {
    if (connection) pool->take_back(std::move(connection));
  }

  std::shared_ptr<Pool::Impl> pool;
  std::unique_ptr<Connection> connection;  // null once it went back
  bool begun = false, doomed = false;
  std::size_t own_before = 0;  // statements of ours before the caller's in the last pipeline
  std::size_t failed_statement = 0;
};

}  // namespace cc::pg
