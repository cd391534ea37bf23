#include "clock.hpp"

#include <algorithm>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cc {

std::int64_t SystemClock::epoch_ms() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<Millis>(now).count();
}

std::chrono::steady_clock::time_point SystemClock::steady() const {
  return std::chrono::steady_clock::now();
}

asio::awaitable<void> SystemClock::sleep_for(Millis duration) {
  constexpr Millis longest =
      std::chrono::hours{24 * 365};  // Millis::max() would overflow the timer
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(std::min(duration, longest));
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace cc
