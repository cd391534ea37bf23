// Files that ccd itself gives to whoever has a signed URL: the recordings of a directory store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "recording/byte_source.hpp"

namespace cc {

namespace asio = boost::asio;

struct ShelfFile {
  std::uint64_t size = 0;  // bytes
  std::string content_type;
  std::string file_name;  // for Content-Disposition; empty = none
  std::string etag;       // strong, with its quotes
  std::int64_t modified_ms = 0;
};

class FileShelf {
 public:
  virtual ~FileShelf() = default;

  enum class Verdict : std::uint8_t { good, expired, forged, gone };

  /// Whether `target` ("/v1/files/…?…", path and query as they came) is a URL that signed_url() gave
  /// and whose time is not over; compared in constant time. `file` is filled in if it is good.
  virtual asio::awaitable<Verdict> look(std::string target, std::int64_t now_ms,
                                        ShelfFile& file) = 0;

  /// The bytes [first, first + length) of what look() found good, of which it told `etag`. Throws
  /// SourceBroken where it can't be opened, or is another file by now; the source does where it
  /// can't be read.
  virtual asio::awaitable<std::unique_ptr<ByteSource>> open(std::string target, std::string etag,
                                                            std::uint64_t first,
                                                            std::uint64_t length) = 0;
};

}  // namespace cc
