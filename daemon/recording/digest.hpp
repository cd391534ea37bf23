// Digests and the texts they are written as, of OpenSSL's making.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>

namespace cc {

std::string sha256_of(std::string_view bytes);                         // 32 bytes
std::string hmac_sha256(std::string_view key, std::string_view text);  // 32 bytes

/// The MD5 of bytes that come piece by piece: what Content-MD5 wants, no safeguard of anything.
class Md5 {
 public:
  Md5();
  void add(std::string_view bytes);
  /// 16 bytes, of all since the last one; it begins anew.
  std::string take();

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string base64_of(std::string_view bytes);     // with padding
std::string base64url_of(std::string_view bytes);  // RFC 4648, without

/// Everything but A-Z a-z 0-9 - _ . ~ as %XX; "/" stays where `keep_slash`.
std::string uri_encode(std::string_view bytes, bool keep_slash = false);

}  // namespace cc
