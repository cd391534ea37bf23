// The registry of coded kinds, and how a verdict is told.
#include <algorithm>
#include <array>

#include "channel.hpp"
#include "e9.hpp"
#include "hw.hpp"

namespace cc {

namespace {

/// One line a kind. Functions rather than objects: no order of initialisation to worry about.
constexpr std::array<const Channel& (*)(), 2> kinds = {
    e9_channel,
    hw_channel,
};

}  // namespace

std::string_view to_text(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::accepted:
      return "accepted";
    case Verdict::bad_method:
      return "bad_method";
    case Verdict::bad_token:
      return "bad_token";
    case Verdict::bad_address:
      return "bad_address";
    case Verdict::bad_signature:
      return "bad_signature";
    case Verdict::foreign_app:
      return "foreign_app";
    case Verdict::too_large:
      return "too_large";
  }
  return "bad_token";
}

unsigned http_status(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::accepted:
      return 200;
    case Verdict::bad_method:
      return 405;
    case Verdict::too_large:
      return 413;
    default:
      return 403;
  }
}

bool address_accepted(std::string_view address, const Trust& trust) noexcept {
  if (trust.addresses.empty()) return true;
  const auto parsed = parse_address(address);
  return parsed && std::any_of(trust.addresses.begin(), trust.addresses.end(),
                               [&](const Network& network) { return network.contains(*parsed); });
}

CanaryBody Channel::canary(std::string_view /*id*/, std::string_view /*account*/) const {
  return {};
}

const Channel* find_channel(std::string_view kind) noexcept {
  for (const auto channel : kinds) {
    if (channel().kind() == kind) return &channel();
  }
  return nullptr;
}

std::string known_kinds() {
  std::string names;
  for (const auto channel : kinds) {
    if (!names.empty()) names += ", ";
    names += channel().kind();
  }
  return names;
}

}  // namespace cc
