#include "origin.hpp"

#include <algorithm>

#include "text.hpp"

namespace cc::api {
namespace {

constexpr std::size_t longest_host = 255;  // bytes, port and all

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_port(std::string_view text) {
  const auto port = parse_integer(text);
  return port && *port >= 1 && *port <= 65'535 && is_digit(text.front());
}

bool is_name(std::string_view text) {
  return !text.empty() && text.front() != '.' && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_digit(c) || is_letter(c) || c == '.' || c == '-' || c == '_';
         });
}

/// "[2001:db8::1]" or a name; `rest` becomes what stands behind it.
bool takes_host(std::string_view text, std::string_view& rest) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view address = text.substr(1, end - 1);
    if (address.find(':') == std::string_view::npos || !parse_address(address)) return false;
    rest = text.substr(end + 1);
    return true;
  }
  const auto colon = std::min(text.find(':'), text.size());
  rest = text.substr(colon);
  return is_name(text.substr(0, colon));
}

bool is_trusted(const Peer& peer, const std::vector<Network>& trusted) {
  if (peer.local) return true;
  return peer.address && std::any_of(trusted.begin(), trusted.end(), [&](const Network& network) {
           return network.contains(*peer.address);
         });
}

}  // namespace

bool is_host(std::string_view text) noexcept {
  std::string_view rest;
  if (text.empty() || text.size() > longest_host || !takes_host(text, rest)) return false;
  return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
}

std::string origin_of(const Peer& peer, const Request& request, const std::vector<Network>& trusted,
                      std::string_view public_url) {
  if (!public_url.empty()) {
    while (public_url.ends_with('/')) public_url.remove_suffix(1);
    return std::string(public_url);
  }
  const std::string* host = request.header("host");
  if (host == nullptr || request.header_count("host") != 1 || !is_host(*host)) return {};
  const std::string* scheme = request.header("x-forwarded-proto");
  const bool secure = scheme != nullptr && request.header_count("x-forwarded-proto") == 1 &&
                      *scheme == "https" && is_trusted(peer, trusted);
  std::string_view shown = *host;
  const std::string_view usual = secure ? ":443" : ":80";
  if (shown.ends_with(usual)) shown.remove_suffix(usual.size());
  return std::string(secure ? "https://" : "http://").append(shown);
}

}  // namespace cc::api
