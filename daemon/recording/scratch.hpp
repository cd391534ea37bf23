// A file without a name, gone when it is closed: where a zip waits to be unpacked.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "recording/byte_source.hpp"
#include "recording/file_thread.hpp"

namespace cc {

class ScratchFile {
 public:
  /// Blocks. Throws SourceBroken.
  explicit ScratchFile(const std::string& directory);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;

  /// Behind what is there. Blocks. Throws SourceBroken.
  void append(const char* bytes, std::size_t size);

  int descriptor() const noexcept { return descriptor_; }
  std::uint64_t size() const noexcept { return size_; }

 private:
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// All of `source`, `most` bytes at most. Throws SourceBroken.
asio::awaitable<std::shared_ptr<ScratchFile>> keep_in_scratch(FileThread& disk,
                                                              std::string directory,
                                                              ByteSource& source,
                                                              std::uint64_t most);

}  // namespace cc
