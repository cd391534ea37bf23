// Time as the daemon sees it. Passed in everywhere, never asked of the system directly, so that
// tests can simulate days. Deadlines of single I/O operations are real time and not the Clock's.
#pragma once

#include <chrono>
#include <cstdint>

#include <boost/asio/awaitable.hpp>

namespace cc {

namespace asio = boost::asio;
using Millis = std::chrono::milliseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::int64_t epoch_ms() const = 0;  // wall clock, UTC
  virtual std::chrono::steady_clock::time_point steady() const = 0;
  /// Completes after `duration` of this clock. Throws system_error(operation_aborted) when
  /// cancelled.
  virtual asio::awaitable<void> sleep_for(Millis duration) = 0;
};

/// The system's clocks and real timers.
class SystemClock final : public Clock {
 public:
  std::int64_t epoch_ms() const override;
  std::chrono::steady_clock::time_point steady() const override;
  asio::awaitable<void> sleep_for(Millis duration) override;
};

}  // namespace cc
