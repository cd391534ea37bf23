#include "recording/unpack.hpp"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <cstring>
#include <unistd.h>
#include <vector>

#include "channel/audio_kind.hpp"
#include "recording/wav_join.hpp"

namespace cc {
namespace {

constexpr std::size_t most_entries = 1000;
constexpr std::size_t piece = std::size_t{64} * 1024;
constexpr std::size_t most_read = 4 * piece;  // the thread has others to serve

/// A zip read from its beginning, entry by entry. All of it blocks.
class ZipReader {
 public:
  explicit ZipReader(std::shared_ptr<ScratchFile> file) : file_(std::move(file)) { rewind(); }

  /// The next file's name, of whatever kind; null behind the last one.
  archive_entry* next() {
    archive_entry* entry = nullptr;
    const int code = archive_read_next_header(archive_.get(), &entry);
    if (code == ARCHIVE_EOF) return nullptr;
    if (code < ARCHIVE_WARN) fail();
    ++at_;
    return entry;
  }

  /// Behind next() of the entry of this number.
  void go_to(std::size_t number) {
    if (number < at_) rewind();
    while (at_ <= number) {
      if (next() == nullptr) throw SourceBroken("the channel's zip is damaged");
    }
  }

  std::size_t read(char* into, std::size_t size) {
    const la_ssize_t got = archive_read_data(archive_.get(), into, size);
    if (got < 0) fail();
    return static_cast<std::size_t>(got);
  }

 private:
  struct Close {
    void operator()(archive* open) const { archive_read_free(open); }
  };

  void rewind() {
    archive_.reset(archive_read_new());
    at_ = 0;
    // Zip only: the fewer formats the fewer surprises. Descriptors share their place.
    ::lseek(file_->descriptor(), 0, SEEK_SET);
    if (archive_ == nullptr || archive_read_support_format_zip(archive_.get()) != ARCHIVE_OK ||
        archive_read_open_fd(archive_.get(), file_->descriptor(), piece) != ARCHIVE_OK) {
      fail();
    }
  }

  // Its own words may hold names of files, which may hold numbers.
  [[noreturn]] static void fail() {
    throw SourceBroken("the channel's zip is damaged or encrypted");
  }

  std::shared_ptr<ScratchFile> file_;
  std::unique_ptr<archive, Close> archive_;
  std::size_t at_ = 0;  // the number of the entry that next() gives
};

/// A file in the zip, and the part of it that is wanted.
struct Part {
  std::size_t number = 0;  // its place in the zip
  std::string name;
  std::uint64_t size = 0;
  std::string begin;
  std::uint64_t skip = 0, take = 0;
};

/// Reads everything once: sizes in a zip may be lies.
std::vector<Part> look_through(ZipReader& zip, std::uint64_t most) {
  std::vector<Part> parts;
  std::vector<char> buffer(piece);
  std::uint64_t total = 0;
  std::size_t number = 0;
  for (archive_entry* entry = zip.next(); entry != nullptr; entry = zip.next(), ++number) {
    if (number >= most_entries) throw SourceRefused("the channel's zip has more than 1000 entries");
    if (archive_entry_filetype(entry) != AE_IFREG) continue;
    Part part;
    part.number = number;
    const char* const name = archive_entry_pathname(entry);
    part.name = name != nullptr ? name : "";
    const std::size_t looked_at = parts.empty() ? wav_begin : 4096;  // not 1000 times 64 KB
    for (std::size_t got = zip.read(buffer.data(), piece); got > 0;
         got = zip.read(buffer.data(), piece)) {
      part.begin.append(buffer.data(), std::min(got, looked_at - part.begin.size()));
      part.size += got;
      total += got;
      if (total > most) {
        throw SourceRefused("the channel's zip holds more than recordings.most allows");
      }
    }
    part.take = part.size;
    parts.push_back(std::move(part));
  }
  return parts;
}

struct Plan {
  std::string header;
  std::vector<Part> parts;
  bool padded = false;  // one byte more behind them
  std::string content_type, extension;
};

Plan one_file(std::vector<Part> parts) {
  Plan plan;
  const auto kind = audio_kind(parts.front().begin);
  plan.content_type = kind ? kind->content_type : "application/octet-stream";
  plan.extension = kind ? kind->extension : ".bin";
  plan.parts = std::move(parts);
  return plan;
}

Plan joined(std::vector<Part> parts) {
  const std::string count = std::to_string(parts.size());
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& a, const Part& b) { return a.name < b.name; });
  std::optional<WavShape> first;
  std::size_t strangers = 0;
  std::uint64_t total = 0;
  bool alike = true;
  for (Part& part : parts) {
    const std::optional<WavShape> shape = read_wav(part.begin);
    if (!shape || !can_join(*shape)) {
      ++strangers;
      continue;
    }
    if (!first) first = shape;
    alike = alike && shape->format == first->format;
    part.skip = shape->data_at;
    part.take = shape->samples_of(part.size);
    total += part.take;
  }
  if (strangers > 0) {
    throw SourceBroken("a zip of " + count + " files of which " + std::to_string(strangers) +
                       (strangers == 1 ? " is" : " are") + " no A-law, \xC2\xB5-law or PCM WAV");
  }
  if (!alike) throw SourceBroken("a zip of " + count + " WAV files of different formats");
  Plan plan;
  std::optional<std::string> header = wav_header(*first, total);
  if (!header) throw SourceBroken("a zip of " + count + " WAV files too long for one of 4 GB");
  plan.header = *std::move(header);
  plan.padded = total % 2 == 1;
  plan.content_type = "audio/wav";
  plan.extension = ".wav";
  plan.parts = std::move(parts);
  return plan;
}

Plan make_plan(ZipReader& zip, std::uint64_t most) {
  std::vector<Part> parts = look_through(zip, most);
  if (parts.empty()) throw SourceBroken("the channel's zip holds no file");
  Plan plan = parts.size() == 1 ? one_file(std::move(parts)) : joined(std::move(parts));
  for (Part& part : plan.parts) part.begin = {};
  return plan;
}

/// The plan being carried out. All of it blocks.
class Pieces {
 public:
  Pieces(std::shared_ptr<ScratchFile> file, std::uint64_t most)
      : zip_(std::move(file)), plan_(make_plan(zip_, most)) {}

  const Plan& plan() const noexcept { return plan_; }

  /// 0 = that was all.
  std::size_t read(char* into, std::size_t size) {
    if (given_ < plan_.header.size()) {
      const std::size_t got = std::min(size, plan_.header.size() - given_);
      std::memcpy(into, plan_.header.data() + given_, got);
      given_ += got;
      return got;
    }
    while (left_ == 0 && at_ < plan_.parts.size()) begin(plan_.parts[at_++]);
    if (left_ > 0) {
      const std::size_t got =
          zip_.read(into, static_cast<std::size_t>(std::min<std::uint64_t>(size, left_)));
      if (got == 0) throw SourceBroken("the channel's zip is damaged");
      left_ -= got;
      return got;
    }
    if (!plan_.padded) return 0;
    plan_.padded = false;
    *into = '\0';
    return 1;
  }

 private:
  void begin(const Part& part) {
    if (part.take == 0) return;
    zip_.go_to(part.number);
    std::vector<char> buffer(piece);
    for (std::uint64_t skip = part.skip; skip > 0;) {
      const std::size_t got =
          zip_.read(buffer.data(), static_cast<std::size_t>(std::min<std::uint64_t>(piece, skip)));
      if (got == 0) throw SourceBroken("the channel's zip is damaged");
      skip -= got;
    }
    left_ = part.take;
  }

  ZipReader zip_;
  Plan plan_;
  std::size_t given_ = 0, at_ = 0;
  std::uint64_t left_ = 0;  // of the part before at_
};

class UnpackedSource final : public ByteSource {
 public:
  UnpackedSource(FileThread& disk, std::shared_ptr<Pieces> pieces)
      : disk_(disk), pieces_(std::move(pieces)) {}

  asio::awaitable<std::size_t> read(char* into, std::size_t size) override {
    auto reading = disk_.run([&] { return pieces_->read(into, std::min(size, most_read)); });
    const std::size_t got = co_await std::move(reading);
    co_return got;
  }

 private:
  FileThread& disk_;
  std::shared_ptr<Pieces> pieces_;
};

}  // namespace

asio::awaitable<Unpacked> unpack(FileThread& disk, std::shared_ptr<ScratchFile> packed,
                                 std::uint64_t most) {
  auto looking = disk.run([packed, most] { return std::make_shared<Pieces>(packed, most); });
  std::shared_ptr<Pieces> pieces = co_await std::move(looking);
  Unpacked unpacked;
  unpacked.content_type = pieces->plan().content_type;
  unpacked.extension = pieces->plan().extension;
  unpacked.bytes = std::make_unique<UnpackedSource>(disk, std::move(pieces));
  co_return unpacked;
}

}  // namespace cc
