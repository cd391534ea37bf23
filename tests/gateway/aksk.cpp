#include "aksk.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <vector>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "options.hpp"

namespace gateway {

namespace {

constexpr std::int64_t most_skew = 15 * 60 * 1000;  // ms

std::string hex(std::string_view bytes, char const* digits) {
  std::string out;
  for (char c : bytes) {
    auto const byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::string hmac(std::string const& key, std::string const& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned int length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<unsigned char const*>(text.data()), text.size(), sum.data(), &length);
  return hex({reinterpret_cast<char const*>(sum.data()), length}, "0123456789abcdef");
}

std::string encoded(std::string_view text) {
  std::string out;
  for (char c : text) {
    bool const plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    out += plain ? std::string(1, c) : "%" + hex({&c, 1}, "0123456789ABCDEF");
  }
  return out;
}

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (;;) {
    auto const end = text.find(at);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string_view trimmed(std::string_view text) {
  auto const begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Epoch ms of yyyy-MM-ddTHH:mm:ssZ, -1 if it is none.
std::int64_t time_of(std::string const& text) {
  std::tm parts{};
  auto const end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (text.size() != 20 || !end || *end != '\0') return -1;
  return static_cast<std::int64_t>(timegm(&parts)) * 1000;
}

}  // namespace

std::string signature_fault(Request const& request, Target const& target, Options const& options,
                            std::int64_t now) {
  auto const parts = split(request["Authorization"], '/');
  if (parts.size() != 5 || parts[0] != "auth-v2")
    return "Authorization is not auth-v2/{accessKey}/{time}/{signedHeaders}/{signature}";
  if (parts[1] != options.file_access_key) return "no such access key";
  auto const at = time_of(parts[2]);
  if (at < 0) return "the time is not yyyy-MM-ddTHH:mm:ssZ";
  if (std::llabs(now - at) > most_skew) return "the time is more than 15 minutes off";
  auto const names = split(parts[3], ';');
  if (std::ranges::find(names, "host") == names.end()) return "host is not signed";
  std::string headers;
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto const& name = names[i];
    if (i > 0 && names[i - 1] >= name) return "the signed headers are not in order";
    if (std::ranges::any_of(name, [](char c) { return c >= 'A' && c <= 'Z'; }))
      return "the signed headers' names are not in lower case";
    if (request.find(name) == request.end()) return "a signed header is not in the request";
    headers += (i > 0 ? "\n" : "") + encoded(name) + ":" + encoded(trimmed(request[name]));
  }
  auto const prefix = "auth-v2/" + parts[1] + "/" + parts[2] + "/" + parts[3];
  auto canonical = std::string(request.method_string()) + "\n" + target.path + "\n";
  if (!target.query.empty()) canonical += target.query + "\n";
  canonical += parts[3] + "\n" + headers + "\n" + encoded(request.body());
  if (hmac(hmac(options.file_secret_key, prefix), canonical) != parts[4])
    return "the signature is another";
  return "";
}

}  // namespace gateway
