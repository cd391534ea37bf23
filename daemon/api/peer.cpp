#include "peer.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>

#include "text.hpp"

namespace cc::api {
namespace {

constexpr std::size_t most_hops = 32;

/// Takes elements of all X-Forwarded-For headers from the last one on.
class Backwards {
 public:
  explicit Backwards(const Request& request) {
    for (const auto& [name, value] : request.headers) {
      if (name == "x-forwarded-for") lines_.push_back(value);
    }
  }

  std::optional<std::string_view> next() {
    if (lines_.empty()) return std::nullopt;
    std::string_view& line = lines_.back();
    const auto comma = line.rfind(',');
    const std::string_view element =
        comma == std::string_view::npos ? line : line.substr(comma + 1);
    if (comma == std::string_view::npos) {
      lines_.pop_back();
    } else {
      line = line.substr(0, comma);
    }
    return trim(element);
  }

 private:
  std::vector<std::string_view> lines_;
};

}  // namespace

std::string to_text(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool is_v4 = std::all_of(address.begin(), address.begin() + 10,
                                 [](std::uint8_t byte) { return byte == 0; }) &&
                     address[10] == 0xFF && address[11] == 0xFF;
  const auto* const bytes = address.data() + (is_v4 ? 12 : 0);
  if (::inet_ntop(is_v4 ? AF_INET : AF_INET6, bytes, text.data(), text.size()) == nullptr)
    return {};
  return text.data();
}

std::string client_of(const Peer& peer, const Request& request,
                      const std::vector<Network>& trusted) {
  const auto trusts = [&](const IpAddress& address) {
    return std::any_of(trusted.begin(), trusted.end(),
                       [&](const Network& network) { return network.contains(address); });
  };
  std::optional<IpAddress> client = peer.address;
  Backwards said(request);
  for (std::size_t hop = 0; (hop == 0 && peer.local) || (client && trusts(*client)); ++hop) {
    if (hop == most_hops) return {};
    const auto element = said.next();
    if (!element) break;
    client = parse_address(*element);
  }
  return client ? to_text(*client) : std::string();
}

}  // namespace cc::api
