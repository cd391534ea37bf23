#include "fleet/membership.hpp"

#include "log.hpp"

namespace cc {
namespace {

constexpr std::string_view join_sql =
    "INSERT INTO daemon AS d (id, epoch, version) VALUES ($1, 1, $2) "
    "ON CONFLICT (id) DO UPDATE SET epoch = d.epoch + 1, seen = clock_timestamp(), "
    "started = clock_timestamp(), version = excluded.version RETURNING epoch";

constexpr std::string_view beat_sql =
    "UPDATE daemon SET seen = clock_timestamp() WHERE id = $1 AND epoch = $2";

constexpr std::string_view leave_sql =
    "UPDATE daemon SET seen = 'epoch' WHERE id = $1 AND epoch = $2";

}  // namespace

asio::awaitable<void> Membership::join() {
  const pg::Rows rows = co_await pool_.query(join_sql, pg::params(id_, version_));
  epoch_ = rows.integer(0, "epoch");
}

asio::awaitable<void> Membership::keep() {
  for (;;) {
    co_await clock_.sleep_for(heartbeat_every);
    bool ours = true;
    try {
      const pg::Rows rows = co_await pool_.query(beat_sql, pg::params(id_, epoch_));
      ours = rows.affected() == 1;
    } catch (const pg::Failure& failure) {
      log().warn("heartbeat: {}", failure.what());
    }
    if (!ours) co_return;
  }
}

asio::awaitable<void> Membership::leave() {
  co_await pool_.query(leave_sql, pg::params(id_, epoch_));
}

std::string dead_owner_sql(const std::string& row) {
  return "NOT EXISTS (SELECT 1 FROM daemon d WHERE d.id = " + row + ".owner AND d.epoch = " + row +
         ".epoch AND d.seen > clock_timestamp() - interval '" + std::to_string(dead_after.count()) +
         " milliseconds')";
}

}  // namespace cc
