#include "fleet/membership.hpp"

#include "log.hpp"

namespace cc {
namespace {

constexpr std::string_view join_sql =
    "INSERT INTO daemon AS d (id, epoch, version) VALUES ($1, 1, $2) "
    "ON CONFLICT (id) DO UPDATE SET epoch = d.epoch + 1, seen = clock_timestamp(), "
    "started = clock_timestamp(), version = excluded.version RETURNING epoch";

constexpr std::string_view beat_sql =
    "UPDATE daemon SET seen = clock_timestamp(), spool_since = nullif($3::bigint, 0) "
    "WHERE id = $1 AND epoch = $2 "
    "RETURNING (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms";

// An answer that took longer says little about the time.
constexpr std::int64_t prompt_ms = 500;

constexpr std::string_view leave_sql =
    "UPDATE daemon SET seen = 'epoch' WHERE id = $1 AND epoch = $2";

}  // namespace

asio::awaitable<void> Membership::join() {
  const pg::Rows rows = co_await pool_.query(join_sql, pg::params(id_, version_));
  epoch_ = rows.integer(0, "epoch");
  co_await beat();
}

bool Membership::confirmed() const {
  return epoch_ > 0 && clock_.steady() - confirmed_ < dead_after;
}

asio::awaitable<bool> Membership::beat() {
  const auto begun = clock_.steady();
  const std::int64_t begun_ms = clock_.epoch_ms();
  const pg::Rows rows = co_await pool_.query(beat_sql, pg::params(id_, epoch_, spool_since_()));
  if (rows.empty()) co_return false;
  const std::int64_t ended_ms = clock_.epoch_ms();
  confirmed_ = begun;
  if (ended_ms - begun_ms <= prompt_ms) {
    ahead_ms_ = rows.integer(0, "now_ms") - (begun_ms + ended_ms) / 2;
  }
  co_return true;
}

asio::awaitable<void> Membership::keep() {
  for (;;) {
    co_await clock_.sleep_for(heartbeat_every);
    bool ours = true;
    try {
      ours = co_await beat();
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
