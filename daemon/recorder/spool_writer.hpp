// Appends deliveries to ccd's spool file: those that wait at the same time share one write and one
// fdatasync. That blocks the loop, so a write is bounded and the next one comes some ms later.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "config.hpp"
#include "io/waiter.hpp"
#include "metrics.hpp"
#include "recorder/spool_stock.hpp"
#include "spool_file.hpp"

namespace cc {

namespace asio = boost::asio;

/// A delivery as it is to be stored.
struct SpoolItem {
  std::string channel;
  std::uint32_t partition_hash = 0;
  std::int64_t received_ms = 0;
  std::string envelope;

  SpoolRecord record() const { return {channel, partition_hash, envelope}; }
};

class SpoolWriter : public std::enable_shared_from_this<SpoolWriter> {
 public:
  /// `stock` and `metrics` must live as long as anybody waits in put().
  SpoolWriter(asio::any_io_executor executor, const Config::Spool& config, SpoolStock& stock,
              Metrics& metrics);
  SpoolWriter(const SpoolWriter&) = delete;

  bool configured() const noexcept { return !config_.directory.empty(); }

  /// Returns when the recording is on disk. Not empty = it isn't, and why. A coroutine that is
  /// destroyed meanwhile takes nothing back: the recording is written all the same.
  asio::awaitable<std::string> put(SpoolItem recording);

  /// Ends the file being written; true if there was one. Whoever replays finds it in the directory.
  bool seal() noexcept;
  /// Nothing waits to be written, and no file is being written.
  bool idle() const noexcept { return waiting_.empty() && file_ == nullptr; }

  /// Why the last write failed; empty = it didn't.
  const std::string& problem() const noexcept { return complaint_; }

 private:
  struct Item {
    SpoolItem recording;
    std::string problem;
    bool done = false;
    Waiter* waiter = nullptr;  // null once its coroutine has gone
  };
  using Batch = std::deque<std::shared_ptr<Item>>;

  void schedule();
  void flush();
  Batch take();
  std::string write(Batch& batch);
  std::string begin_file(std::int64_t created_ms);
  std::string append(Batch& batch);
  void complain(const std::string& problem);

  asio::any_io_executor executor_;
  const Config::Spool config_;
  SpoolStock& stock_;
  Metrics& metrics_;
  SpoolDirectory directory_;
  std::unique_ptr<SpoolFile> file_;
  std::int64_t created_ms_ = 0;  // as `file_`'s name says
  Batch waiting_;
  asio::steady_timer timer_;
  bool scheduled_ = false;
  std::chrono::steady_clock::time_point not_before_{};
  std::string complaint_;
};

}  // namespace cc
