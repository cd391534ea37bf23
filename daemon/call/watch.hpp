// Waiting for a call to change: woken at once by what this daemon commits, and within 100 ms by
// what another one does (one query for all waiters, whatever their number).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "io/clock.hpp"
#include "io/pg.hpp"

namespace cc {

class Watch {
 public:
  Watch(pg::Pool& pool, Clock& clock) : pool_(pool), clock_(clock) {}

  /// The call changed, by a transaction that is committed.
  void notify(std::int64_t call);

  /// Returns when the call changed, its version is above `version`, or the time is over.
  asio::awaitable<void> wait(std::int64_t call, std::int64_t version, Millis time);

  /// Wakes everybody, for a stop.
  void wake_all();

  /// Asks PostgreSQL for what others changed, until cancelled.
  asio::awaitable<void> run();

 private:
  struct Waiter {
    std::int64_t version;
    asio::steady_timer* timer;
  };
  pg::Pool& pool_;
  Clock& clock_;
  std::multimap<std::int64_t, Waiter> waiters_;
};

}  // namespace cc
