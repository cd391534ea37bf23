// This daemon's place in the fleet: a row in `daemon`, an epoch that grows with each start, and a
// heartbeat (rules.md, "Ownership among daemons").
#pragma once

#include <cstdint>
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
  Membership(pg::Pool& pool, Clock& clock, std::string id, std::string version)
      : pool_(pool), clock_(clock), id_(std::move(id)), version_(std::move(version)) {}

  /// Takes the id with a new epoch: whatever an earlier process of this id had begun is a dead
  /// owner's.
  asio::awaitable<void> join();

  /// Heartbeats until cancelled. Returns only when another process has taken our id.
  asio::awaitable<void> keep();

  /// On a clean stop: the others need not wait for us to be dead.
  asio::awaitable<void> leave();

  const std::string& id() const noexcept { return id_; }
  std::int64_t epoch() const noexcept { return epoch_; }

 private:
  pg::Pool& pool_;
  Clock& clock_;
  std::string id_, version_;
  std::int64_t epoch_ = 0;
};

/// SQL: how many daemons live, this one included even if its heartbeat is late.
inline constexpr std::string_view living_daemons_sql =
    "(SELECT greatest(count(*), 1) FROM daemon WHERE seen > clock_timestamp() - interval '6 "
    "seconds')";

/// SQL: true where (owner, epoch) of a row is no living daemon's. `row` is the table's alias.
std::string dead_owner_sql(const std::string& row);

}  // namespace cc
