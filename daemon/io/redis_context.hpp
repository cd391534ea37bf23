// The inside of redis::Connection: one hiredis context on the loop. Private to daemon/io.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <hiredis/async.h>

#include "redis.hpp"
#include "waiter.hpp"

namespace cc::redis {

/// Shared by the Connection, the coroutines in command(), and the handlers under way.
struct Connection::Impl : std::enable_shared_from_this<Impl> {
  /// A command that is under way. Hiredis holds one reference, through its private data; the
  /// coroutine the other, and may go first.
  struct Pending {
    Waiter* waiter = nullptr;  // null once its coroutine has gone
    Reply reply;
    bool answered = false;
  };

  explicit Impl(asio::any_io_executor its_executor);
  Impl(const Impl&) = delete;
  ~Impl();

  static asio::awaitable<void> connect(std::shared_ptr<Impl> self, Options options, Millis timeout);
  static asio::awaitable<Reply> command(std::shared_ptr<Impl> self, std::vector<std::string> words,
                                        Waiter::TimePoint deadline);

  bool usable() const noexcept { return context != nullptr && connected; }
  /// Fails everything under way. Not from inside hiredis.
  void close(const std::string& why);

  void open(const std::string& address);
  void attach();
  void want_read();
  void want_write();
  void wait_for(asio::posix::descriptor_base::wait_type type, bool& armed);
  void on_readable();
  void on_writable();
  void detach();  // hiredis' last word: the context goes right after

  static void on_connect(const redisAsyncContext* context, int status);
  static void on_reply(redisAsyncContext* context, void* reply, void* pending);

  asio::any_io_executor executor;
  asio::posix::stream_descriptor descriptor;  // hiredis' own; released before hiredis closes it
  redisAsyncContext* context = nullptr;       // frees itself on errors, see detach()
  Waiter* connecting = nullptr;
  std::string problem = "not connected";
  bool connected = false;
  bool wants_read = false, wants_write = false;  // what hiredis asked for
  bool reading = false, writing = false;         // handlers under way
  bool inside_write = false;
};

}  // namespace cc::redis
