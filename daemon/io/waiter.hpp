// One coroutine waiting, until a deadline, for something that a callback on the same loop
// announces.
#pragma once

#include <chrono>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace cc {

namespace asio = boost::asio;

/// Lives in the waiting coroutine's frame; whoever calls wake() must forget it when it goes.
class Waiter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  Waiter(const asio::any_io_executor& executor, TimePoint deadline) : timer_(executor, deadline) {}
  Waiter(const Waiter&) = delete;

  /// Never resumes the coroutine from inside: safe in any callback and any destructor.
  void wake() {
    woken_ = true;
    timer_.cancel();
  }

  /// True = woken (since the last wait, at the latest now), false = the deadline passed. Throws
  /// system_error(operation_aborted) when the coroutine is cancelled.
  asio::awaitable<bool> wait();

  /// For the next wait; nobody may be waiting.
  void wait_until(TimePoint deadline) { timer_.expires_at(deadline); }
  TimePoint deadline() const { return timer_.expiry(); }

 private:
  asio::steady_timer timer_;
  bool woken_ = false;
};

}  // namespace cc
