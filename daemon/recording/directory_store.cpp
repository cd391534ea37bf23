#include "recording/directory_store.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <unistd.h>
#include <utility>

#include "recording/crc64.hpp"

namespace cc {
namespace {

constexpr std::size_t piece = 256 * 1024;  // bytes

StoreProblem name_problem() {
  return {"name", "no object of a directory can be called so", true};
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

/// ".../<call>-ivr.wav": the IVR's file of a call.
bool is_ivr(std::string_view name) {
  const std::string_view leaf = name.substr(name.rfind('/') + 1);
  return leaf.substr(0, leaf.rfind('.')).ends_with("-ivr");
}

std::string etag_of(const ObjectFiles::File& file) {
  return "\"" + std::to_string(file.size) + "-" + std::to_string(file.modified_ns) + "\"";
}

std::optional<SignedPath> read_target(const std::string& key, const std::string& target) {
  std::optional<SignedPath> path = read_signed_path(key, target);
  if (path && !ObjectFiles::may_be_called(path->name)) path.reset();
  return path;
}

/// 0 where the file has become shorter; < 0: -errno.
ssize_t read_at(int file, char* into, std::size_t size, std::uint64_t from) {
  for (;;) {
    const ssize_t got = ::pread(file, into, size, static_cast<off_t>(from));
    if (got >= 0) return got;
    if (errno != EINTR) return -errno;
  }
}

class FileSource final : public ByteSource {
 public:
  FileSource(FileThread& thread, ObjectFiles::File file, std::uint64_t first, std::uint64_t length)
      : thread_(thread), file_(std::move(file)), at_(first), end_(first + length) {}

  asio::awaitable<std::size_t> read(char* into, std::size_t size) override {
    if (at_ == end_ || size == 0) co_return 0;
    const auto most =
        static_cast<std::size_t>(std::min<std::uint64_t>({std::uint64_t{size}, piece, end_ - at_}));
    const auto work = [this, into, most] {
      return read_at(file_.descriptor.get(), into, most, at_);
    };
    const ssize_t got = co_await thread_.run(work);
    if (got < 0) {
      throw SourceBroken("a file can't be read: " +
                         std::string(std::strerror(static_cast<int>(-got))));
    }
    if (got == 0) throw SourceBroken("a file is shorter than it was");
    at_ += static_cast<std::uint64_t>(got);
    co_return static_cast<std::size_t>(got);
  }

 private:
  FileThread& thread_;
  ObjectFiles::File file_;
  std::uint64_t at_;
  const std::uint64_t end_;
};

}  // namespace

DirectoryStore::DirectoryStore(std::string directory, std::string public_url, Clock& clock)
    : public_url_(without_slash(std::move(public_url))), files_(std::move(directory), clock) {}

std::string DirectoryStore::identity() const {
  const std::optional<std::string> id = files_.known_id();
  if (id) return "directory:" + *id;
  get_known();
  return {};
}

std::string DirectoryStore::address(const std::string& name, std::int64_t call) const {
  return public_url_ + "/v1/calls/" + std::to_string(call) + "/recording" +
         (is_ivr(name) ? "?file=ivr" : "");
}

asio::awaitable<PutResult> DirectoryStore::put(PutWish wish, ByteSource& source) {
  PutResult result;
  if (!ObjectFiles::may_be_called(wish.name)) {
    result.problem = name_problem();
    co_return result;
  }
  const auto begin = [&] {
    auto begun = files_.begin(result.problem);
    if (begun != nullptr) (void)files_.link_key();  // links to it are wanted next
    return begun;
  };
  std::unique_ptr<ObjectFiles::Draft> draft = co_await writes_.run(begin);
  if (draft == nullptr) co_return result;
  StoredObject stored;
  std::optional<StoreProblem> problem;
  std::exception_ptr thrown;
  try {
    problem = co_await fill(*draft, wish, source, stored);
    if (!problem && wish.may_finish) {
      auto asking = wish.may_finish();
      const bool may = co_await std::move(asking);
      if (!may) problem = lost_problem();
    }
  } catch (...) {
    thrown = std::current_exception();
  }
  const auto end = [&] {
    std::optional<StoreProblem> trouble;
    if (!problem && thrown == nullptr) trouble = draft->keep(wish.name);
    draft.reset();
    return trouble;
  };
  std::optional<StoreProblem> trouble = co_await writes_.run(end);
  if (thrown) std::rethrow_exception(thrown);
  if (!problem) problem = std::move(trouble);
  if (problem) {
    result.problem = *std::move(problem);
  } else {
    result.stored = stored;
  }
  co_return result;
}

asio::awaitable<std::optional<StoreProblem>> DirectoryStore::fill(ObjectFiles::Draft& draft,
                                                                  const PutWish& wish,
                                                                  ByteSource& source,
                                                                  StoredObject& stored) {
  std::string buffer(piece, '\0');
  Crc64 crc;
  for (;;) {
    const std::size_t got = co_await source.read(buffer.data(), buffer.size());
    if (got == 0) break;
    if (got > wish.most - stored.size) {
      StoreProblem problem{"too_large", "it is longer than " + std::to_string(wish.most) + " bytes",
                           false};
      co_return problem;
    }
    stored.size += got;
    const auto write = [&] {
      const std::string_view bytes(buffer.data(), got);
      crc.add(bytes);
      return draft.write(bytes);
    };
    std::optional<StoreProblem> problem = co_await writes_.run(write);
    if (problem) co_return problem;
  }
  stored.crc64 = crc.value();
  if (stored.size == 0) {
    StoreProblem problem{"empty", "there is not one byte in it", false};
    co_return problem;
  }
  co_return std::nullopt;
}

asio::awaitable<std::optional<StoreProblem>> DirectoryStore::abort(std::string, std::string) {
  co_return std::nullopt;  // it has no uploads
}

asio::awaitable<std::optional<StoreProblem>> DirectoryStore::remove(std::string name) {
  if (!ObjectFiles::may_be_called(name)) co_return name_problem();
  const auto work = [&] { return files_.remove(name); };
  co_return co_await writes_.run(work);
}

/// So that it is known next time; the disk is never asked on the loop.
void DirectoryStore::get_known() const {
  if (getting_known_.exchange(true)) return;
  reads_.post([this] {
    try {
      (void)files_.link_key();
      (void)files_.id();
    } catch (const std::exception&) {
      // Whoever needs it tells.
    }
    getting_known_ = false;
  });
}

SignedUrl DirectoryStore::signed_url(const SignWish& wish) const {
  const std::optional<std::string> key = files_.known_key();
  if (!key) {
    get_known();
    throw StoreAway(
        "recordings.directory: its key that signs links is not known; the log says why it could "
        "not be used at start, and ccd reads it again now");
  }
  const std::int64_t expires_s = wish.now_ms / 1000 + std::max(wish.ttl, 1);
  return {make_signed_path(*key, {wish.name, expires_s, wish.content_type, wish.file_name}),
          expires_s * 1000};
}

/// Asks the disk for it only where nobody else does so already.
asio::awaitable<std::string> DirectoryStore::key() {
  std::optional<std::string> known = files_.known_key();
  if (known) co_return *std::move(known);
  if (getting_known_.exchange(true)) throw SourceBroken("the key that signs links is being read");
  const auto work = [this] {
    struct End {
      std::atomic<bool>& flag;
      ~End() { flag = false; }
    } const end{getting_known_};
    return files_.link_key();
  };
  Result<std::string> key = co_await reads_.run(work);
  if (!key) throw SourceBroken(key.error().message);
  co_return *std::move(key);
}

asio::awaitable<FileShelf::Verdict> DirectoryStore::look(std::string target, std::int64_t now_ms,
                                                         ShelfFile& file) {
  auto getting = key();
  const std::string signing = co_await std::move(getting);
  const std::optional<SignedPath> path = read_target(signing, target);
  if (!path) co_return Verdict::forged;
  if (now_ms / 1000 >= path->expires_s) co_return Verdict::expired;
  const auto work = [&] {
    const Result<ObjectFiles::File> found = files_.open(path->name);
    if (!found) throw SourceBroken(found.error().message);
    if (!found->descriptor) return Verdict::gone;
    file = {found->size, path->content_type, path->file_name, etag_of(*found),
            found->modified_ns / 1'000'000};
    return Verdict::good;
  };
  co_return co_await reads_.run(work);
}

asio::awaitable<std::unique_ptr<ByteSource>> DirectoryStore::open(std::string target,
                                                                  std::string etag,
                                                                  std::uint64_t first,
                                                                  std::uint64_t length) {
  auto getting = key();
  const std::string signing = co_await std::move(getting);
  const std::optional<SignedPath> path = read_target(signing, target);
  if (!path) throw SourceBroken("a file is asked for by a path that was not signed");
  const auto work = [&]() -> ObjectFiles::File {
    Result<ObjectFiles::File> found = files_.open(path->name);
    if (!found) throw SourceBroken(found.error().message);
    if (!found->descriptor) throw SourceBroken("a file is not there any more");
    if (etag_of(*found) != etag) throw SourceBroken("a file is another one by now");
    if (first > found->size || length > found->size - first) {
      throw SourceBroken("a file is shorter than it was");
    }
    return *std::move(found);
  };
  ObjectFiles::File file = co_await reads_.run(work);
  co_return std::make_unique<FileSource>(reads_, std::move(file), first, length);
}

}  // namespace cc
