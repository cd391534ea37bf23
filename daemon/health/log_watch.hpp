// Redis and the streams as this daemon sees them: whether Redis answers, what lies in the streams
// beyond their cursors, how far the whole fleet has drained them.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "dispatch/dispatcher.hpp"
#include "health.hpp"
#include "health/log_health.hpp"
#include "io/redis.hpp"
#include "parts.hpp"

namespace cc {

class LogWatch {
 public:
  LogWatch(Parts parts, const Dispatcher& dispatcher) : parts_(parts), dispatcher_(dispatcher) {}

  /// One pass, for each second or two. Never throws for what Redis and PostgreSQL do.
  asio::awaitable<void> look();

  /// "redis", "streams", "drained".
  std::vector<PartHealth> parts() const;

 private:
  /// A stream of which its owner tells in its cursor's row.
  struct Cursor {
    std::string stream;
    StreamId at;
    std::int64_t drained_ms = 0;
  };
  asio::awaitable<void> read_cursors();
  asio::awaitable<void> ask_redis();

  Parts parts_;
  const Dispatcher& dispatcher_;
  std::shared_ptr<redis::Connection> redis_;
  bool looked_ = false;
  std::vector<Cursor> cursors_;  // of the whole fleet, as read last
  RedisState state_;
  std::vector<StreamBacklog> backlogs_;  // as seen last
};

}  // namespace cc
