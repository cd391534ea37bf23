// One partition's drain: reads its stream after the cursor and commits batch by batch, while this
// daemon owns it (rules.md, "Draining: exactly once").
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "dispatch/batch.hpp"
#include "dispatch/stream.hpp"
#include "io/backoff.hpp"
#include "io/redis.hpp"
#include "parts.hpp"

namespace cc {

/// How far a partition is drained after a batch whose oldest delivery was received at `oldest_ms`
/// (0 = none could be read) and that was asked for at `asked_ms` by our own clock. Never back, and
/// never ahead of our clock, whatever an NGINX with a wrong one has written: living calls would
/// look silent.
constexpr std::int64_t drained_after(std::int64_t drained_ms, std::int64_t oldest_ms,
                                     std::int64_t asked_ms) noexcept {
  return oldest_ms == 0 ? drained_ms : std::max(drained_ms, std::min(oldest_ms, asked_ms));
}

class Partition {
 public:
  Partition(Parts parts, std::string stream);

  /// Until cancelled. Failures of Redis and PostgreSQL are logged and waited out.
  asio::awaitable<void> run();

  /// Gives the partition up after the batch under way, for another daemon to take.
  void hand_over() noexcept { handing_over_ = true; }

  const std::string& stream() const noexcept { return hold_.stream; }
  bool draining() const noexcept { return draining_; }
  /// Drained by us, or by another daemon.
  bool well() const noexcept { return draining_ || elsewhere_; }
  /// All that was received before this (epoch ms) is in the records.
  std::int64_t drained_ms() const noexcept { return drained_ms_; }
  const std::string& says() const noexcept { return says_; }
  /// Committed up to here, while it is ours.
  StreamId cursor() const noexcept { return position_.cursor; }
  /// How many entries the stream had taken up to the cursor; nothing before it was once read to its
  /// end.
  std::optional<std::int64_t> taken() const noexcept { return taken_; }

 private:
  asio::awaitable<void> serve();  // one Redis connection's life
  asio::awaitable<bool> take();
  asio::awaitable<void> check(redis::Connection& redis);
  asio::awaitable<void> drain(redis::Connection& redis);
  asio::awaitable<void> commit(std::span<const StreamEntry> entries, std::int64_t asked_ms);
  /// False where two records had to become one first: understand the entries and commit them again.
  asio::awaitable<bool> commit_as(std::span<const StreamEntry> entries, Batch batch,
                                  bool merges_first, std::int64_t asked_ms);
  asio::awaitable<void> unite(Merge merge);
  asio::awaitable<void> observe(redis::Connection& redis);
  asio::awaitable<void> trim(redis::Connection& redis);
  asio::awaitable<void> note_cursor(redis::Connection& redis);
  asio::awaitable<void> store_position();
  asio::awaitable<void> release();

  Parts parts_;
  CursorHold hold_;
  StreamPosition position_;
  StreamPosition stored_;
  std::optional<StreamId> noted_;  // the cursor as Redis has it noted, if we know
  Backoff backoff_{Millis{100}, Millis{5000}};
  std::chrono::steady_clock::time_point observed_{}, trimmed_{};
  std::int64_t drained_ms_ = 0;
  std::optional<std::int64_t> taken_;
  bool owned_ = false, draining_ = false, handing_over_ = false;
  bool elsewhere_ = false;  // another daemon drains it
  std::string says_ = "starting";
};

}  // namespace cc
