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

/// What a daemon tells the others of itself with each heartbeat.
struct MemberNews {
  std::int64_t spool_since_ms = 0;  // received-ms of the oldest delivery in its own spool; 0 = none
  bool keeps_lines = false;         // it polls lines, and goes on doing so
};

class Membership {
 public:
  Membership(pg::Pool& pool, Clock& clock, std::string id, std::string version,
             std::function<MemberNews()> news)
      : pool_(pool),
        clock_(clock),
        id_(std::move(id)),
        version_(std::move(version)),
        news_(std::move(news)) {}

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

  /// Whether heartbeats have got through for as long as it takes to be taken for dead: after an
  /// outage of PostgreSQL the others look dead too, until they have had the time for theirs.
  bool settled() const;

  /// When heartbeats began to get through again, the last time that they had not: what was ours
  /// before may be somebody else's.
  std::chrono::steady_clock::time_point interrupted() const { return interrupted_; }

  /// A heartbeat out of turn, where the news must not wait for the next one. False: another process
  /// has taken our id.
  asio::awaitable<bool> beat();

  /// The time on which all daemons agree, epoch ms: PostgreSQL's, carried on by our steady clock.
  /// Never goes backwards.
  std::int64_t fleet_ms() const;

 private:
  pg::Pool& pool_;
  Clock& clock_;
  std::string id_, version_;
  std::function<MemberNews()> news_;
  std::int64_t epoch_ = 0;
  std::int64_t anchor_ms_ = 0;  // PostgreSQL's time at `anchor_`; 0 = not known yet
  std::chrono::steady_clock::time_point anchor_{};
  std::chrono::steady_clock::duration anchor_error_{};  // at most; how long the asking took
  mutable std::int64_t last_fleet_ms_ = 0;
  std::chrono::steady_clock::time_point confirmed_{};    // when the last beat that counted began
  std::chrono::steady_clock::time_point beaten_{};       // when the last one got through
  std::chrono::steady_clock::time_point interrupted_{};  // when they began to get through again
};

/// SQL: how many daemons live, this one included even if its heartbeat is late.
inline constexpr std::string_view living_daemons_sql =
    "(SELECT greatest(count(*), 1) FROM daemon WHERE seen > clock_timestamp() - interval '6 "
    "seconds')";

/// SQL: true where (owner, epoch) of a row is no living daemon's. `row` is the table's alias.
std::string dead_owner_sql(const std::string& row);

}  // namespace cc
