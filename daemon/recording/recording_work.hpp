// Calls' recordings, from the channel into the store: schedules them, takes what is due, never more
// than `at_once` at a time, and looks after what is over (retention, records that are gone).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "health.hpp"
#include "io/http_client.hpp"
#include "parts.hpp"
#include "recording/object_store.hpp"

namespace cc {

class RecordingWork {
 public:
  /// All of them outlive it, and it outlives the loop's coroutines that it has begun. `now_ms`: by
  /// which files are given up and removed, epoch ms; empty = the fleet's time.
  RecordingWork(Parts parts, HttpClient& http, ObjectStore& store, asio::any_io_executor executor,
                std::function<std::int64_t()> now_ms = {});
  ~RecordingWork();
  RecordingWork(const RecordingWork&) = delete;

  /// One pass, each second: gives new rows their time, begins with those that are due. What is
  /// begun goes on by itself. Throws pg::Failure.
  asio::awaitable<void> look();

  /// Begins nothing any more; what is in hand ends at its next piece and gives its row back.
  /// Returns when nothing is in hand, or at `until`: what is left is a dead owner's, once we have
  /// left.
  asio::awaitable<void> stop(std::chrono::steady_clock::time_point until);

  /// Part "recordings".
  PartHealth health() const;

  std::size_t in_hand() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cc
