#include "secrets.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.hpp"

namespace cc {
namespace {

constexpr std::size_t max_file = 64 * 1024;

std::string named(std::string_view what, const std::string& path) {
  return std::string(what) + " file \"" + path + "\"";
}

/// Closes what it holds.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

Error unreadable(std::string_view what, const std::string& path, int error) {
  return Error{named(what, path) + " cannot be read (" + std::to_string(error) + ": " +
               std::strerror(error) +
               "); create it, owned by the user who starts nginx, with mode 0600"};
}

/// Fine as a URL's path segment without any escape, so that what is in the file is what arrives.
bool is_plain(std::string_view token) noexcept {
  return token.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") ==
         std::string_view::npos;
}

}  // namespace

Result<Lines> read_lines(const std::string& path, std::string_view what) {
  // Not blocking, or a FIFO of that name would stop nginx's start.
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) return unreadable(what, path, errno);
  struct stat status {};
  if (::fstat(file.fd, &status) != 0) return unreadable(what, path, errno);
  if (!S_ISREG(status.st_mode)) {
    return Error{named(what, path) + " is not a regular file; name a file with one value a line"};
  }
  std::string content;
  char buffer[4096];
  for (;;) {
    ssize_t n = ::read(file.fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return unreadable(what, path, errno);
    if (n == 0) break;
    content.append(buffer, static_cast<std::size_t>(n));
    if (content.size() > max_file) {
      return Error{named(what, path) + " is larger than 64 KB; it should hold one value a line"};
    }
  }

  Lines lines;
  lines.world_readable = (status.st_mode & S_IROTH) != 0;
  std::string_view rest = content;
  while (!rest.empty()) {
    auto end = rest.find('\n');
    auto line = trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    if (!line.empty() && line.front() != '#') lines.values.emplace_back(line);
  }
  if (lines.values.empty()) {
    return Error{named(what, path) + " holds no value; write one a line ('#' begins a comment)"};
  }
  return lines;
}

Result<Lines> read_tokens(const std::string& path) {
  auto lines = read_lines(path, "tokens");
  if (!lines) return lines;
  if (lines->values.size() > max_tokens) {
    return Error{
        named("tokens", path) + " holds " + std::to_string(lines->values.size()) +
        " tokens; at most two are accepted, the current one and the one before or after it"};
  }
  for (std::size_t i = 0; i < lines->values.size(); ++i) {
    const auto& token = lines->values[i];
    std::string which = "token " + std::to_string(i + 1) + " of " + named("tokens", path);
    if (token.size() < min_token_length) {
      return Error{
          which + " has " + std::to_string(token.size()) +
          " characters; a token needs at least 16: take the output of \"openssl rand -hex 24\""};
    }
    if (!is_plain(token)) {
      return Error{which +
                   " holds a character that a URL would have to escape; use letters, digits and "
                   "\"-._~\" only, e.g. the output of \"openssl rand -hex 24\""};
    }
  }
  return lines;
}

Result<Lines> read_password(const std::string& path) {
  auto lines = read_lines(path, "password");
  if (lines && lines->values.size() != 1) {
    return Error{named("password", path) + " holds " + std::to_string(lines->values.size()) +
                 " lines; it must hold exactly one, the password"};
  }
  return lines;
}

}  // namespace cc
