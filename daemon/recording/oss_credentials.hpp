// What requests to OSS are signed with: fixed, or an STS answer in a file that somebody renews.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config.hpp"
#include "io/clock.hpp"
#include "result.hpp"

namespace cc {

/// Never logged.
struct OssCredentials {
  std::string access_key_id, access_key_secret;
  std::string security_token;              // empty = none
  std::optional<std::int64_t> expires_ms;  // absent = not known
};

/// {"AccessKeyId", "AccessKeySecret", "SecurityToken"?, "Expiration"?}, or that under
/// "Credentials". Errors hold nothing of the text.
Result<OssCredentials> parse_oss_credentials(std::string_view json);

class OssCredentialSource {
 public:
  /// `clock` must live as long.
  OssCredentialSource(const OssAccount& account, Clock& clock);
  OssCredentialSource(const OssCredentialSource&) = delete;

  /// Those that are good now and for 30 s more, that a request or link may be used. The file is looked at once a second at most and read when it has
  /// changed; while it can't be read or understood, what it held before goes on. Errors name the
  /// file and the remedy.
  Result<OssCredentials> get();

 private:
  /// What tells that a file is another one than before.
  struct Version {
    std::uint64_t inode = 0;
    std::int64_t size = -1, seconds = 0, nanoseconds = 0;
    bool operator==(const Version&) const = default;
  };

  void look();
  Result<OssCredentials> read(Version& version) const;

  Clock& clock_;
  std::string file_;  // empty = fixed
  std::optional<OssCredentials> held_;
  std::string problem_;  // of the file as it is now; empty = none
  Version version_;
  std::optional<std::chrono::steady_clock::time_point> looked_;
};

}  // namespace cc
