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

  /// Of one who wants to know when a call changes. To be made before the call is read: what is
  /// committed between that and wait() is not missed. Must not outlive the watch.
  class Interest {
   public:
    Interest(Watch& watch, asio::any_io_executor executor, std::int64_t call);
    ~Interest();
    Interest(const Interest&) = delete;
    Interest& operator=(const Interest&) = delete;

    /// Returns when the call has changed since the last return (or the beginning), its version is
    /// above `version`, or the time is over.
    asio::awaitable<void> wait(std::int64_t version, Millis time);

   private:
    friend class Watch;
    void wake();

    Watch& watch_;
    asio::steady_timer timer_;
    std::int64_t version_ = INT64_MAX;  // nobody waits yet
    bool changed_ = false;
    std::multimap<std::int64_t, Interest*>::iterator place_;
  };

  /// Wakes everybody, for a stop.
  void wake_all();

  /// Asks PostgreSQL for what others changed, until cancelled.
  asio::awaitable<void> run();

 private:
  pg::Pool& pool_;
  Clock& clock_;
  std::multimap<std::int64_t, Interest*> interests_;
};

}  // namespace cc
