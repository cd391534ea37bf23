#include "recording/scratch.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace cc {
namespace {

constexpr std::size_t piece = std::size_t{256} * 1024;

[[noreturn]] void fail(const std::string& what, int error) {
  throw SourceBroken("scratch file: " + what + ": " +
                     std::error_code(error, std::generic_category()).message());
}

int open_nameless(const std::string& directory) {
  const int descriptor = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0) return descriptor;
  // Not every file system has it.
  std::string name = directory + "/ccd-recording-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named < 0) fail("can't make one in " + directory, errno);
  ::unlink(name.c_str());
  return named;
}

}  // namespace

ScratchFile::ScratchFile(const std::string& directory) : descriptor_(open_nameless(directory)) {}

ScratchFile::~ScratchFile() {
  ::close(descriptor_);
}

void ScratchFile::append(const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::pwrite(descriptor_, bytes, size, static_cast<off_t>(size_));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("can't write", errno);
    bytes += written;
    size -= static_cast<std::size_t>(written);
    size_ += static_cast<std::uint64_t>(written);
  }
}

asio::awaitable<std::shared_ptr<ScratchFile>> keep_in_scratch(FileThread& disk,
                                                              std::string directory,
                                                              ByteSource& source,
                                                              std::uint64_t most) {
  auto open = disk.run([directory] { return std::make_shared<ScratchFile>(directory); });
  std::shared_ptr<ScratchFile> file = co_await std::move(open);
  std::vector<char> buffer(piece);
  for (;;) {
    std::size_t filled = 0;
    for (bool more = true; more && filled < piece;) {
      const std::size_t got = co_await source.read(buffer.data() + filled, piece - filled);
      more = got > 0;
      filled += got;
    }
    if (filled == 0) co_return file;
    if (file->size() + filled > most) {
      throw SourceRefused("the channel's zip is longer than recordings.most allows");
    }
    auto write = disk.run([&] {
      file->append(buffer.data(), filled);
      return true;
    });
    co_await std::move(write);
  }
}

}  // namespace cc
