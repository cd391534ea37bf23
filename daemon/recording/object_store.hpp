// Where recordings lie: Aliyun OSS (oss_store.hpp) or a directory of this machine's
// (directory_store.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "recording/byte_source.hpp"

namespace cc {

namespace asio = boost::asio;

/// What is complete in the store.
struct StoredObject {
  std::uint64_t size = 0;   // bytes
  std::uint64_t crc64 = 0;  // ECMA-182 as OSS has it; the store's own answer agreed
};

/// Why the store could not do it. For logs, metrics and operators: no secret, no signed URL.
struct StoreProblem {
  std::string code;     // OSS's error code, or "network", "crc", "disk", …
  std::string message;  // with OSS's request id, where there is one
  bool refused = false;  // it will be refused again until somebody changes something (credentials,
                         // bucket, permissions, clock)
};

struct PutWish {
  std::string name;          // of the object: "tenant/2026/11/23/<call>.mp3"
  std::string content_type;  // "audio/mpeg"
  std::uint64_t most = UINT64_MAX;  // bytes; a longer one is refused as "too_large"
  /// Told of a multipart upload before its first part leaves, so that whoever goes on after a crash
  /// can abort it. Not told of what needs none.
  std::function<asio::awaitable<void>(const std::string& upload)> begun;
  /// Asked right before the object gets its name, and before one that came out wrong is removed:
  /// whether whoever puts it is still alone with the name. False: nothing is done, the problem is
  /// "lost". Empty = it always is.
  std::function<asio::awaitable<bool>()> may_finish;
};

/// Of a put that may_finish() said no to.
inline StoreProblem lost_problem() {
  return {"lost", "whoever put it is not alone with its name any more", false};
}

struct PutResult {
  std::optional<StoredObject> stored;
  StoreProblem problem;  // where it is not stored
};

struct SignWish {
  std::string name;
  std::int64_t now_ms = 0;
  int ttl = 300;           // seconds
  std::string file_name;   // what a browser shall call it; empty = as the store does
  std::string content_type;
};

struct SignedUrl {
  std::string url;
  std::int64_t expires_ms = 0;  // epoch; sooner than wished where what signs it ends sooner
};

/// A way to an object can't be given now: no key or credentials to sign with, or it lies in another
/// store. what() is for logs, and names the remedy.
class StoreAway : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  virtual std::string_view kind() const noexcept = 0;  // "oss", "directory"

  /// Tells this store from any other, for ever and on all machines: "oss:<bucket>/<prefix>",
  /// "directory:<its id>"; at most 200 characters. Empty = not known yet, as it can't be read.
  virtual std::string identity() const = 0;

  /// For the record's audio_url: where the object is, without any signature. `call` as in the API.
  virtual std::string address(const std::string& name, std::int64_t call) const = 0;

  /// Reads `source` to its end in constant memory. An object of this name is there whole afterwards,
  /// or not at all (an older one may still be). What the source throws passes through, after what
  /// was begun has been undone.
  virtual asio::awaitable<PutResult> put(PutWish wish, ByteSource& source) = 0;

  /// Undoes a multipart upload that somebody left behind; fine if there is none any more.
  virtual asio::awaitable<std::optional<StoreProblem>> abort(std::string name,
                                                             std::string upload) = 0;

  /// Fine if there is none. Not fine if this is not the store that it was.
  virtual asio::awaitable<std::optional<StoreProblem>> remove(std::string name) = 0;

  /// A URL by which anybody can GET the object, ranges too, until now + ttl. From the store itself,
  /// or a path of ccd's own API ("/v1/files/…"), to be put behind whatever leads there. Throws
  /// StoreAway.
  virtual SignedUrl signed_url(const SignWish& wish) const = 0;
};

}  // namespace cc
