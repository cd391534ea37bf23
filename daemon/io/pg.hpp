// PostgreSQL on the loop: libpq, non-blocking, pipelined. One Connection serves one coroutine at a
// time; the Pool hands them out.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace cc::pg {

namespace asio = boost::asio;
using Millis = std::chrono::milliseconds;

/// The database did not do what it was asked. `sqlstate` is empty where the connection was lost or
/// a deadline passed; then nobody knows whether a commit happened. The message holds no parameter
/// values. (A cancelled coroutine gets system_error(operation_aborted) instead; its connection is
/// closed.)
class Failure : public std::runtime_error {
 public:
  Failure(std::string state, const std::string& message)
      : std::runtime_error(message), sqlstate(std::move(state)) {}
  std::string sqlstate;
  bool connection_lost() const noexcept { return sqlstate.empty(); }
  bool unique_violation() const noexcept { return sqlstate == "23505"; }
};

/// One parameter, in text format; null where absent.
class Param {
 public:
  Param(std::nullptr_t) {}
  Param(std::int64_t value) : text_(std::to_string(value)) {}
  Param(int value) : text_(std::to_string(value)) {}
  Param(bool value) : text_(value ? "t" : "f") {}
  Param(std::string_view value) : text_(value) {}
  Param(const char* value) : text_(value) {}
  Param(const std::string& value) : text_(value) {}
  Param(std::string&& value) : text_(std::move(value)) {}
  template <class T>
  Param(const std::optional<T>& value) {
    if (value) *this = Param(*value);
  }

  const char* data() const noexcept { return text_ ? text_->c_str() : nullptr; }
  /// PostgreSQL's text cannot hold it: such a statement fails with 22021 and is not sent.
  bool holds_nul() const noexcept { return text_ && text_->find('\0') != std::string::npos; }

 private:
  std::optional<std::string> text_;
};
using Params = std::vector<Param>;

/// A list of parameters. (A braced list inside a co_await expression trips g++ 12.)
template <class... Values>
Params params(Values&&... values) {
  Params list;
  list.reserve(sizeof...(values));
  (list.emplace_back(std::forward<Values>(values)), ...);
  return list;
}

/// bytea in text format.
Param bytes(std::string_view raw);

/// Array literals, for unnest() and any().
Param array(const std::vector<std::int64_t>& values);
Param array(const std::vector<std::string>& values);
Param array(const std::vector<std::optional<std::string>>& values);
Param array(const std::vector<std::optional<std::int64_t>>& values);
Param array_of_bytes(const std::vector<std::string>& raw);  // bytea[]
Param array_of_bytes(const std::vector<std::optional<std::string>>& raw);

/// A statement's result: rows of text values. Owns the PGresult; copies share it. Columns are found
/// by name, so a statement that returns two of the same name is refused with std::logic_error.
class Rows {
 public:
  Rows() = default;
  explicit Rows(void* pg_result);  // takes ownership (PGresult*)

  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  std::size_t affected() const noexcept;      // of INSERT, UPDATE, DELETE
  std::string_view command() const noexcept;  // the command tag: "UPDATE 3", "COMMIT", "ROLLBACK"

  bool is_null(std::size_t row, std::string_view column) const;
  /// Throws std::logic_error for a column that is not there, and for null with the first three.
  std::string_view text(std::size_t row, std::string_view column) const;
  std::int64_t integer(std::size_t row, std::string_view column) const;
  bool boolean(std::size_t row, std::string_view column) const;
  std::string bytes(std::size_t row, std::string_view column) const;  // bytea
  std::optional<std::string> opt_text(std::size_t row, std::string_view column) const;
  std::optional<std::int64_t> opt_integer(std::size_t row, std::string_view column) const;

 private:
  int column_of(std::string_view column) const;
  const char* value(std::size_t row, std::string_view column) const;  // null for null

  std::shared_ptr<void> result_;
  mutable int next_column_ = 0;  // where the next look-up begins: columns are mostly read in order
};

struct Statement {
  // Constructors and no aggregate: g++ 12 destroys the parts of an aggregate twice that is written
  // in braces inside a co_await expression.
  Statement(std::string_view its_sql, Params its_params = {})
      : sql(its_sql), params(std::move(its_params)) {}

  std::string_view sql;  // must outlive the call; each distinct text is prepared once a connection
  Params params;
};

class Connection {
 public:
  /// Connects (deadline included) or throws Failure. `conninfo` is libpq's; names in it are
  /// resolved by libpq, which blocks: give addresses or socket directories.
  static asio::awaitable<std::unique_ptr<Connection>> connect(asio::any_io_executor executor,
                                                              std::string conninfo, Millis timeout);
  ~Connection();
  Connection(const Connection&) = delete;

  /// One statement, one result. Throws Failure.
  asio::awaitable<Rows> query(std::string_view sql, Params params = {});

  /// All statements in one round trip, inside whatever transaction is open. At the first error the
  /// rest are skipped and Failure is thrown; `failed_statement()` then tells which.
  asio::awaitable<std::vector<Rows>> pipeline(std::vector<Statement> statements);
  std::size_t failed_statement() const noexcept;

  /// A file of several statements without parameters (migrations). Not prepared.
  asio::awaitable<void> script(std::string sql);

  /// False after the link broke or a deadline passed: throw it away.
  bool usable() const noexcept;
  bool in_transaction() const noexcept;

  /// For each following statement or pipeline. Default 10 s. On expiry the connection is closed.
  void set_timeout(Millis timeout) noexcept;

 private:
  struct Impl;
  friend class Pool;
  explicit Connection(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // shared with the coroutines under way
};

class Pool;

/// A connection on loan with a transaction open on it. Without commit() the destructor sends
/// ROLLBACK and gives the connection back; the next borrower's first answer comes behind it. After
/// a Failure nothing more can be done in it but to let it go.
class Transaction {
 public:
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  asio::awaitable<Rows> query(std::string_view sql, Params params = {});
  asio::awaitable<std::vector<Rows>> pipeline(std::vector<Statement> statements);
  std::size_t failed_statement() const noexcept;
  /// Throws Failure too where the server answers COMMIT by rolling back. Gives the connection back.
  asio::awaitable<void> commit();
  /// pipeline() and commit() in one round trip; nothing is committed where a statement fails.
  asio::awaitable<std::vector<Rows>> pipeline_and_commit(std::vector<Statement> statements);

 private:
  friend class Pool;
  struct Loan;
  explicit Transaction(std::unique_ptr<Loan> loan);
  std::unique_ptr<Loan> loan_;
};

/// Up to `size` connections, opened when needed, each with `synchronous_commit=on`, `timezone=UTC`,
/// generic plans, a statement_timeout (9 s) below our own deadline (10 s), and
/// idle_in_transaction_session_timeout (30 s) so that a stopped daemon does not keep its row locks.
/// Waiters are served in order.
class Pool {
 public:
  Pool(asio::any_io_executor executor, std::string conninfo, std::size_t size);
  ~Pool();
  Pool(const Pool&) = delete;

  /// BEGIN is sent along with the first statement. Throws Failure where none is free or can be
  /// opened within `timeout`. Failed connects back off (with jitter) for all waiters together.
  asio::awaitable<Transaction> begin(Millis timeout = Millis{5000});

  /// One statement outside a transaction. `timeout` is for getting a connection; the statement then
  /// has its own 10 s.
  asio::awaitable<Rows> query(std::string_view sql, Params params = {},
                              Millis timeout = Millis{5000});

  struct Status {
    std::size_t open = 0, idle = 0, waiting = 0;
    std::uint64_t connects = 0, failures = 0;
    bool reachable = false;  // the last connect or statement worked
    std::string last_error;
  };
  Status status() const;

 private:
  friend class Transaction;
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace cc::pg
