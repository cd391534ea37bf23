// Running a test's coroutines.
#pragma once

#include <chrono>
#include <exception>
#include <stdexcept>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cc::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Runs `work` until it ends, rethrows what it throws. What else is on the loop goes on meanwhile.
inline void run_until_done(asio::io_context& io, asio::awaitable<void> work,
                           std::chrono::seconds limit = std::chrono::seconds{60}) {
  bool done = false;
  std::exception_ptr thrown;
  asio::co_spawn(io, std::move(work), [&](std::exception_ptr error) {
    thrown = error;
    done = true;
  });
  const auto deadline = std::chrono::steady_clock::now() + limit;
  io.restart();
  while (!done) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("test hangs");
    if (io.run_one_for(std::chrono::seconds{1}) == 0 && io.stopped()) io.restart();
  }
  if (thrown) std::rethrow_exception(thrown);
}

inline asio::awaitable<void> pause(std::chrono::milliseconds duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace cc::test
