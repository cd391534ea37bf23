#include "keys.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <zlib.h>

#include <openssl/evp.h>

namespace cc {

namespace {

/// SHA-256 over parts, each preceded by its length.
class PartsHash {
 public:
  PartsHash() : context_(EVP_MD_CTX_new()) {
    // Fetched once: OpenSSL 3 looks a digest up by name at each use otherwise.
    static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    if (!context_ || EVP_DigestInit_ex(context_.get(), sha256, nullptr) != 1) fail();
  }

  void add(std::string_view part) {
    std::array<std::uint8_t, 8> length{};
    std::uint64_t rest = part.size();
    for (auto byte = length.rbegin(); byte != length.rend(); ++byte) {
      *byte = static_cast<std::uint8_t>(rest & 0xFF);
      rest >>= 8;
    }
    update(length.data(), length.size());
    update(part.data(), part.size());
  }

  DeliveryKey finish() {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
    if (EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) != 1) fail();
    DeliveryKey key{};
    std::copy_n(digest.begin(), key.size(), key.begin());
    return key;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };

  [[noreturn]] static void fail() {
    throw std::runtime_error("OpenSSL refuses SHA-256: is its default provider installed?");
  }

  void update(const void* data, std::size_t size) {
    if (EVP_DigestUpdate(context_.get(), data, size) != 1) fail();
  }

  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace

DeliveryKey delivery_key(const Delivery& delivery) {
  PartsHash hash;
  hash.add(delivery.channel);
  // Cut as the envelope cuts: a delivery has one key before and after its travel.
  if (delivery.source == Source::poll) {
    hash.add(std::string_view(delivery.subject).substr(0, max_subject));
    hash.add(std::to_string(delivery.received_ms));
  } else {
    hash.add(std::string_view(delivery.query_string).substr(0, max_query_string));
  }
  hash.add(delivery.body);
  return hash.finish();
}

std::uint16_t EventKey::ordinal() const noexcept {
  return static_cast<std::uint16_t>((bytes[16] << 8) | bytes[17]);
}

std::string_view EventKey::view() const noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

EventKey event_key(const DeliveryKey& delivery, std::uint16_t ordinal) {
  EventKey key;
  std::copy(delivery.begin(), delivery.end(), key.bytes.begin());
  key.bytes[16] = static_cast<std::uint8_t>(ordinal >> 8);
  key.bytes[17] = static_cast<std::uint8_t>(ordinal & 0xFF);
  return key;
}

EventKey own_event_key(std::int64_t call, int attempt, std::string_view name,
                       std::uint16_t ordinal) {
  PartsHash hash;
  hash.add("cc");
  hash.add(std::to_string(call));
  hash.add(std::to_string(attempt));
  hash.add(name);
  hash.add(std::to_string(ordinal));
  return event_key(hash.finish(), ordinal);
}

std::uint32_t crc32(std::string_view bytes, std::uint32_t before) noexcept {
  if (bytes.empty()) return before;  // zlib would begin anew
  return static_cast<std::uint32_t>(
      ::crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

std::uint32_t partition_hash(std::string_view subject, std::string_view channel_call_id,
                             std::string_view body) noexcept {
  if (!subject.empty()) return crc32(subject.substr(0, max_subject));
  return crc32(channel_call_id.empty() ? body : channel_call_id);
}

unsigned partition_of(const Delivery& delivery, std::string_view channel_call_id,
                      unsigned partitions) {
  if (partitions <= 1) return 0;
  const bool has_subject = delivery.source == Source::poll || delivery.source == Source::query;
  return partition_hash(has_subject ? std::string_view(delivery.subject) : std::string_view{},
                        channel_call_id, delivery.body) %
         partitions;
}

}  // namespace cc
