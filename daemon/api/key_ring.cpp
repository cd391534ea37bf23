#include "key_ring.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "text.hpp"

namespace cc::api {
namespace {

std::uint64_t head_of(const void* digest) noexcept {
  std::uint64_t head = 0;
  std::memcpy(&head, digest, sizeof head);
  return head;
}

unsigned scope_bit(std::string_view name) noexcept {
  for (const Scope scope : {Scope::call, Scope::read, Scope::numbers, Scope::admin}) {
    if (to_text(scope) == name) return static_cast<unsigned>(scope);
  }
  return 0;
}

constexpr std::size_t max_key = 512;

}  // namespace

std::string_view to_text(Scope scope) noexcept {
  switch (scope) {
    case Scope::none:
      return "none";
    case Scope::call:
      return "call";
    case Scope::read:
      return "read";
    case Scope::numbers:
      return "numbers";
    case Scope::admin:
      return "admin";
  }
  return "";
}

KeyRing::KeyRing(const std::map<std::string, Tenant>& tenants) {
  for (const auto& [name, tenant] : tenants) {
    const auto shared = std::make_shared<const Tenant>(tenant);
    for (const ApiKey& key : tenant.keys) {
      std::vector<Network> networks;
      for (const std::string& address : key.addresses) {
        const auto network = parse_network(address);
        // Checked when it was given. One that nobody understands must not open the key to all.
        networks.push_back(network ? *network : Network{});
      }
      for (const ApiKey::Secret& secret : key.secrets) {
        const auto digest = from_hex(secret.sha256);
        if (!digest || digest->size() != sizeof(Digest)) continue;  // read_config refuses it
        Known known;
        std::memcpy(known.digest.data(), digest->data(), known.digest.size());
        known.principal.tenant = shared;
        known.principal.key = key.id;
        for (const std::string& scope : key.scopes) known.principal.scopes |= scope_bit(scope);
        known.expires_ms = secret.expires_ms;
        known.revoked = secret.revoked;
        known.stored = secret.stored;
        known.networks = networks;
        keys_.emplace(head_of(digest->data()), std::move(known));
      }
    }
  }
}

const KeyRing::Known* KeyRing::find(std::string_view key) const {
  if (key.empty() || key.size() > max_key) return nullptr;
  const std::string digest = sha256(key);
  const auto [begin, end] = keys_.equal_range(head_of(digest.data()));
  for (auto known = begin; known != end; ++known) {
    if (CRYPTO_memcmp(known->second.digest.data(), digest.data(), sizeof(Digest)) == 0) {
      return &known->second;
    }
  }
  return nullptr;
}

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  unsigned length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL has no SHA-256");
  }
  return {digest.begin(), digest.end()};
}

}  // namespace cc::api
