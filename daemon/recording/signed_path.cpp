#include "recording/signed_path.hpp"

#include <algorithm>
#include <array>

#include "recording/digest.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr std::string_view root = "/v1/files/";
constexpr std::size_t most_target = 4096;
constexpr std::size_t most_name = 512, most_segment = 200, most_segments = 16;

/// What the signature says yes to; each part with its length, so that none can lend to another.
std::string signature_of(std::string_view key, const SignedPath& path) {
  const std::string expires = std::to_string(path.expires_s);
  std::string text = "cc file 1\n";
  for (const std::string* part : {&path.name, &expires, &path.content_type, &path.file_name}) {
    text += std::to_string(part->size()) + ":" + *part + "\n";
  }
  return base64url_of(hmac_sha256(key, text));
}

}  // namespace

std::string make_signed_path(std::string_view key, const SignedPath& path) {
  std::string target = std::string(root) + uri_encode(path.name, true) +
                       "?expires=" + std::to_string(path.expires_s) +
                       "&type=" + uri_encode(path.content_type);
  if (!path.file_name.empty()) target += "&filename=" + uri_encode(path.file_name);
  return target + "&signature=" + signature_of(key, path);
}

std::optional<SignedPath> read_signed_path(std::string_view key, std::string_view target) {
  const std::size_t mark = target.find('?');
  if (target.size() > most_target || mark == std::string_view::npos || !target.starts_with(root)) {
    return std::nullopt;
  }
  const auto name = percent_decode(target.substr(root.size(), mark - root.size()));
  if (!name || !is_object_name(*name)) return std::nullopt;

  constexpr std::array<std::string_view, 4> names{"expires", "type", "filename", "signature"};
  std::array<std::optional<std::string>, 4> values;
  for (std::string_view rest = target.substr(mark + 1);;) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto* const known = std::find(names.begin(), names.end(), pair.substr(0, equals));
    if (known == names.end()) return std::nullopt;
    auto& value = values[static_cast<std::size_t>(known - names.begin())];
    if (value) return std::nullopt;
    value = percent_decode(pair.substr(equals + 1));
    if (!value) return std::nullopt;
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
  }
  if (!values[0] || !values[1] || !values[3]) return std::nullopt;
  const auto expires = parse_integer(*values[0]);
  if (!expires || std::to_string(*expires) != *values[0]) return std::nullopt;
  SignedPath path{*name, *expires, *values[1], values[2].value_or("")};
  if (!equal_in_constant_time(signature_of(key, path), *values[3])) return std::nullopt;
  return path;
}

bool is_object_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > most_name) return false;
  std::size_t segments = 0;
  for (std::string_view rest = name;;) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view segment = rest.substr(0, end);
    if (segment.empty() || segment.size() > most_segment || segment == "." || segment == "..") {
      return false;
    }
    if (++segments > most_segments) return false;
    for (const char c : segment) {
      if (c < ' ' || c > '~' || c == '\\') return false;
    }
    if (end == rest.size()) return true;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace cc
