// Canaries: deliveries of our own that take the way of every callback, to see that it is open
// (rules.md, "Health"). They are told by their call id, which no channel gives to a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cc {

/// What such an id begins with: 64 bits that nobody draws by chance, and no UUID either (its 13th
/// digit is the version).
inline constexpr std::string_view canary_mark = "cca0a7ffcca0f1ea";
/// Behind the mark stands which location it was sent to; then what makes each one another.
inline constexpr std::size_t canary_location_end = 24;
inline constexpr std::size_t canary_size = 32;

/// 32 hex digits: the mark, a hash of `location`, `nonce`.
std::string make_canary_id(std::string_view location, std::uint32_t nonce);

/// Cheap: asked of each delivery's call id. True only for what make_canary_id can have made.
inline bool is_canary(std::string_view call_id) noexcept {
  return call_id.size() == canary_size && call_id.starts_with(canary_mark) &&
         call_id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The id of a canary somewhere in a body that nobody can read; empty = there is none.
std::string_view find_canary(std::string_view body) noexcept;

}  // namespace cc
