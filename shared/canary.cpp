#include "canary.hpp"

#include "text.hpp"

namespace cc {
namespace {

/// FNV-1a: the few locations of an installation need telling apart, not protecting.
std::uint32_t hash_of(std::string_view text) noexcept {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

std::string eight_digits(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFFU);
  return to_hex(bytes);
}

}  // namespace

std::string make_canary_id(std::string_view location, std::uint32_t nonce) {
  return std::string(canary_mark) + eight_digits(hash_of(location)) + eight_digits(nonce);
}

std::string_view find_canary(std::string_view body) noexcept {
  const std::size_t at = body.find(canary_mark);
  if (at == std::string_view::npos) return {};
  const std::string_view id = body.substr(at, canary_size);
  return is_canary(id) ? id : std::string_view();
}

}  // namespace cc
