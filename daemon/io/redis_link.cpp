// redis::Link: a connection made anew when somebody wants it.
#include <list>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "backoff.hpp"
#include "redis.hpp"
#include "waiter.hpp"

namespace cc::redis {
namespace {

constexpr Millis connect_timeout{2000};

}  // namespace

/// Shared by the Link, the coroutines in command(), and the one that connects.
struct Link::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::any_io_executor its_executor, Options its_options)
      : executor(std::move(its_executor)), options(std::move(its_options)) {}
  Impl(const Impl&) = delete;

  /// The connection that stands, once there is one; null at the deadline or when the Link is gone.
  static asio::awaitable<std::shared_ptr<Connection>> ready(std::shared_ptr<Impl> self,
                                                            Waiter::TimePoint deadline);
  static asio::awaitable<void> open(std::shared_ptr<Impl> self);
  void start();
  void wake_all() {
    for (Waiter* waiter : waiting) waiter->wake();
  }
  bool usable() const { return connection && connection->usable(); }

  asio::any_io_executor executor;
  Options options;
  std::shared_ptr<Connection> connection;
  std::list<Waiter*> waiting;  // for a connection
  bool opening = false, closing = false;
  Waiter* pause = nullptr;  // in open(), until the next connect may be tried
  Backoff backoff{Millis{50}, Millis{2000}};
  std::chrono::steady_clock::time_point not_before{};
  std::uint64_t connects = 0, failures = 0;
  std::string last_error;
};

void Link::Impl::start() {
  if (opening || closing || waiting.empty()) return;
  opening = true;
  asio::co_spawn(executor, open(shared_from_this()),
                 [self = shared_from_this()](const std::exception_ptr&) {
                   self->opening = false;
                   if (!self->usable()) self->start();
                 });
}

asio::awaitable<void> Link::Impl::open(std::shared_ptr<Impl> self) {
  while (!self->closing && !self->waiting.empty()) {
    if (std::chrono::steady_clock::now() < self->not_before) {
      Waiter pause(self->executor, self->not_before);
      struct Registered {
        Impl& impl;
        ~Registered() { impl.pause = nullptr; }
      };
      const Registered guard{*self};
      self->pause = &pause;
      co_await pause.wait();
      continue;
    }
    std::unique_ptr<Connection> made;
    std::string why;
    try {
      made = co_await Connection::connect(self->executor, self->options, connect_timeout);
    } catch (const Failure& failure) {
      why = failure.what();
    }
    if (self->closing) co_return;
    if (made) {
      ++self->connects;
      self->connection = std::move(made);
      self->wake_all();
      co_return;
    }
    ++self->failures;
    self->last_error = why;
    self->not_before = std::chrono::steady_clock::now() + self->backoff.next();
  }
}

asio::awaitable<std::shared_ptr<Connection>> Link::Impl::ready(std::shared_ptr<Impl> self,
                                                               Waiter::TimePoint deadline) {
  if (self->usable()) co_return self->connection;
  Waiter waiter(self->executor, deadline);
  struct Listed {
    Impl& impl;
    Waiter* waiter;
    ~Listed() { impl.waiting.remove(waiter); }
  };
  const Listed guard{*self, &waiter};
  self->waiting.push_back(&waiter);
  bool in_time = true;
  while (in_time && !self->closing && !self->usable()) {
    self->start();
    in_time = co_await waiter.wait();
  }
  if (self->closing || !self->usable()) co_return nullptr;
  co_return self->connection;
}

Link::Link(asio::any_io_executor executor, Options options)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(options))) {}

Link::~Link() {
  impl_->closing = true;
  impl_->connection.reset();
  impl_->wake_all();
  // A connect under way ends by itself, in 2 s at most.
  if (impl_->pause != nullptr) impl_->pause->wake();
}

asio::awaitable<Reply> Link::command(std::vector<std::string> words, Millis timeout) {
  const auto impl = impl_;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const std::shared_ptr<Connection> connection = co_await Impl::ready(impl, deadline);
  if (!connection) {
    if (impl->closing) throw Failure("the link is closed");
    std::string why = "no connection to Redis within " + std::to_string(timeout.count()) + " ms";
    if (!impl->last_error.empty()) why += ": " + impl->last_error;
    throw Failure(why);
  }
  const auto left = std::chrono::ceil<Millis>(deadline - std::chrono::steady_clock::now());
  try {
    Reply reply = co_await connection->command(std::move(words), left);
    // A server that accepts and hangs up again is no reason to forget the pause.
    impl->backoff.reset();
    co_return reply;
  } catch (const Failure& failure) {
    ++impl->failures;
    impl->last_error = failure.what();
    const auto now = std::chrono::steady_clock::now();
    if (!connection->usable() && now >= impl->not_before) {
      impl->not_before = now + impl->backoff.next();
    }
    throw;
  }
}

Link::Status Link::status() const {
  return {impl_->usable(), impl_->connects, impl_->failures, impl_->last_error};
}

}  // namespace cc::redis
