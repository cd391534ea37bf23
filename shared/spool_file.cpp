#include "spool_file.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace cc {

namespace {

constexpr std::string_view suffix = ".spool";
constexpr std::string_view damaged_suffix = ".damaged";
constexpr std::string_view new_suffix = ".spool.new";
constexpr std::time_t abandoned_after_s = 60;  // a .new file of a process that died in making it
constexpr std::size_t chunk = 256 * 1024;
constexpr std::uint64_t block = 4096;  // what a disk fails to give back, at least

// The file's name last: see trouble_kind().
Error trouble(const char* action, const std::string& path, int number) {
  return Error{std::string("spool: cannot ") + action + " (" + std::to_string(number) + ": " +
               std::strerror(number) + "): \"" + path + "\""};
}

template <class Call>
int uninterrupted(Call call) noexcept {
  int result = 0;
  do {
    result = call();
  } while (result != 0 && errno == EINTR);
  return result;
}

/// EWOULDBLOCK in errno where somebody else has it.
bool lock(int fd) noexcept {
  return uninterrupted([fd] { return ::flock(fd, LOCK_EX | LOCK_NB); }) == 0;
}

/// The number that a file's name begins with; 0 where there is none.
std::int64_t created_of(std::string_view name) noexcept {
  std::int64_t ms = 0;
  std::from_chars(name.data(), name.data() + name.size(), ms);
  return std::max<std::int64_t>(ms, 0);
}

/// A process killed while it made a file leaves one that holds nothing that was answered for.
void remove_if_abandoned(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return;
  if (status.st_mtime + abandoned_after_s > std::time(nullptr)) return;
  Descriptor file{::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
  if (file && lock(file.get())) ::unlink(path.c_str());
}

Result<bool> keep_as_damaged(const std::string& path) {
  const std::string kept = path + std::string(damaged_suffix);
  if (::rename(path.c_str(), kept.c_str()) == 0 || errno == ENOENT) return true;
  return trouble("rename", path, errno);
}

}  // namespace

// ---- Descriptor ----

Descriptor::Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Descriptor::~Descriptor() {
  close();
}

void Descriptor::close() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

// ---- the directory ----

Result<SpoolListing> list_spool(const std::string& directory) {
  std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory.c_str()), ::closedir);
  if (!dir) return trouble("read the directory", directory, errno);
  SpoolListing listing;
  for (;;) {
    errno = 0;  // readdir's only way to tell an error from the end
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr && errno != 0) return trouble("read the directory", directory, errno);
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name.ends_with(damaged_suffix)) ++listing.damaged;
    if (name.ends_with(new_suffix)) remove_if_abandoned(directory + "/" + std::string(name));
    if (!name.ends_with(suffix)) continue;
    struct stat status {};
    if (::fstatat(::dirfd(dir.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode)) {
      continue;
    }
    const auto bytes = static_cast<std::uint64_t>(status.st_size);
    std::int64_t created_ms = created_of(name);
    if (created_ms == 0) created_ms = std::int64_t{status.st_mtime} * 1000;  // not named by us
    listing.files.push_back({std::string(name), created_ms, bytes});
    listing.bytes += bytes;
  }
  std::sort(listing.files.begin(), listing.files.end(),
            [](const SpoolEntry& a, const SpoolEntry& b) {
              return std::pair(a.created_ms, std::string_view(a.name)) <
                     std::pair(b.created_ms, std::string_view(b.name));
            });
  return listing;
}

std::string_view trouble_kind(std::string_view message) noexcept {
  return message.substr(0, message.find('"'));
}

// ---- SpoolReader ----

SpoolReader::SpoolReader(std::string path, std::int64_t created_ms, Descriptor file)
    : path_(std::move(path)), created_ms_(created_ms), file_(std::move(file)) {}

SpoolReader::Adoption SpoolReader::adopt(const std::string& directory, const std::string& name) {
  Adoption adoption;
  const std::string path = directory + "/" + name;
  // For writing, as some file systems lock no other; nothing is written.
  Descriptor file{::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
  if (!file) {
    if (errno == ENOENT) return adoption;
    adoption.no_descriptor = errno == EMFILE || errno == ENFILE;
    adoption.trouble = trouble("open", path, errno);
    return adoption;
  }
  if (!lock(file.get())) {
    if (errno != EWOULDBLOCK) adoption.trouble = trouble("lock", path, errno);
    return adoption;
  }
  struct stat status {};
  // Replayed and removed by somebody else between our look and our lock.
  if (::fstat(file.get(), &status) != 0 || status.st_nlink == 0) return adoption;
  std::unique_ptr<SpoolReader> reader(new SpoolReader(path, created_of(name), std::move(file)));
  reader->size_ = static_cast<std::uint64_t>(status.st_size);
  auto header = reader->read_header();
  if (!header) {
    adoption.trouble = header.error();
  } else if (!*header) {
    adoption.put_aside = !!keep_as_damaged(path);
    adoption.trouble = Error{"spool: no spool file of CC; put aside as .damaged: \"" + path + "\""};
  } else {
    adoption.reader = std::move(reader);
  }
  return adoption;
}

/// Reads until `wanted` bytes are in the buffer, or the file's end. Returns how many there are.
Result<std::size_t> SpoolReader::fill(std::size_t wanted) {
  while (buffer_.size() < wanted && !at_end_) {
    const std::size_t before = buffer_.size();
    const std::uint64_t at = confirmed_ + before;
    buffer_.resize(wanted);
    const ssize_t n =
        ::pread(file_.get(), buffer_.data() + before, wanted - before, static_cast<off_t>(at));
    const int number = errno;
    buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n < 0 && number == EINTR) continue;
    if (n < 0 && number == EIO && at < size_) {
      // What the disk does not give back reads as zeros, which is no record: go on behind it.
      buffer_.append(std::min<std::uint64_t>(block - at % block, size_ - at), '\0');
      continue;
    }
    if (n < 0) return trouble("read", path_, number);
    at_end_ = n == 0;
  }
  return buffer_.size();
}

Result<bool> SpoolReader::read_header() {
  auto filled = fill(max_spool_header);
  if (!filled) return filled.error();
  std::size_t length = 0;
  if (is_newer_spool(buffer_)) {
    auto newer = decode_spool_header(buffer_, length);
    return Error{"spool: " + newer.error().message + "; left as it is: \"" + path_ + "\""};
  }
  auto header = decode_spool_header(buffer_, length);
  if (!header) return false;
  salt_ = header->salt;
  confirmed_ = length;
  buffer_.clear();
  at_end_ = false;
  return true;
}

Result<std::vector<SpoolRecord>> SpoolReader::read(std::size_t most, std::size_t bytes) {
  std::vector<SpoolRecord> records;
  places_.clear();
  if (finished_) return records;
  // Views into the buffer: it must not grow once the first record has been taken, so records are
  // looked for first and taken afterwards.
  struct Found {
    std::size_t at;
    std::size_t end;
    unsigned damaged_before;
  };
  std::vector<Found> found;
  std::size_t at = 0;
  End end = End::clean;  // as seen behind the last record found
  if (auto filled = fill(std::min(bytes, chunk)); !filled) return filled.error();
  while (found.size() < most && (found.empty() || at < bytes)) {
    const auto step = next_spool_record(std::string_view(buffer_).substr(at), at_end_, salt_);
    if (step.kind == SpoolStep::Kind::record) {
      found.push_back({at, at + step.consumed, end == End::clean ? 0U : 1U});
      end = End::clean;
      at += step.consumed;
    } else if (step.kind == SpoolStep::Kind::damaged) {
      end = end == End::clean && step.torn ? End::torn : End::damaged;
      at += step.consumed;
    } else if (step.kind == SpoolStep::Kind::partial) {
      if (!found.empty() && at + step.wanted > bytes) break;
      if (auto filled = fill(at + step.wanted); !filled) return filled.error();
    } else if (at_end_ || !found.empty()) {
      break;
    } else {
      if (auto filled = fill(buffer_.size() + chunk); !filled) return filled.error();
    }
  }
  for (const Found& place : found) {
    const auto whole = std::string_view(buffer_).substr(place.at, place.end - place.at);
    records.push_back(next_spool_record(whole, true, salt_).record);
    places_.push_back({confirmed_ + place.end, place.damaged_before});
  }
  if (records.empty()) {
    finished_ = true;
    end_ = end;
  }
  return records;
}

void SpoolReader::confirm(std::size_t count) {
  count = std::min(count, places_.size());
  if (count == 0) return;
  for (std::size_t i = 0; i < count; ++i) damaged_within_ += places_[i].damaged_before;
  confirmed_ = places_[count - 1].end;
  places_.clear();
  buffer_.clear();
  at_end_ = false;
}

Result<bool> SpoolReader::remove() {
  if (damaged_within_ > 0 || end_ == End::damaged) return keep_as_damaged(path_);
  if (::unlink(path_.c_str()) != 0 && errno != ENOENT) return trouble("remove", path_, errno);
  return true;
}

// ---- SpoolDirectory ----

Result<bool> SpoolDirectory::open() {
  Descriptor file{::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!file) return trouble("open the directory", path_, errno);
  file_ = std::move(file);
  return true;
}

Result<bool> SpoolDirectory::sync() {
  if (!file_) {
    if (auto opened = open(); !opened) return opened.error();
  }
  if (uninterrupted([this] { return ::fsync(file_.get()); }) != 0) {
    return trouble("fsync the directory", path_, errno);
  }
  return true;
}

// ---- SpoolFile ----

SpoolFile::SpoolFile(SpoolDirectory& directory, std::string path, std::uint64_t salt,
                     Descriptor file)
    : directory_(directory), path_(std::move(path)), salt_(salt), file_(std::move(file)) {}

SpoolFile::~SpoolFile() {
  if (file_ && !named_) ::unlink(new_path().c_str());
}

Result<std::unique_ptr<SpoolFile>> SpoolFile::create(SpoolDirectory& directory,
                                                     const std::string& writer,
                                                     std::int64_t created_ms) {
  std::uint64_t salt = 0;
  if (::getrandom(&salt, sizeof salt, 0) != sizeof salt) {
    return Error{"spool: the kernel gives no random bytes"};
  }
  // With the salt no two writers ever choose the same name, wherever they run.
  const std::string header =
      encode_spool_header({salt, created_ms, writer + "-" + std::to_string(::getpid())});
  std::string path = directory.path() + "/" + std::to_string(created_ms) + "-" + writer + "-" +
                     hex_of(salt) + std::string(suffix);
  const std::string new_path = path + ".new";
  Descriptor file{::open(new_path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                         S_IRUSR | S_IWUSR)};
  if (!file) return trouble("create", new_path, errno);
  const bool locked = lock(file.get());
  const int number = errno;
  std::unique_ptr<SpoolFile> made(new SpoolFile(directory, std::move(path), salt, std::move(file)));
  if (!locked) return trouble("lock", new_path, number);
  if (auto written = made->write_whole(header); !written) return written.error();
  made->bytes_ = header.size();
  return made;
}

Result<bool> SpoolFile::write_whole(std::string_view bytes) {
  std::uint64_t at = bytes_;
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return trouble("write to", named_ ? path_ : new_path(), n < 0 ? errno : ENOSPC);
    bytes.remove_prefix(static_cast<std::size_t>(n));
    at += static_cast<std::uint64_t>(n);
  }
  return true;
}

Result<bool> SpoolFile::give_name() {
  if (::rename(new_path().c_str(), path_.c_str()) != 0) {
    return trouble("rename", new_path(), errno);
  }
  named_ = true;
  auto synced = directory_.sync();
  // Nothing in it was answered for, so it need not stay, and would with each try otherwise.
  if (!synced) ::unlink(path_.c_str());
  return synced;
}

Result<bool> SpoolFile::append(std::string_view records) {
  if (auto written = write_whole(records); !written) {
    // What is torn must not stay between whole records.
    usable_ = ::ftruncate(file_.get(), static_cast<off_t>(bytes_)) == 0;
    return written.error();
  }
  if (uninterrupted([this] { return ::fdatasync(file_.get()); }) != 0) {
    usable_ = false;
    return trouble("fdatasync", named_ ? path_ : new_path(), errno);
  }
  if (!named_) {
    if (auto given = give_name(); !given) {
      usable_ = false;
      return given.error();
    }
  }
  bytes_ += records.size();
  return true;
}

}  // namespace cc
