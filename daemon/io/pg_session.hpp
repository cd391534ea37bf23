// The inside of pg::Connection: libpq in pipeline mode, its prepared statements and its socket.
// Private to daemon/io.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <libpq-fe.h>

#include "pg.hpp"
#include "readiness.hpp"

namespace cc::pg {

/// libpq's conninfo with what every session of ours needs added; `options` as in PGOPTIONS. Throws
/// Failure where libpq cannot read it.
std::string complete_conninfo(const std::string& conninfo, std::string_view options);

/// A result's error without anything that came from parameters.
Failure failure_of(const PGresult* result);

/// What one pipeline must bring back, and what has come.
struct Exchange {
  struct Answer {
    std::size_t statement;
    std::string_view sql;
    std::string prepares;  // the name under which this prepares it; empty = this executes it
    bool check_columns;
  };
  std::vector<Answer> expected;
  std::size_t answered = 0;
  std::vector<Rows> rows;
  std::optional<Failure> failure;
  std::size_t failed_statement = 0;
  std::string twin_column;  // a column name that a result has twice
};

struct Connection::Impl {
  explicit Impl(asio::any_io_executor its_executor) : executor(std::move(its_executor)) {}
  Impl(const Impl&) = delete;
  ~Impl() { close(); }

  static asio::awaitable<void> connect(std::shared_ptr<Impl> self, std::string conninfo,
                                       Millis timeout);

  /// Throws for what must not be sent; nothing has happened then.
  void check(const std::vector<Statement>& statements) const;
  /// Queues all statements and the sync that ends them.
  void send(const std::vector<Statement>& statements, Exchange& exchange);
  /// Until the sync's answer. Throws Failure when the link is lost or the deadline passes.
  static asio::awaitable<void> receive(std::shared_ptr<Impl> self, Exchange& exchange);
  /// The same for the simple protocol.
  static asio::awaitable<void> run_script(std::shared_ptr<Impl> self, std::string sql,
                                          std::optional<Failure>& failure);

  /// Sends ROLLBACK without waiting for its answer, which the next receive() skips.
  void roll_back();
  /// For an idle connection: whether the server is still there, without asking it.
  bool alive();

  bool usable() const noexcept { return pg != nullptr && !stale; }
  bool in_transaction() const noexcept;
  void close() noexcept;
  /// Closes and throws Failure without an SQLSTATE.
  [[noreturn]] void lose(const std::string& why);
  [[noreturn]] void lose();  // the reason is libpq's

  bool take_answers(Exchange& exchange);  // true when complete
  void take(Rows rows, PGresult* result, Exchange& exchange);
  bool take_owed();
  static asio::awaitable<void> wait(std::shared_ptr<Impl> self, bool to_write,
                                    Waiter::TimePoint deadline);

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  asio::any_io_executor executor;
  PGconn* pg = nullptr;  // owned
  std::shared_ptr<Readiness> readiness;
  Millis timeout{10000};
  std::size_t failed_statement = 0;
  std::unordered_map<std::string, std::string, Hash, std::equal_to<>> prepared;  // SQL → name
  std::size_t names_given = 0;
  std::size_t owed = 0;    // rollbacks whose answers are still to come
  bool busy = false;       // a coroutine is inside
  bool stale = false;      // its prepared statements don't fit the schema any more
  std::string last_fatal;  // what the server said before it hung up
};

}  // namespace cc::pg
