#include "vault.hpp"

#include <array>
#include <memory>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "phone.hpp"

namespace cc {
namespace {

// What is sealed: version, id of the key, nonce, ciphertext, tag.
constexpr char version = 1;
constexpr std::size_t id_size = 4;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::size_t head_size = 1 + id_size + nonce_size;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

Cipher make_cipher() {
  return {EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free};
}

unsigned char* bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// Secrets and contexts are short: their sizes fit.
int size_of(std::string_view text) {
  return static_cast<int>(text.size());
}

/// The first bytes of the key's SHA-256: they tell keys apart and nothing about them.
std::string id_of(const std::string& key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(key.data(), key.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL can't make a SHA-256");
  }
  return {digest.begin(), digest.begin() + id_size};
}

bool opened(const std::string& key, std::string_view sealed, std::string_view context,
            std::string& secret) {
  const std::string_view nonce = sealed.substr(1 + id_size, nonce_size);
  const std::string_view body = sealed.substr(head_size, sealed.size() - head_size - tag_size);
  std::string tag(sealed.substr(sealed.size() - tag_size));
  const Cipher cipher = make_cipher();
  EVP_CIPHER_CTX* const context_of = cipher.get();
  secret.resize(body.size() + 1);  // so that data() points to something even for an empty text
  int size = 0, rest = 0;
  const bool right =
      context_of != nullptr &&
      EVP_DecryptInit_ex(context_of, EVP_aes_256_gcm(), nullptr, bytes(std::string_view(key)),
                         bytes(nonce)) == 1 &&
      EVP_DecryptUpdate(context_of, nullptr, &size, bytes(context), size_of(context)) == 1 &&
      EVP_DecryptUpdate(context_of, bytes(secret), &size, bytes(body), size_of(body)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context_of, EVP_CTRL_GCM_SET_TAG, static_cast<int>(tag_size),
                          tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context_of, bytes(secret) + size, &rest) == 1;
  secret.resize(right ? body.size() : 0);
  return right;
}

Error no_key() {
  return {"secrets can't be sealed or opened: agents.key is not configured"};
}

}  // namespace

Vault::Vault(std::string key, std::vector<std::string> previous) {
  if (key.empty()) return;
  keys_.push_back(std::move(key));
  for (std::string& old : previous) keys_.push_back(std::move(old));
  for (const std::string& each : keys_) {
    if (each.size() != key_size) throw std::logic_error("a vault's key must have 32 bytes");
  }
}

Result<std::string> Vault::seal(std::string_view secret, std::string_view context) const {
  if (!has_key()) return no_key();
  std::string sealed(1, version);
  sealed += id_of(keys_.front());
  sealed.resize(head_size + secret.size() + tag_size);
  unsigned char* const out = bytes(sealed);
  unsigned char* const nonce = out + 1 + id_size;
  unsigned char* const body = out + head_size;
  const Cipher cipher = make_cipher();
  EVP_CIPHER_CTX* const context_of = cipher.get();
  int size = 0, rest = 0;
  const bool right =
      context_of != nullptr && RAND_bytes(nonce, static_cast<int>(nonce_size)) == 1 &&
      EVP_EncryptInit_ex(context_of, EVP_aes_256_gcm(), nullptr,
                         bytes(std::string_view(keys_.front())), nonce) == 1 &&
      EVP_EncryptUpdate(context_of, nullptr, &size, bytes(context), size_of(context)) == 1 &&
      EVP_EncryptUpdate(context_of, body, &size, bytes(secret), size_of(secret)) == 1 &&
      EVP_EncryptFinal_ex(context_of, body + size, &rest) == 1 &&
      EVP_CIPHER_CTX_ctrl(context_of, EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag_size),
                          body + secret.size()) == 1;
  if (!right) return Error{"OpenSSL refused to seal the " + mask_numbers_in(context)};
  return sealed;
}

Result<std::string> Vault::open(std::string_view sealed, std::string_view context) const {
  if (!has_key()) return no_key();
  const std::string what = "the " + mask_numbers_in(context);
  if (sealed.size() < head_size + tag_size || sealed.front() != version) {
    return Error{what + " is damaged: set it anew"};
  }
  bool known = false;
  for (const std::string& key : keys_) {
    if (sealed.substr(1, id_size) != id_of(key)) continue;
    known = true;
    std::string secret;
    if (opened(key, sealed, context, secret)) return secret;
  }
  if (known) return Error{what + " is damaged, or was sealed as something else: set it anew"};
  return Error{what +
               " was sealed with a key that is not configured: list it in agents.previousKeys, or "
               "set it anew"};
}

bool Vault::sealed_with_newest(std::string_view sealed) const {
  return has_key() && sealed.size() >= head_size &&
         sealed.substr(1, id_size) == id_of(keys_.front());
}

std::string password_context(std::string_view channel, std::string_view agent) {
  return std::string("password ").append(channel).append("/").append(agent);
}

std::string session_context(std::string_view channel, std::string_view agent) {
  return std::string("session ").append(channel).append("/").append(agent);
}

}  // namespace cc
