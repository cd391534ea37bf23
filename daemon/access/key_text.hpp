// A new key: what its user gets to see once, and what is kept.
#pragma once

#include <string>

namespace cc {

struct KeyText {
  std::string key;     // "cck_" and 43 characters of base64url: 32 random bytes
  std::string sha256;  // of `key`, 32 bytes
};

/// Throws std::runtime_error where OpenSSL has no random bytes.
KeyText make_key();

}  // namespace cc
