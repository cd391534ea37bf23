#include "fleet/membership.hpp"

#include <algorithm>
#include <utility>

#include "log.hpp"

namespace cc {
namespace {

constexpr std::string_view join_sql =
    "INSERT INTO daemon AS d (id, epoch, version) VALUES ($1, 1, $2) "
    "ON CONFLICT (id) DO UPDATE SET epoch = d.epoch + 1, seen = clock_timestamp(), "
    "started = clock_timestamp(), version = excluded.version RETURNING epoch";

constexpr std::string_view beat_sql =
    "UPDATE daemon SET seen = clock_timestamp(), spool_since = nullif($3::bigint, 0), "
    "keeps_lines = $4 "
    "WHERE id = $1 AND epoch = $2 "
    "RETURNING (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms";

// Between two heartbeats: one did not get through.
constexpr Millis interruption{3500};

// After so long a worse measurement is taken too: clocks drift.
constexpr std::chrono::minutes anchor_age{5};

constexpr std::string_view leave_sql =
    "UPDATE daemon SET seen = 'epoch', keeps_lines = false, spool_since = nullif($3::bigint, 0) "
    "WHERE id = $1 AND epoch = $2";

}  // namespace

asio::awaitable<void> Membership::join() {
  const pg::Rows rows = co_await pool_.query(join_sql, pg::params(id_, version_));
  epoch_ = rows.integer(0, "epoch");
  co_await beat();
}

bool Membership::confirmed() const {
  return epoch_ > 0 && clock_.steady() - confirmed_ < dead_after;
}

bool Membership::settled() const {
  return confirmed() && clock_.steady() - interrupted_ >= dead_after;
}

asio::awaitable<bool> Membership::beat() {
  const auto begun = clock_.steady();
  const MemberNews news = news_();
  const pg::Rows rows = co_await pool_.query(
      beat_sql, pg::params(id_, epoch_, news.spool_since_ms, news.keeps_lines));
  if (rows.empty()) co_return false;
  // By when they got through: one that waited for PostgreSQL to come back was begun in time.
  const auto ended = clock_.steady();
  const bool before = beaten_ != std::chrono::steady_clock::time_point{};
  if (before && ended - std::exchange(beaten_, ended) > interruption) interrupted_ = ended;
  beaten_ = ended;
  confirmed_ = begun;
  const auto took = clock_.steady() - begun;
  if (anchor_ms_ == 0 || took <= anchor_error_ || begun - anchor_ > anchor_age) {
    anchor_ms_ = rows.integer(0, "now_ms");
    anchor_ = begun + took / 2;
    anchor_error_ = took;
  }
  co_return true;
}

std::int64_t Membership::fleet_ms() const {
  std::int64_t now_ms = clock_.epoch_ms();
  if (anchor_ms_ != 0) {
    now_ms = anchor_ms_ + std::chrono::duration_cast<Millis>(clock_.steady() - anchor_).count();
  }
  last_fleet_ms_ = std::max(last_fleet_ms_, now_ms);
  return last_fleet_ms_;
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
  const MemberNews news = news_();
  co_await pool_.query(leave_sql, pg::params(id_, epoch_, news.spool_since_ms));
}

std::string dead_owner_sql(const std::string& row) {
  return "NOT EXISTS (SELECT 1 FROM daemon d WHERE d.id = " + row + ".owner AND d.epoch = " + row +
         ".epoch AND d.seen > clock_timestamp() - interval '" + std::to_string(dead_after.count()) +
         " milliseconds')";
}

}  // namespace cc
