// Redis on the loop: hiredis' asynchronous API behind coroutines. A Connection lives once: after it
// broke, every command on it fails, so that whoever reads a stream cannot miss that there was a new
// one.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace cc::redis {

namespace asio = boost::asio;
using Millis = std::chrono::milliseconds;

/// The link is gone or a deadline passed: nobody knows whether the command was executed.
class Failure : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Reply {
  enum class Type { nil, integer, text, status, error, array } type = Type::nil;
  std::int64_t integer = 0;
  std::string text;  // text, status, error
  std::vector<Reply> items;

  bool is_error() const noexcept { return type == Type::error; }
  bool is_nil() const noexcept { return type == Type::nil; }
};

/// "unix:/path" or "address:port" (an IP; no name, resolving would block).
struct Options {
  std::string address;
  std::string password;  // empty = none; AUTH is sent on connecting
};

class Connection {
 public:
  static asio::awaitable<std::unique_ptr<Connection>> connect(asio::any_io_executor executor,
                                                              Options options, Millis timeout);
  ~Connection();
  Connection(const Connection&) = delete;

  /// Error replies are returned, not thrown. On a deadline the connection is closed. Any number of
  /// coroutines may have commands under way; replies come in order.
  asio::awaitable<Reply> command(std::vector<std::string> words, Millis timeout);

  bool usable() const noexcept;

 private:
  struct Impl;
  explicit Connection(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// A Connection that is made anew when needed, with backoff and jitter: for single commands where a
/// new link needs no check.
class Link {
 public:
  Link(asio::any_io_executor executor, Options options);
  ~Link();
  asio::awaitable<Reply> command(std::vector<std::string> words, Millis timeout = Millis{2000});

  struct Status {
    bool connected = false;
    std::uint64_t connects = 0, failures = 0;
    std::string last_error;
  };
  Status status() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace cc::redis
