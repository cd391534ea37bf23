#include "config_check.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <memory>
#include <sys/un.h>

#include <libpq-fe.h>

#include "network.hpp"
#include "text.hpp"

namespace cc {
namespace {

bool is_address(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

}  // namespace

bool consists_of(std::string_view text, std::string_view extra, bool upper) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (upper && c >= 'A' && c <= 'Z') ||
           extra.find(c) != std::string_view::npos;
  });
}

bool is_name(std::string_view text, std::size_t width) {
  return !text.empty() && text.size() <= width && consists_of(text, "._-", true);
}

bool is_digits(std::string_view text, std::size_t width) {
  return !text.empty() && text.size() <= width &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string wrong_endpoint(const std::string& text) {
  if (text.starts_with("unix:")) {
    const std::string path = text.substr(5);
    if (!path.starts_with('/')) return "a unix socket needs an absolute path: unix:/path";
    if (path.size() >= sizeof(sockaddr_un::sun_path)) {
      return "the socket's path may have at most " +
             std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes";
    }
    return {};
  }
  const auto colon = text.rfind(':');
  std::string host = colon == std::string::npos ? text : text.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return "an IPv6 address goes into brackets: [::1]:8180";
  }
  const auto number = parse_integer(port);
  if (!is_address(host) || !number || *number < 0 || *number > 65535) {
    return "must be address:port (an IP address, not a name) or unix:/path";
  }
  return {};
}

std::string libpq_quoted(std::string_view value) {
  std::string result = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

std::optional<std::string> checked_conninfo(const YamlValue& value, const std::string& text) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(text.c_str(), &message), &PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> owned(message, &PQfreemem);
  if (!options) {
    // libpq's message may repeat a part of the string, and that part may be a password.
    value.complain(
        "is no connection string of libpq; write keyword=value pairs, like "
        "\"host=/var/run/postgresql dbname=cc user=cc\"");
    return std::nullopt;
  }
  std::string result;
  bool addressed = false;
  std::string host;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr || *option->val == '\0') continue;
    const std::string_view keyword = option->keyword;
    if (keyword == "password") {
      value.complain("must hold no password: give it as postgres.password: file:/path");
      return std::nullopt;
    }
    if (keyword == "hostaddr") addressed = true;
    if (keyword == "host") host = option->val;
    result.append(result.empty() ? "" : " ")
        .append(keyword)
        .append("=")
        .append(libpq_quoted(option->val));
  }
  if (!addressed && !host.empty()) {
    std::string_view rest = host;
    while (!rest.empty()) {
      const std::string one(rest.substr(0, rest.find(',')));
      rest.remove_prefix(std::min(rest.size(), one.size() + 1));
      if (!one.starts_with('/') && !one.starts_with('@') && !is_address(one)) {
        value.complain("host=" + one +
                       " is a name, and resolving it would block; use an address or a socket "
                       "directory, or add hostaddr=");
        return std::nullopt;
      }
    }
  }
  return result;
}

std::vector<std::string> read_networks(const YamlValue& value) {
  constexpr std::size_t most = 64;
  std::vector<std::string> networks;
  for (const YamlValue& item : value.items()) {
    const auto text = item.text();
    if (!text) continue;
    if (const auto network = parse_network(*text); !network) item.complain(network.error().message);
    networks.push_back(*text);
  }
  if (networks.size() > most) {
    value.complain("names " + std::to_string(networks.size()) + " networks, at most " +
                   std::to_string(most) + " can be; sum them up");
  }
  return networks;
}

}  // namespace cc
