// What lies in ccd's spool directory, whoever wrote it: asked of the directory now and then, kept
// up between.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "metrics.hpp"
#include "spool_file.hpp"

namespace cc {

class SpoolStock {
 public:
  /// Looks at once. An empty directory name: nothing lies anywhere.
  SpoolStock(std::string directory, Metrics& metrics);
  SpoolStock(const SpoolStock&) = delete;

  /// Asks the directory. Where that fails, what was known stays.
  void look();

  /// `bytes` were appended to a file that begins with a delivery of `created_ms`.
  void wrote(std::int64_t created_ms, std::uint64_t bytes);

  /// A file of which everything is in the stream, but which can't be removed: it holds nothing.
  void leave_out(const std::string& path);

  const std::string& directory() const noexcept { return directory_; }
  /// Of all files, those left out as well: they take their room.
  std::uint64_t bytes() const noexcept { return bytes_; }
  /// received-ms of the oldest delivery; 0 = none. 1, as nobody knows, until the directory could be
  /// read once.
  std::int64_t oldest_ms() const noexcept { return oldest_ms_; }

 private:
  void publish();

  std::string directory_;
  Metrics& metrics_;
  std::uint64_t bytes_ = 0;
  std::int64_t oldest_ms_ = 0;
  std::set<std::string> left_out_;  // names
  bool failed_ = false;             // has been said
};

}  // namespace cc
