// Puts what lies in ccd's spool directory into the streams, whoever wrote it: a file that nobody
// holds is adopted, the oldest first. In order, a batch at a time, at a bounded rate; a file is
// removed when Redis has answered for all of it. What is interrupted begins anew with the file: a
// repeat has the same keys.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "config.hpp"
#include "io/backoff.hpp"
#include "io/clock.hpp"
#include "metrics.hpp"
#include "recorder/spool_stock.hpp"
#include "recorder/spool_writer.hpp"
#include "recorder/streams.hpp"
#include "spool_file.hpp"

namespace cc {

class SpoolReplay {
 public:
  /// All of them must outlive it.
  SpoolReplay(const Config::Spool& config, Streams& streams, SpoolWriter& writer, SpoolStock& stock,
              Clock& clock, Metrics& metrics);

  /// Asks Redis whether it is there, then looks for a file, or replays one batch. Returns how long
  /// to pause. One at a time.
  asio::awaitable<Millis> step();

  /// After the last step nothing was left to replay, and nothing is being spooled.
  bool at_end() const noexcept { return at_end_; }
  /// It is not in the middle of a file.
  bool between_files() const noexcept { return file_ == nullptr; }
  /// Deliveries replayed since this was asked last.
  std::uint64_t take_replayed() noexcept { return std::exchange(replayed_, 0); }

 private:
  bool find_file();
  asio::awaitable<Millis> replay_batch();
  void finish_file();
  void remove_stuck();
  void count_damage();
  void complain(const Error& error);

  const Config::Spool config_;
  Streams& streams_;
  SpoolWriter& writer_;
  SpoolStock& stock_;
  Clock& clock_;
  Metrics& metrics_;
  Backoff backoff_;
  std::unique_ptr<SpoolReader> file_;
  unsigned damage_counted_ = 0;  // of `file_`
  // Done with, but the disk would not let them go. Held, or they would be replayed again.
  std::vector<std::unique_ptr<SpoolReader>> stuck_;
  std::chrono::steady_clock::time_point looked_{};  // for files of others, and the stuck ones
  bool look_again_ = true;
  bool at_end_ = false;
  std::uint64_t replayed_ = 0;
  std::set<std::string> complained_;
};

}  // namespace cc
