// Recordings in a bucket of Aliyun OSS (channels.md, "Aliyun OSS"): what fits into one part with
// PutObject, what is longer as a multipart upload, each compared by its CRC-64.
#pragma once

#include "recording/object_store.hpp"
#include "recording/oss_client.hpp"

namespace cc {

/// In memory: one part for each put() under way.
class OssStore final : public ObjectStore {
 public:
  /// `idle`: see OssClient. `http` and `clock` must live as long.
  OssStore(const OssAccount& account, Millis idle, HttpClient& http, Clock& clock);

  std::string_view kind() const noexcept override { return "oss"; }
  std::string identity() const override;
  std::string address(const std::string& name, std::int64_t call) const override;
  /// Before a multipart upload begins, others of the same name are aborted: whoever puts an object
  /// is alone with its name, so they are what a lost answer or a crash left behind.
  asio::awaitable<PutResult> put(PutWish wish, ByteSource& source) override;
  asio::awaitable<std::optional<StoreProblem>> abort(std::string name, std::string upload) override;
  asio::awaitable<std::optional<StoreProblem>> remove(std::string name) override;
  /// Presigned (V4).
  SignedUrl signed_url(const SignWish& wish) const override;

  /// Why nothing could be stored at all as things are configured; read at start.
  std::optional<StoreProblem> credentials_problem();

 private:
  struct Upload;

  asio::awaitable<std::optional<StoreProblem>> fill(Upload& upload);
  asio::awaitable<PutResult> carry(Upload& upload);
  asio::awaitable<PutResult> put_whole(Upload& upload);
  asio::awaitable<PutResult> put_parts(Upload& upload);
  asio::awaitable<std::optional<StoreProblem>> begin(Upload& upload);
  asio::awaitable<std::optional<StoreProblem>> send_part(Upload& upload);
  asio::awaitable<PutResult> complete(Upload& upload);
  asio::awaitable<void> sweep(const std::string& name);
  asio::awaitable<bool> may_finish(const Upload& upload);
  asio::awaitable<PutResult> compare(const Upload& upload, OssAnswer answer);
  asio::awaitable<void> undo(const Upload& upload);

  const std::size_t part_;  // bytes
  const std::string identity_;
  mutable OssClient client_;
};

}  // namespace cc
