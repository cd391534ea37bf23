// Who asks: the keys of all tenants. They are held as digests; a key itself is never kept.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config.hpp"
#include "network.hpp"

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
  using Digest = std::array<char, 32>;

  /// A key, and what has to hold for it to open anything: see authenticate.hpp.
  struct Known {
    Digest digest{};
    Principal principal;
    std::int64_t expires_ms = 0;  // 0 = never
    bool revoked = false;
    bool stored = false;            // its use is written down
    std::vector<Network> networks;  // it may be used from; empty = anywhere
  };

  explicit KeyRing(const std::map<std::string, Tenant>& tenants);

  /// Null where nobody has this key. Lives as long as the ring.
  const Known* find(std::string_view key) const;

 private:
  std::unordered_multimap<std::uint64_t, Known> keys_;  // by the digest's first 8 bytes
};

/// SHA-256, 32 bytes.
std::string sha256(std::string_view bytes);

}  // namespace cc::api
