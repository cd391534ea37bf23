#include "recording/oss_credentials.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/parse.hpp>

#include "log.hpp"
#include "spool_file.hpp"
#include "utc_time.hpp"

namespace cc {
namespace {

constexpr std::size_t most_bytes = 16384;
constexpr std::chrono::seconds between_looks{1};
constexpr std::int64_t least_left_ms = 30'000;

/// Empty where it isn't there; nothing where it is no fitting text.
std::optional<std::string> text_of(const boost::json::object& object, std::string_view name) {
  const boost::json::value* const value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return std::string();
  const boost::json::string* const text = value->if_string();
  if (text == nullptr || text->size() > 8192) return std::nullopt;
  for (const char c : *text) {  // all of it goes into headers
    if (c <= ' ' || c == 127) return std::nullopt;
  }
  return std::string(*text);
}

}  // namespace

Result<OssCredentials> parse_oss_credentials(std::string_view json) {
  boost::json::error_code error;
  const boost::json::value document = boost::json::parse(json, error);
  const boost::json::object* object = error ? nullptr : document.if_object();
  if (object == nullptr) return Error{"is no JSON object"};
  if (const boost::json::value* const nested = object->if_contains("Credentials")) {
    object = nested->if_object();
    if (object == nullptr) return Error{"Credentials is no JSON object"};
  }
  OssCredentials credentials;
  std::string expiration;
  const std::pair<const char*, std::string*> fields[] = {
      {"AccessKeyId", &credentials.access_key_id},
      {"AccessKeySecret", &credentials.access_key_secret},
      {"SecurityToken", &credentials.security_token},
      {"Expiration", &expiration}};
  for (const auto& [name, field] : fields) {
    std::optional<std::string> text = text_of(*object, name);
    if (!text) return Error{std::string(name) + " is no text of printable characters"};
    *field = *std::move(text);
  }
  if (credentials.access_key_id.empty()) return Error{"AccessKeyId is missing"};
  if (credentials.access_key_secret.empty()) return Error{"AccessKeySecret is missing"};
  if (!expiration.empty()) {
    credentials.expires_ms = parse_rfc3339(expiration);
    if (!credentials.expires_ms) return Error{"Expiration is no time like 2026-11-23T12:00:00Z"};
  }
  return credentials;
}

OssCredentialSource::OssCredentialSource(const OssAccount& account, Clock& clock)
    : clock_(clock), file_(account.credentials) {
  if (!file_.empty()) return;
  held_.emplace();
  held_->access_key_id = account.access_key_id;
  held_->access_key_secret = account.access_key_secret;
  held_->security_token = account.security_token;
}

Result<OssCredentials> OssCredentialSource::get() {
  if (file_.empty()) return *held_;
  look();
  if (!held_) return Error{problem_};
  if (held_->expires_ms && *held_->expires_ms - clock_.epoch_ms() < least_left_ms) {
    if (!problem_.empty()) return Error{problem_ + "; those it held before have expired"};
    return Error{"recordings.oss.credentials: what \"" + file_ +
                 "\" holds has expired, or does within 30 s; see to whatever renews it"};
  }
  return *held_;
}

void OssCredentialSource::look() {
  const auto now = clock_.steady();
  if (looked_ && now - *looked_ < between_looks) return;
  looked_ = now;
  Version version;
  Result<OssCredentials> credentials = read(version);
  if (credentials) {
    held_ = *std::move(credentials);
    problem_.clear();
    version_ = version;
    return;
  }
  std::string problem = credentials.error().message;
  if (problem.empty()) return;  // as it was
  problem = "recordings.oss.credentials: \"" + file_ + "\" " + problem +
            "; it is to hold an STS answer's Credentials as JSON, readable for ccd";
  if (held_ && problem != problem_) log().warn("{}; what it held before goes on", problem);
  problem_ = std::move(problem);
  version_ = {};  // to be read again
}

/// An error without words: the file is the one that was read before.
Result<OssCredentials> OssCredentialSource::read(Version& version) const {
  const Descriptor file(::open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) {
    return Error{std::string("can't be read: ") + std::strerror(errno)};
  }
  if (!S_ISREG(status.st_mode)) return Error{"is no file"};
  version = {status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
  if (version == version_) return Error{};
  std::string text(most_bytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{std::string("can't be read: ") + std::strerror(errno)};
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > most_bytes) return Error{"is too long"};
  text.resize(size);
  return parse_oss_credentials(text);
}

}  // namespace cc
