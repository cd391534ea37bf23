#include "fleet.hpp"

#include <algorithm>

#include "fleet/membership.hpp"
#include "world.hpp"

namespace model {

void Fleet::start(int id) {
  Daemon& daemon = daemons[static_cast<std::size_t>(id)];
  if (daemon.alive) return;
  if (world_.now < world_.away_until) {
    return world_.at(world_.away_until + 100, [this, id] { start(id); });
  }
  daemon.alive = true;
  ++daemon.incarnation;
  daemon.paused_until = daemon.unconfirmed_until = 0;
  daemon.flushing = false;
  DaemonRow& row = world_.store.daemons[static_cast<std::size_t>(id)];
  daemon.epoch = ++row.epoch;
  world_.note("daemon ", id, " starts, epoch ", daemon.epoch);
}

void Fleet::kill(int id) {
  Daemon& daemon = daemons[static_cast<std::size_t>(id)];
  if (!daemon.alive) return;
  world_.note("daemon ", id, " dies");
  daemon.alive = false;
  ++daemon.incarnation;
  daemon.in_hand.clear();
  daemon.told.clear();
  DaemonRow& row = world_.store.daemons[static_cast<std::size_t>(id)];
  if (daemon.paused_until <= world_.now) row.seen = world_.now - world_.draw.between(0, 2'000);
  const Ms away = world_.draw.chance(800) ? world_.draw.between(200, 12'000)
                                          : world_.draw.between(12'000, 600'000);
  world_.at(world_.now + away, [this, id] { start(id); });
}

void Fleet::pause(int id, Ms how_long) {
  Daemon& daemon = daemons[static_cast<std::size_t>(id)];
  if (!daemon.alive || daemon.paused_until > world_.now) return;
  world_.note("daemon ", id, " stops for ", how_long, " ms");
  DaemonRow& row = world_.store.daemons[static_cast<std::size_t>(id)];
  row.seen = world_.now - world_.draw.between(0, 2'000);
  daemon.paused_until = world_.now + how_long;
  if (how_long > 4'000) {
    daemon.unconfirmed_until = daemon.paused_until + world_.draw.between(0, 2'000);
  }
}

bool Fleet::awake(const Daemon& daemon) const {
  return daemon.alive && daemon.paused_until <= world_.now;
}

int Fleet::any_awake() {
  const int first = static_cast<int>(world_.draw.next() & 1);
  for (const int id : {first, 1 - first}) {
    if (awake(daemons[static_cast<std::size_t>(id)])) return id;
  }
  return -1;
}

void Fleet::at(int id, Ms when, std::function<void(Daemon&)> step) {
  const std::uint64_t incarnation = daemons[static_cast<std::size_t>(id)].incarnation;
  world_.at(when, [this, id, incarnation, step = std::move(step)] {
    Daemon& daemon = daemons[static_cast<std::size_t>(id)];
    if (daemon.incarnation != incarnation) return;
    if (daemon.paused_until > world_.now) return at(id, daemon.paused_until, step);
    step(daemon);
  });
}

bool Fleet::dead_owner(int id, std::int64_t epoch) const {
  if (id < 0) return true;
  const Daemon& daemon = daemons[static_cast<std::size_t>(id)];
  const DaemonRow& row = world_.store.daemons[static_cast<std::size_t>(id)];
  if (row.epoch != epoch) return true;
  const bool beats = awake(daemon) && daemon.unconfirmed_until <= world_.now;
  return !beats && row.seen <= world_.now - cc::dead_after.count();
}

Fleet::Fate Fleet::commit_fate() {
  if (world_.now < world_.away_until) return Fate::failed;
  if (world_.commit_faults == 0 || !world_.draw.chance(world_.commit_faults)) {
    return Fate::committed;
  }
  return world_.draw.chance(500) ? Fate::failed : Fate::answer_lost;
}

bool Fleet::crash_point(Daemon& daemon) {
  if (world_.crash_faults == 0 || !world_.draw.chance(world_.crash_faults)) return false;
  kill(daemon.id);
  return true;
}

/// A seat's session moves to a living daemon when its owner is dead.
void Fleet::spread_seats() {
  for (AgentRow& agent : world_.store.agents) {
    const Vendor& vendor =
        world_.vendors.all[static_cast<std::size_t>(world_.vendors.index_of(agent.channel))];
    if (!vendor.seats || !dead_owner(agent.owner, agent.epoch)) continue;
    const int id = any_awake();
    if (id < 0 || daemons[static_cast<std::size_t>(id)].unconfirmed_until > world_.now) continue;
    agent.owner = id;
    agent.epoch = daemons[static_cast<std::size_t>(id)].epoch;
  }
}

void Fleet::sweep() {
  if (world_.now < world_.away_until || any_awake() < 0) return;
  spread_seats();
  world_.stream.sweep();
  const int first = any_awake();
  for (const int id : {first, 1 - first}) {
    Daemon& daemon = daemons[static_cast<std::size_t>(id)];
    if (awake(daemon) && !crash_point(daemon)) adopt(daemon);
    if (awake(daemon)) pursue(daemon);
  }
  if (any_awake() < 0) return;
  reap();
  world_.store.release_due();
  query();
  reconcile();
}

}  // namespace model
