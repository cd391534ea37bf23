// Aliyun OSS's signature V4, "OSS4-HMAC-SHA256" (channels.md, "Aliyun OSS"). Pure: the time is
// passed in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cc {

using TextPairs = std::vector<std::pair<std::string, std::string>>;

/// With what and for which region it is signed. An empty token: a key that is for ever.
struct OssSigner {
  std::string access_key_id, access_key_secret, security_token;
  std::string region;  // bare: cn-hangzhou
};

/// What is signed of a request.
struct OssSigned {
  std::string method = "GET";
  std::string bucket;
  std::string key;  // empty = the bucket itself
  TextPairs query;  // not encoded
  TextPairs
      headers;  // all that may leave with it; content-type, content-md5 and x-oss-* are signed
  std::vector<std::string> additional;  // names of other headers that are to be signed
};

/// "k=v&k2": encoded, sorted, an empty value as its bare name; as it is signed and as it is sent.
std::string oss_query(const TextPairs& query);

/// The headers of `request`, then x-oss-date, x-oss-content-sha256 (if it was not there),
/// x-oss-security-token (with a token) and Authorization.
TextPairs oss_signed_headers(const OssSigner& signer, OssSigned request, std::int64_t now_ms);

/// The query of a presigned URL that is good for `ttl` seconds from `now_ms`, as it is sent. The
/// headers of `request` that are signed must come with it then.
std::string oss_presigned_query(const OssSigner& signer, OssSigned request, std::int64_t now_ms,
                                std::int64_t ttl);

}  // namespace cc
