// Secrets at rest: agents' passwords and sessions, sealed with a key that only the configuration's
// file holds. AES-256-GCM (NIST SP 800-38D) by OpenSSL.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "result.hpp"

namespace cc {

class Vault {
 public:
  static constexpr std::size_t key_size = 32;  // bytes

  /// Without a key nothing can be sealed or opened. `key` seals; `previous` ones still open what
  /// was sealed with them, so that a key can be changed. Each has key_size bytes.
  explicit Vault(std::string key = {}, std::vector<std::string> previous = {});

  bool has_key() const noexcept { return !keys_.empty(); }

  /// `context` says what the secret is and whose ("password hw/291"): what was sealed for one
  /// cannot be opened as another's. The same text sealed twice gives different bytes.
  /// Errors: no key; OpenSSL refuses.
  Result<std::string> seal(std::string_view secret, std::string_view context) const;

  /// Errors, none of which holds the secret: no key, sealed with a key that is not there (the
  /// remedy is agents.previousKeys), damaged or of another context.
  Result<std::string> open(std::string_view sealed, std::string_view context) const;

  /// Whether the key that seals now has sealed it: if not, it is to be sealed anew before that
  /// key's predecessor can go.
  bool sealed_with_newest(std::string_view sealed) const;

 private:
  std::vector<std::string> keys_;  // the sealing one first
};

/// The contexts in use.
std::string password_context(std::string_view channel, std::string_view agent);
std::string session_context(std::string_view channel, std::string_view agent);

}  // namespace cc
