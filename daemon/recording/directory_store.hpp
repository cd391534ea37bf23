// Recordings in a directory, for machines without OSS: ccd itself gives them out, by signed paths
// (signed_path.hpp). Daemons may share the directory.
#pragma once

#include <atomic>
#include <string>

#include "recording/file_shelf.hpp"
#include "recording/file_thread.hpp"
#include "recording/object_files.hpp"
#include "recording/object_store.hpp"
#include "recording/signed_path.hpp"

namespace cc {

/// Must live as long as any source that open() gave is read.
class DirectoryStore final : public ObjectStore, public FileShelf {
 public:
  /// Touches nothing yet. `public_url`: how clients reach the API; empty = addresses are paths.
  DirectoryStore(std::string directory, std::string public_url, Clock& clock);

  /// At start, blocking: see ObjectFiles::prepare().
  std::optional<Error> prepare() { return files_.prepare(); }

  std::string_view kind() const noexcept override { return "directory"; }
  std::string identity() const override;
  std::string address(const std::string& name, std::int64_t call) const override;
  asio::awaitable<PutResult> put(PutWish wish, ByteSource& source) override;
  asio::awaitable<std::optional<StoreProblem>> abort(std::string name, std::string upload) override;
  asio::awaitable<std::optional<StoreProblem>> remove(std::string name) override;
  SignedUrl signed_url(const SignWish& wish) const override;

  /// What we did not sign, or too long ago, never gets as far as the disk. Throws SourceBroken
  /// where it can't be told.
  asio::awaitable<Verdict> look(std::string target, std::int64_t now_ms, ShelfFile& file) override;
  asio::awaitable<std::unique_ptr<ByteSource>> open(std::string target, std::string etag,
                                                    std::uint64_t first,
                                                    std::uint64_t length) override;

 private:
  asio::awaitable<std::optional<StoreProblem>> fill(ObjectFiles::Draft& draft, const PutWish& wish,
                                                    ByteSource& source, StoredObject& stored);
  asio::awaitable<std::string> key();
  void get_known() const;

  const std::string public_url_;  // without a slash at its end
  mutable ObjectFiles files_;
  mutable std::atomic<bool> getting_known_ = false;
  // Last: nothing of the above goes while they work. Whoever listens need not wait for what is put.
  mutable FileThread reads_, writes_;
};

}  // namespace cc
