// This daemon's place in the fleet: a row in `daemon`, an epoch that grows with each start, and a
// heartbeat (rules.md, "Ownership among daemons").
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "io/clock.hpp"
#include "io/pg.hpp"

namespace cc {

inline constexpr Millis heartbeat_every{2000};
inline constexpr Millis dead_after{6000};  // by PostgreSQL's clock

class Membership {
 public:
  /// `spool_since`: received-ms of the oldest delivery in our own spool, 0 = none; told to the
  /// others with each heartbeat.
  Membership(pg::Pool& pool, Clock& clock, std::string id, std::string version,
             std::function<std::int64_t()> spool_since)
      : pool_(pool),
        clock_(clock),
        id_(std::move(id)),
        version_(std::move(version)),
        spool_since_(std::move(spool_since)) {}

  /// Takes the id with a new epoch: whatever an earlier process of this id had begun is a dead
  /// owner's.
  asio::awaitable<void> join();

  /// Heartbeats until cancelled. Returns only when another process has taken our id.
  asio::awaitable<void> keep();

  /// On a clean stop: the others need not wait for us to be dead.
  asio::awaitable<void> leave();

  const std::string& id() const noexcept { return id_; }
  std::int64_t epoch() const noexcept { return epoch_; }

  /// Whether a heartbeat has shown within the last 6 s that the epoch is still ours: what must not
  /// be done twice in the fleet (a sign-in) needs it.
  bool confirmed() const;

  /// What PostgreSQL's clock is ahead of ours, ms, as of the last heartbeat: with it all daemons
  /// agree on the time.
  std::int64_t ahead_ms() const noexcept { return ahead_ms_; }

 private:
  asio::awaitable<bool> beat();

  pg::Pool& pool_;
  Clock& clock_;
  std::string id_, version_;
  std::function<std::int64_t()> spool_since_;
  std::int64_t epoch_ = 0;
  std::int64_t ahead_ms_ = 0;
  std::chrono::steady_clock::time_point confirmed_{};  // when the last beat that counted began
};

/// SQL: how many daemons live, this one included even if its heartbeat is late.
inline constexpr std::string_view living_daemons_sql =
    "(SELECT greatest(count(*), 1) FROM daemon WHERE seen > clock_timestamp() - interval '6 "
    "seconds')";

/// SQL: true where (owner, epoch) of a row is no living daemon's. `row` is the table's alias.
std::string dead_owner_sql(const std::string& row);

}  // namespace cc
