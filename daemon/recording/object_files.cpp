#include "recording/object_files.hpp"

#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <openssl/rand.h>

#include "recording/signed_path.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr const char* incoming_name = ".incoming";
constexpr const char* key_name = ".link-key";
constexpr const char* id_name = ".store-id";
constexpr std::size_t key_size = 32, id_size = 32;
constexpr std::int64_t leftover_age_s = 3 * 3600;  // a try lives for 2 h
constexpr std::chrono::hours tidied_every{1};
constexpr std::uint64_t write_back = 8 << 20;  // bytes, so that the end is no long wait
constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::string random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size)) != 1) {
    throw std::runtime_error("OpenSSL has no random bytes");
  }
  return bytes;
}

std::string random_name(const char* prefix) {
  return prefix + to_hex(random_bytes(16));
}

/// As much as there is, up to `most`.
std::string read_start(int file, std::size_t most) {
  std::string bytes(most, '\0');
  const ssize_t got = ::read(file, bytes.data(), most);
  bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return bytes;
}

/// 0 = all of them are written.
int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return ENOSPC;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

bool needs_somebody(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EXDEV:
    case EISDIR:
      return true;
    default:
      return false;
  }
}

}  // namespace

/// From the root down to where the file is.
struct ObjectFiles::Parents {
  std::vector<Descriptor> chain;      // without the root
  std::vector<std::string> segments;  // their names
  std::string leaf;
  int of(const Descriptor& root) const { return chain.empty() ? root.get() : chain.back().get(); }
};

ObjectFiles::ObjectFiles(std::string directory, Clock& clock)
    : directory_(std::move(directory)), clock_(clock) {}

bool ObjectFiles::may_be_called(std::string_view name) noexcept {
  const std::string_view first = name.substr(0, name.find('/'));
  return is_object_name(name) && first != incoming_name && first != key_name && first != id_name;
}

StoreProblem ObjectFiles::problem(std::string_view what, int error) const {
  std::string message = "recordings.directory \"" + directory_ + "\": " + std::string(what) + ": " +
                        std::strerror(error);
  struct statvfs room {};
  if (::statvfs(directory_.c_str(), &room) == 0) {
    message += "; " + std::to_string(room.f_bavail * room.f_frsize) + " bytes are free there";
  }
  if (error == ENOSPC || error == EDQUOT) message += "; make room, or shorten retention.recordings";
  return {"disk", std::move(message), needs_somebody(error)};
}

Result<Descriptor> ObjectFiles::root() const {
  // The directory itself may be a link: whoever configures it may want that.
  Descriptor root(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (root) return root;
  return Error{
      "recordings.directory: \"" + directory_ + "\" can't be opened: " + std::strerror(errno) +
      "; make it for the user that ccd runs as: install -d -m " + "0700 -o USER " + directory_};
}

Result<Descriptor> ObjectFiles::incoming(const Descriptor& root) const {
  if (::mkdirat(root.get(), incoming_name, 0700) != 0 && errno != EEXIST) {
    return Error{problem("can't be written to", errno).message};
  }
  Descriptor incoming(::openat(root.get(), incoming_name, directory_flags));
  if (incoming) return incoming;
  return Error{problem(".incoming can't be opened", errno).message};
}

std::optional<ObjectFiles::Parents> ObjectFiles::parents(const Descriptor& root,
                                                         const std::string& name, bool make,
                                                         int& error) const {
  Parents parents;
  std::string_view rest = name;
  for (std::size_t slash = rest.find('/'); slash != std::string_view::npos;
       slash = rest.find('/')) {
    std::string segment(rest.substr(0, slash));
    rest.remove_prefix(slash + 1);
    const int above = parents.of(root);
    Descriptor below(::openat(above, segment.c_str(), directory_flags));
    if (!below && errno == ENOENT && make) {
      if (::mkdirat(above, segment.c_str(), 0700) == 0) (void)::fsync(above);
      below = Descriptor(::openat(above, segment.c_str(), directory_flags));
    }
    if (!below) {
      error = errno;
      return std::nullopt;
    }
    parents.chain.push_back(std::move(below));
    parents.segments.push_back(std::move(segment));
  }
  parents.leaf = rest;
  return parents;
}

std::optional<Error> ObjectFiles::prepare() {
  const Result<Descriptor> its_root = root();
  if (!its_root) return its_root.error();
  if (const std::string why = owner_trouble(*its_root, ""); !why.empty()) return Error{why};
  const Result<Descriptor> drafts = incoming(*its_root);
  if (!drafts) return drafts.error();
  if (const std::string why = owner_trouble(*drafts, incoming_name); !why.empty()) return Error{why};
  {
    const std::lock_guard lock(mutex_);
    tidied_.reset();
  }
  StoreProblem trouble;
  if (begin(trouble) == nullptr) return Error{trouble.message};
  const Result<std::string> key = link_key();
  if (!key) return key.error();
  return std::nullopt;
}

/// Whoever else may write there could put own files into recordings' places, or read the key.
std::string ObjectFiles::owner_trouble(const Descriptor& file, const std::string& name) const {
  std::string path = directory_;
  if (!name.empty()) path += "/" + name;
  const std::string where = "recordings.directory: \"" + path + "\" ";
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return where + "can't be looked at";
  if (status.st_uid != ::geteuid()) {
    return where + "is another user's: chown it to the user that ccd runs as";
  }
  if ((status.st_mode & 022) != 0) {
    return where + "can be written to by others: chmod go-w " + path;
  }
  return {};
}

void ObjectFiles::remove_leftovers(const Descriptor& incoming) const {
  {
    const auto now = clock_.steady();
    const std::lock_guard lock(mutex_);
    if (tidied_ && now - *tidied_ < tidied_every) return;
    tidied_ = now;
  }
  const int again = ::openat(incoming.get(), ".", directory_flags);
  DIR* const listing = again < 0 ? nullptr : ::fdopendir(again);
  if (listing == nullptr) {
    if (again >= 0) ::close(again);
    return;
  }
  const std::int64_t before = clock_.epoch_ms() / 1000 - leftover_age_s;
  while (const dirent* const entry = ::readdir(listing)) {
    struct stat status {};
    if (::fstatat(again, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        !S_ISDIR(status.st_mode) && status.st_mtim.tv_sec < before) {
      (void)::unlinkat(again, entry->d_name, 0);
    }
  }
  ::closedir(listing);
}

std::optional<std::string> ObjectFiles::known_key() const {
  const std::lock_guard lock(mutex_);
  return key_;
}

std::optional<std::string> ObjectFiles::known_id() const {
  const std::lock_guard lock(mutex_);
  return id_;
}

Result<std::string> ObjectFiles::link_key() {
  const std::lock_guard alone(reading_);
  if (auto known = known_key()) return *std::move(known);
  const Result<Descriptor> its_root = root();
  if (!its_root) return its_root.error();
  if (::faccessat(its_root->get(), key_name, F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
    make_once(*its_root, key_name, random_bytes(key_size));
  }
  Result<std::string> key = read_key(*its_root);
  const std::lock_guard lock(mutex_);
  if (key) key_ = *key;
  return key;
}

Result<std::string> ObjectFiles::id() const {
  const Result<Descriptor> its_root = root();
  if (!its_root) return its_root.error();
  return id(*its_root);
}

Result<std::string> ObjectFiles::id(const Descriptor& root) const {
  const std::lock_guard alone(reading_);
  const std::optional<std::string> known = known_id();
  if (!known && ::faccessat(root.get(), id_name, F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
    make_once(root, id_name, to_hex(random_bytes(id_size / 2)));
  }
  Result<std::string> id = read_id(root);
  if (known && (!id || *id != *known)) {
    std::string message = "recordings.directory: \"" + directory_ + "\" is not the directory that " +
                          "it was: ";
    message += id ? "its .store-id is another one" : id.error().message.c_str();
    message += "; mount the one that was there, or restart ccd to go on with this one";
    return Error{std::move(message)};
  }
  const std::lock_guard lock(mutex_);
  if (id) id_ = *id;
  return id;
}

/// Whole from the moment that it has its name, and one only however many daemons want to. What
/// fails here shows when it is read.
void ObjectFiles::make_once(const Descriptor& root, const char* name,
                            const std::string& bytes) const {
  const Result<Descriptor> drafts = incoming(root);
  if (!drafts) return;
  const std::string draft = random_name("once-");
  const Descriptor file(::openat(drafts->get(), draft.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return;
  if (write_all(file.get(), bytes) == 0 && ::fsync(file.get()) == 0) {
    (void)::linkat(drafts->get(), draft.c_str(), root.get(), name, 0);
  }
  (void)::unlinkat(drafts->get(), draft.c_str(), 0);
  (void)::fsync(root.get());
}

Result<std::string> ObjectFiles::read_key(const Descriptor& root) const {
  const std::string where = "recordings.directory: \"" + directory_ + "/" + key_name + "\"";
  const Descriptor file(::openat(root.get(), key_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) {
    return Error{where + " can't be read: " + std::strerror(errno) +
                 "; ccd must be able to read and write below the directory"};
  }
  if ((status.st_mode & 077) != 0) {
    return Error{where + " signs links to recordings, but others can read it: remove it"};
  }
  if (const std::string why = owner_trouble(file, key_name); !why.empty()) return Error{why};
  const std::string key = read_start(file.get(), key_size + 1);
  if (key.size() != key_size) {
    return Error{where + " does not hold a key: remove it, and a new one is made"};
  }
  return key;
}

Result<std::string> ObjectFiles::read_id(const Descriptor& root) const {
  const std::string where = "recordings.directory: \"" + directory_ + "/" + id_name + "\"";
  const Descriptor file(::openat(root.get(), id_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return Error{where + " can't be read: " + std::strerror(errno)};
  if (const std::string why = owner_trouble(file, id_name); !why.empty()) return Error{why};
  const std::string id = read_start(file.get(), id_size + 1);
  const bool hex = id.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (id.size() != id_size || !hex) {
    return Error{where + " does not hold 32 hexadecimal digits: put back what it held; recordings "
                         "of before are not found without it"};
  }
  return id;
}

std::unique_ptr<ObjectFiles::Draft> ObjectFiles::begin(StoreProblem& why) const {
  const Result<Descriptor> its_root = root();
  if (!its_root) {
    why = {"disk", its_root.error().message, true};
    return nullptr;
  }
  Result<Descriptor> drafts = incoming(*its_root);
  if (!drafts) {
    why = {"disk", drafts.error().message, true};
    return nullptr;
  }
  if (const Result<std::string> its_id = id(*its_root); !its_id) {
    why = {"disk", its_id.error().message, true};
    return nullptr;
  }
  remove_leftovers(*drafts);
  std::string name = random_name("file-");
  Descriptor file(::openat(drafts->get(), name.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) {
    why = problem("no file can be made", errno);
    return nullptr;
  }
  return std::make_unique<Draft>(*this, *std::move(drafts), std::move(name), std::move(file));
}

ObjectFiles::Draft::Draft(const ObjectFiles& files, Descriptor incoming, std::string name,
                          Descriptor file)
    : files_(files),
      incoming_(std::move(incoming)),
      name_(std::move(name)),
      file_(std::move(file)) {}

ObjectFiles::Draft::~Draft() {
  if (!name_.empty()) (void)::unlinkat(incoming_.get(), name_.c_str(), 0);
}

std::optional<StoreProblem> ObjectFiles::Draft::write(std::string_view bytes) {
  if (const int error = write_all(file_.get(), bytes); error != 0) {
    return files_.problem("can't be written to", error);
  }
  const std::uint64_t before = written_;
  written_ += bytes.size();
  if (before / write_back != written_ / write_back) {
    (void)::sync_file_range(file_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  }
  return std::nullopt;
}

std::optional<StoreProblem> ObjectFiles::Draft::keep(const std::string& name) {
  const char* const trouble = "a file can't be put in its place";
  if (::fdatasync(file_.get()) != 0) return files_.problem("can't be written to", errno);
  const Result<Descriptor> root = files_.root();
  if (!root) return StoreProblem{"disk", root.error().message, true};
  for (int tries = 1;; ++tries) {
    int error = 0;
    const auto parents = files_.parents(*root, name, true, error);
    if (parents) {
      const int above = parents->of(*root);
      if (::renameat(incoming_.get(), name_.c_str(), above, parents->leaf.c_str()) == 0) {
        name_.clear();
        if (::fsync(above) != 0) return files_.problem(trouble, errno);
        return std::nullopt;
      }
      error = errno;
    }
    // Whoever removed the last file of a directory may just have removed that, too.
    if (error != ENOENT || tries == 5) return files_.problem(trouble, error);
  }
}

std::optional<StoreProblem> ObjectFiles::remove(const std::string& name) const {
  const Result<Descriptor> its_root = root();
  if (!its_root) return StoreProblem{"disk", its_root.error().message, true};
  if (const Result<std::string> its_id = id(*its_root); !its_id) {
    return StoreProblem{"disk", its_id.error().message, true};
  }
  int error = 0;
  const auto found = parents(*its_root, name, false, error);
  if (!found && error == ENOENT) return std::nullopt;
  if (!found) return problem("a file can't be removed", error);
  const int above = found->of(*its_root);
  if (::unlinkat(above, found->leaf.c_str(), 0) != 0 && errno != ENOENT) {
    return problem("a file can't be removed", errno);
  }
  (void)::fsync(above);
  for (std::size_t i = found->chain.size(); i-- > 0;) {
    const int parent = i == 0 ? its_root->get() : found->chain[i - 1].get();
    if (::unlinkat(parent, found->segments[i].c_str(), AT_REMOVEDIR) != 0) break;
  }
  return std::nullopt;
}

Result<ObjectFiles::File> ObjectFiles::open(const std::string& name) const {
  const Result<Descriptor> its_root = root();
  if (!its_root) return its_root.error();
  File file;
  int error = 0;
  const auto found = parents(*its_root, name, false, error);
  if (found) {
    file.descriptor = Descriptor(::openat(found->of(*its_root), found->leaf.c_str(),
                                          O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file.descriptor) error = errno;
  }
  if (!file.descriptor) {
    if (error == ENOENT) return file;
    return Error{problem("a file can't be opened", error).message};
  }
  struct stat status {};
  if (::fstat(file.descriptor.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return Error{"recordings.directory: what is to be a file is none"};
  }
  file.size = static_cast<std::uint64_t>(status.st_size);
  file.modified_ns = status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec;
  return file;
}

}  // namespace cc
