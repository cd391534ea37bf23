#include "access/key_text.hpp"

#include <array>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/rand.h>

namespace cc {
namespace {

// So that scanners of source text know one when they see it.
constexpr const char* prefix = "cck_";

}  // namespace

KeyText make_key() {
  std::array<unsigned char, 32> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
    throw std::runtime_error("OpenSSL has no random bytes for a key");
  }
  std::array<unsigned char, 48> base64{};  // 44 characters, the last is "=", and a NUL
  EVP_EncodeBlock(base64.data(), random.data(), static_cast<int>(random.size()));
  KeyText made{prefix, {}};
  for (std::size_t i = 0; i < 43; ++i) {
    const char c = static_cast<char>(base64[i]);
    made.key += c == '+' ? '-' : c == '/' ? '_' : c;
  }
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  if (EVP_Digest(made.key.data(), made.key.size(), digest.data(), &size, EVP_sha256(), nullptr) !=
      1) {
    throw std::runtime_error("OpenSSL has no SHA-256");
  }
  made.sha256.assign(digest.begin(), digest.end());
  return made;
}

}  // namespace cc
