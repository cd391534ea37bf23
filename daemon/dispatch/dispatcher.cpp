#include "dispatch/dispatcher.hpp"

#include <algorithm>
#include <set>

#include <boost/asio/co_spawn.hpp>

#include "log.hpp"
#include "spawn.hpp"

namespace cc {
namespace {

constexpr Millis look_every{30'000};

// Whether some living daemon has fewer than the share that all of them can have, and we more.
constexpr std::string_view share_sql =
    "SELECT count(*) FILTER (WHERE c.owner = $1) AS ours, count(*) AS streams, (SELECT count(*) "
    "FROM "
    "daemon WHERE seen > clock_timestamp() - interval '6 seconds') AS living FROM stream_cursor c";

// Of fewer partitions than once, the others still have their cursors; as long as nobody looks after
// them, nobody knows that nothing is left in them.
constexpr std::string_view known_sql =
    "SELECT stream FROM stream_cursor WHERE starts_with(stream, $1)";

}  // namespace

void Dispatcher::start(const std::string& stream, asio::any_io_executor executor) {
  const auto [at, fresh] = partitions_.try_emplace(stream, nullptr);
  if (!fresh) return;
  at->second = std::make_shared<Partition>(parts_, stream);
  spawn(executor, "drain of " + stream, at->second->run(), at->second);
}

asio::awaitable<void> Dispatcher::run() {
  const auto executor = co_await asio::this_coro::executor;
  const std::string& prefix = parts_.config.stream.prefix;
  std::set<std::string> expected;  // or told of
  for (unsigned p = 0; p < parts_.config.stream.partitions; ++p) {
    start(prefix + std::to_string(p), executor);
    expected.insert(prefix + std::to_string(p));
  }
  for (;;) {
    try {
      const pg::Rows known = co_await parts_.pool.query(known_sql, pg::params(prefix));
      for (std::size_t row = 0; row < known.size(); ++row) {
        start(std::string(known.text(row, "stream")), executor);
      }
    } catch (const pg::Failure& failure) {
      log().warn("looking for cursors: {}", failure.what());
    }
    try {
      const auto redis =
          co_await redis::Connection::connect(executor, parts_.config.redis, Millis{3000});
      const std::vector<std::string> found = co_await find_streams(*redis, prefix);
      for (const std::string& stream : found) {
        if (expected.insert(stream).second) {
          log().critical(
              "{} exists in Redis but is beyond stream.partitions = {}; draining it all the same. "
              "Make nginx.conf's cc_stream and cc.yaml agree",
              stream, parts_.config.stream.partitions);
        }
        start(stream, executor);
      }
      parts_.metrics.redis_reachable.Set(1);
    } catch (const redis::Failure& failure) {
      parts_.metrics.redis_reachable.Set(0);
      log().warn("looking for streams: {}", failure.what());
    } catch (const std::runtime_error& error) {
      log().warn("looking for streams: {}", error.what());
    }
    co_await parts_.clock.sleep_for(look_every);
  }
}

asio::awaitable<void> Dispatcher::spread() {
  const pg::Rows rows = co_await parts_.pool.query(share_sql, pg::params(parts_.membership.id()));
  const std::int64_t living = std::max<std::int64_t>(rows.integer(0, "living"), 1);
  const std::int64_t share = (rows.integer(0, "streams") + living - 1) / living;
  if (rows.integer(0, "ours") <= share) co_return;
  for (const auto& [stream, partition] : partitions_) {
    if (!partition->draining()) continue;
    partition->hand_over();
    co_return;  // one at a time: the next look sees what came of it
  }
}

PartHealth Dispatcher::health() const {
  PartHealth health{"dispatcher", !partitions_.empty(), {}};
  for (const auto& [stream, partition] : partitions_) {
    if (!health.says.empty()) health.says += "; ";
    health.says += stream + ": " + partition->says();
    if (!partition->well()) health.ok = false;
  }
  health.grade = health.ok ? Grade::ok : Grade::failing;
  return health;
}

std::vector<Dispatcher::View> Dispatcher::views() const {
  std::vector<View> views;
  for (const auto& [stream, partition] : partitions_) {
    views.push_back({stream, partition->draining(), partition->cursor(), partition->taken(),
                     partition->drained_ms()});
  }
  return views;
}

std::int64_t Dispatcher::drained_ms() const {
  std::int64_t least = 0;
  for (const auto& [stream, partition] : partitions_) {
    if (!partition->draining()) continue;
    least = least == 0 ? partition->drained_ms() : std::min(least, partition->drained_ms());
  }
  return least;
}

}  // namespace cc
