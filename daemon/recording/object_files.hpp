// Objects as files below a directory: tenant/2026/11/23/<call>.mp3. POSIX calls only, all of them
// blocking; safe from any thread.
//
// A file gets its name when all of it is on disk; until then it is one in .incoming. In .link-key
// is what signs the paths to the files, in .store-id what tells this directory from any other; both
// made by whoever needs them first and shared by all daemons that share the directory. Symbolic
// links below the directory are not followed.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "io/clock.hpp"
#include "recording/object_store.hpp"
#include "result.hpp"
#include "spool_file.hpp"

namespace cc {

class ObjectFiles {
 public:
  /// Touches nothing. `clock`, by which left-behind files are old, must live as long.
  ObjectFiles(std::string directory, Clock& clock);

  /// Whether there is a directory that can be written to, by nobody else; removes what a crash left
  /// behind, as begin() does now and then. The error names the remedy.
  std::optional<Error> prepare();

  /// 32 bytes, secret; read or made where it is not known yet.
  Result<std::string> link_key();
  /// Of the directory: 32 hexadecimal digits, the same from the first time on. An error where the
  /// directory has become another one, as when it is not mounted any more.
  Result<std::string> id() const;

  /// What of it is known, without a look at the disk.
  std::optional<std::string> known_key() const;
  std::optional<std::string> known_id() const;

  /// A file without a name yet; gone with its Draft unless it was kept.
  class Draft {
   public:
    Draft(const ObjectFiles& files, Descriptor incoming, std::string name, Descriptor file);
    ~Draft();
    Draft(const Draft&) = delete;
    std::optional<StoreProblem> write(std::string_view bytes);
    /// On disk, under this name, instead of what had it before.
    std::optional<StoreProblem> keep(const std::string& name);

   private:
    const ObjectFiles& files_;
    Descriptor incoming_;
    std::string name_;  // in .incoming; empty = it is kept
    Descriptor file_;
    std::uint64_t written_ = 0;
  };
  /// Null: `problem`.
  std::unique_ptr<Draft> begin(StoreProblem& problem) const;

  /// And the directories that are empty then.
  std::optional<StoreProblem> remove(const std::string& name) const;

  struct File {
    Descriptor descriptor;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;  // epoch
  };
  /// No descriptor: there is no such file. Errors: it can't be told, or not be read.
  Result<File> open(const std::string& name) const;

  /// Of is_object_name()'s, those that are not the store's own.
  static bool may_be_called(std::string_view name) noexcept;

 private:
  struct Parents;

  Result<Descriptor> root() const;
  Result<Descriptor> incoming(const Descriptor& root) const;
  Result<std::string> id(const Descriptor& root) const;
  /// The directories that a file of this name is in; an error's errno in `error`.
  std::optional<Parents> parents(const Descriptor& root, const std::string& name, bool make,
                                 int& error) const;
  StoreProblem problem(std::string_view what, int error) const;
  void make_once(const Descriptor& root, const char* name, const std::string& bytes) const;
  Result<std::string> read_key(const Descriptor& root) const;
  Result<std::string> read_id(const Descriptor& root) const;
  /// Empty: nobody else may write to it. Else the remedy.
  std::string owner_trouble(const Descriptor& file, const std::string& name) const;
  void remove_leftovers(const Descriptor& incoming) const;

  const std::string directory_;
  Clock& clock_;
  mutable std::mutex reading_;  // of key and id; held while the disk is asked
  mutable std::mutex mutex_;    // of what follows; never held for long
  std::optional<std::string> key_;
  mutable std::optional<std::string> id_;
  mutable std::optional<std::chrono::steady_clock::time_point> tidied_;
};

}  // namespace cc
