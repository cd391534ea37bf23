// A file without a name, gone when it is closed: where a zip waits to be unpacked. Disk work goes to
// a thread of its own: a full disk may take seconds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "recording/byte_source.hpp"

namespace cc {

/// Runs `work` in a thread of the pool's; goes on here with what it returns or throws.
template <class Work>
auto on_disk(asio::thread_pool& pool, Work work) -> asio::awaitable<decltype(work())> {
  using Gained = decltype(work());
  const auto run = [](Work its_work) -> asio::awaitable<Gained> { co_return its_work(); };
  auto running = asio::co_spawn(pool, run(std::move(work)), asio::use_awaitable);
  co_return co_await std::move(running);
}

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
asio::awaitable<std::shared_ptr<ScratchFile>> keep_in_scratch(asio::thread_pool& pool,
                                                              std::string directory,
                                                              ByteSource& source,
                                                              std::uint64_t most);

}  // namespace cc
