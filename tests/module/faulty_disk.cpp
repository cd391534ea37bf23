// Preloaded into NGINX (LD_PRELOAD): makes system calls on spool files fail as the file that
// CC_FAULTY_DISK names says, one a line: "fdatasync 5", "pwrite 28", "pwrite-half 28" (half of it
// is written first), "create 30", "rename 5", "fsync-directory 5". An empty file: a healthy disk.
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

/// The errno that this call shall fail with; 0: none.
int fault(const char* call) {
  const char* path = std::getenv("CC_FAULTY_DISK");
  std::FILE* file = path == nullptr ? nullptr : std::fopen(path, "re");
  if (file == nullptr) return 0;
  char name[64];
  int number = 0, found = 0;
  while (std::fscanf(file, "%63s %d", name, &number) == 2) {
    if (std::strcmp(name, call) == 0) found = number;
  }
  (void)std::fclose(file);
  return found;
}

bool is_spool(const char* path) {
  return path != nullptr && std::strstr(path, ".spool") != nullptr;
}

const char* path_of(int fd, char (&path)[512]) {
  char link[64];
  (void)std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = ::readlink(link, path, sizeof path - 1);
  path[n < 0 ? 0 : n] = '\0';
  return path;
}

bool fails(const char* call) {
  const int number = fault(call);
  if (number != 0) errno = number;
  return number != 0;
}

ssize_t faulty_pwrite(int fd, const void* bytes, size_t size, off_t at) {
  char path[512];
  const bool spool = is_spool(path_of(fd, path));
  if (spool && fails("pwrite")) return -1;
  auto* write = real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  if (spool && size > 64 && fault("pwrite-half") != 0) {
    return write(fd, bytes, size / 2, at);  // the rest is tried next, and fails
  }
  if (spool && fails("pwrite-half")) return -1;
  return write(fd, bytes, size, at);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int fdatasync(int fd) {
  char path[512];
  if (is_spool(path_of(fd, path)) && fails("fdatasync")) return -1;
  return real<int(int)>("fdatasync")(fd);
}

__attribute__((visibility("default"))) int fsync(int fd) {
  if (fails("fsync-directory")) return -1;
  return real<int(int)>("fsync")(fd);
}

__attribute__((visibility("default"))) ssize_t pwrite(int fd, const void* bytes, size_t size,
                                                      off_t at) {
  return faulty_pwrite(fd, bytes, size, at);
}

__attribute__((visibility("default"))) int rename(const char* from, const char* to) {
  if (is_spool(from) && fails("rename")) return -1;
  return real<int(const char*, const char*)>("rename")(from, to);
}

__attribute__((visibility("default"))) int open(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const auto mode = static_cast<mode_t>(va_arg(arguments, int));
  va_end(arguments);
  if (is_spool(path) && (flags & O_CREAT) != 0 && fails("create")) return -1;
  return real<int(const char*, int, ...)>("open")(path, flags, mode);
}

}  // extern "C"
