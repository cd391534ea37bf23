// Spool files on disk. POSIX calls only, all of them blocking: the callers bound how much they ask
// for at a time.
//
// A file belongs to the process that holds its lock (flock): its writer, or whoever replays it. The
// kernel lets go of a dead process's lock, which is how its file is adopted. A file gets its name,
// <created ms>-<writer>-<salt>.spool, only when its first records are on disk and it is locked;
// until then it is called .new and nobody looks at it. One that could not be read whole ends as
// .damaged, for people to look at.
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

/// Messages of this part begin alike for like trouble, whatever file it is about: this is that
/// beginning, by which repeats are known.
std::string_view trouble_kind(std::string_view message) noexcept;

/// A spool file with records to be replayed. Holds its lock.
class SpoolReader {
 public:
  struct Adoption {
    std::unique_ptr<SpoolReader> reader;  // null: it is somebody's, or cannot be read
    Error trouble;                        // empty where it is somebody's, or has gone
    bool put_aside = false;               // it was no spool file and is .damaged now
    bool no_descriptor = false;           // the process is out of them: no sense in trying others
  };

  /// The file if nobody holds it. One of a newer version, or one that cannot be read just now, is
  /// left as it is.
  static Adoption adopt(const std::string& directory, const std::string& name);

  /// The next records, at most `most` and about `bytes`, from the place that confirm() has reached;
  /// fewer, and none at the file's end. Views are valid until the next call. A place that the disk
  /// does not give back is damage.
  /// Errors: the file cannot be read, for another reason than that.
  Result<std::vector<SpoolRecord>> read(std::size_t most, std::size_t bytes);

  /// The first `count` of the records last read are safe elsewhere.
  void confirm(std::size_t count);

  /// Nothing is left: all has been confirmed.
  bool finished() const noexcept { return finished_; }

  /// Removes the file, or keeps it as .damaged if something of it was unreadable. A torn last entry
  /// alone was never answered for and is no reason to keep it.
  /// Errors: neither is possible; the lock is still held, so that nobody else replays it again.
  Result<bool> remove();

  /// Places that held no record, so far; a torn last entry included.
  unsigned damaged() const noexcept {
    return damaged_within_ + (end_ == End::torn || end_ == End::damaged ? 1U : 0U);
  }
  const std::string& path() const noexcept { return path_; }
  std::int64_t created_ms() const noexcept { return created_ms_; }

 private:
  enum class End { unknown, clean, torn, damaged };

  struct Place {
    std::uint64_t end;        // in the file, behind this record
    unsigned damaged_before;  // places skipped since the record before it
  };

  SpoolReader(std::string path, std::int64_t created_ms, Descriptor file);
  /// Returns whether it is a spool file at all.
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
  End end_ = End::unknown;  // how the file ends behind its last record
  std::uint64_t size_ = 0;
};

/// A directory of spool files, opened once, so that it can be written to where no descriptor is
/// left but one.
class SpoolDirectory {
 public:
  explicit SpoolDirectory(std::string path) : path_(std::move(path)) {}
  const std::string& path() const noexcept { return path_; }
  /// Errors: it cannot be opened.
  Result<bool> open();
  /// Makes the names in it durable.
  Result<bool> sync();

 private:
  std::string path_;
  Descriptor file_;
};

/// A spool file that this process appends to. Once it is destroyed anybody may adopt the file.
class SpoolFile {
 public:
  /// Begins one, not yet named and without records. `created_ms`: received-ms of the oldest
  /// delivery that it will hold first. `writer` is part of its name, so [a-z0-9-] only.
  /// `directory` must outlive it.
  static Result<std::unique_ptr<SpoolFile>> create(SpoolDirectory& directory,
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
  /// what it could not write. The file of a writer that was abandoned so is replayed as any other.
  Result<bool> append(std::string_view records);

  bool usable() const noexcept { return usable_; }

 private:
  SpoolFile(SpoolDirectory& directory, std::string path, std::uint64_t salt, Descriptor file);
  Result<bool> write_whole(std::string_view bytes);
  Result<bool> give_name();
  std::string new_path() const { return path_ + ".new"; }

  SpoolDirectory& directory_;
  std::string path_;
  std::uint64_t salt_;
  Descriptor file_;
  std::uint64_t bytes_ = 0;  // known to be whole records
  bool named_ = false;
  bool usable_ = true;
};

}  // namespace cc
