// Spool files on disk. POSIX calls only, all of them blocking: the callers bound how much they ask
// for at a time.
//
// A file belongs to the process that holds its lock (flock): its writer, or whoever replays it. The
// kernel lets go of a dead process's lock, which is how its file is adopted. A file gets its name,
// <created ms>-<writer>-<n>.spool, only when its first records are on disk and it is locked; until
// then it is called .new and nobody looks at it. One that could not be read whole ends as .damaged,
// for people to look at.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "result.hpp"
#include "spool_format.hpp"

namespace cc {

/// An open file descriptor; closes it.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  void close() noexcept;

 private:
  int fd_;
};

struct SpoolEntry {
  std::string name;             // within the directory
  std::int64_t created_ms = 0;  // received-ms of its oldest delivery when it was made
  std::uint64_t bytes = 0;
};

struct SpoolListing {
  std::vector<SpoolEntry> files;  // oldest first; those in use as well
  std::uint64_t bytes = 0;        // of `files`
  unsigned damaged = 0;           // .damaged files
};

/// Errors: the directory cannot be read.
Result<SpoolListing> list_spool(const std::string& directory);

/// A spool file with records to be replayed. Holds its lock.
class SpoolReader {
 public:
  /// The file if nobody holds it; null if somebody does, or if it has gone meanwhile.
  /// Errors: it cannot be opened; its header is unreadable (then it has become .damaged).
  static Result<std::unique_ptr<SpoolReader>> adopt(const std::string& directory,
                                                    const std::string& name);

  /// The next records, at most `most` and about `bytes`, from the place that confirm() has reached;
  /// fewer, and none at the file's end. Views are valid until the next call.
  /// Errors: the file cannot be read.
  Result<std::vector<SpoolRecord>> read(std::size_t most, std::size_t bytes);

  /// The first `count` of the records last read are safe elsewhere.
  void confirm(std::size_t count);

  /// Nothing is left: all has been confirmed.
  bool finished() const noexcept { return finished_; }

  /// Removes the file, or keeps it as .damaged if something within was unreadable. A torn last
  /// entry alone was never answered for and is no reason to keep it.
  Result<bool> remove();

  /// Places that held no record, so far; a torn last entry included.
  unsigned damaged() const noexcept { return damaged_within_ + (torn_end_ ? 1U : 0U); }
  const std::string& path() const noexcept { return path_; }
  std::int64_t created_ms() const noexcept { return created_ms_; }

 private:
  struct Place {
    std::uint64_t end;        // in the file, behind this record
    unsigned damaged_before;  // places skipped since the record before it
  };

  SpoolReader(std::string path, std::int64_t created_ms, Descriptor file);
  Result<bool> read_header();
  Result<std::size_t> fill(std::size_t wanted);

  std::string path_;
  std::int64_t created_ms_;
  Descriptor file_;
  std::uint64_t salt_ = 0;
  std::uint64_t confirmed_ = 0;  // offset in the file
  std::string buffer_;           // of the file from `confirmed_` on
  bool at_end_ = false;          // `buffer_` reaches the file's end
  std::vector<Place> places_;    // of the records last read
  bool finished_ = false;
  unsigned damaged_within_ = 0;
  unsigned trailing_damage_ = 0;  // behind the last record read
  bool torn_end_ = false;
};

/// A spool file that this process appends to. Once it is destroyed anybody may adopt the file.
class SpoolFile {
 public:
  /// Begins one, not yet named and without records. `created_ms`: received-ms of the oldest
  /// delivery that it will hold first. `writer` is part of its name, so [a-z0-9-] only.
  static Result<std::unique_ptr<SpoolFile>> create(const std::string& directory,
                                                   const std::string& writer,
                                                   std::int64_t created_ms);
  ~SpoolFile();
  SpoolFile(const SpoolFile&) = delete;

  std::uint64_t salt() const noexcept { return salt_; }
  std::uint64_t bytes() const noexcept { return bytes_; }
  const std::string& path() const noexcept { return path_; }

  /// Appends whole records and puts them on disk, the file's name too if it is new; only then they
  /// may be answered for. After an error none of them may, and usable() says whether another try
  /// makes sense in this file: never after a failed fdatasync, as the kernel may have forgotten
  /// what it could not write.
  Result<bool> append(std::string_view records);

  bool usable() const noexcept { return usable_; }

 private:
  SpoolFile(std::string directory, std::string path, std::int64_t created_ms, std::uint64_t salt,
            Descriptor file);
  Result<bool> write_whole(std::string_view bytes);
  Result<bool> give_name();
  std::string new_path() const { return path_ + ".new"; }

  std::string directory_;
  std::string path_;
  std::int64_t created_ms_;
  std::uint64_t salt_;
  Descriptor file_;
  std::uint64_t bytes_ = 0;  // known to be whole records
  bool named_ = false;
  bool usable_ = true;
};

}  // namespace cc
