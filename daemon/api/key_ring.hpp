// Who asks: the keys of all tenants. They are held as digests; a key itself is never kept.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "config.hpp"

namespace cc::api {

enum class Scope : std::uint8_t { none = 0, call = 1, read = 2, numbers = 4, admin = 8 };

std::string_view to_text(Scope scope) noexcept;

/// A recognised key. Holds on to its tenant, so that a new configuration can't pull it away.
struct Principal {
  std::shared_ptr<const Tenant> tenant;
  std::string key;  // its id
  unsigned scopes = 0;

  bool may(Scope scope) const noexcept {
    return (scopes & static_cast<unsigned>(scope)) == static_cast<unsigned>(scope);
  }
};

class KeyRing {
 public:
  explicit KeyRing(const std::map<std::string, Tenant>& tenants);

  /// The owner of a key, or nothing.
  std::optional<Principal> find(std::string_view key) const;

 private:
  using Digest = std::array<std::uint8_t, 32>;
  struct Known {
    Digest digest{};
    Principal principal;
  };
  std::unordered_multimap<std::uint64_t, Known> keys_;  // by the digest's first 8 bytes
};

/// SHA-256, 32 bytes.
std::string sha256(std::string_view bytes);

}  // namespace cc::api
