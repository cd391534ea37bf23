#include "recording/oss_signature.hpp"

#include <algorithm>
#include <ctime>

#include "recording/digest.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr std::string_view algorithm = "OSS4-HMAC-SHA256";
constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string basic_time(std::int64_t now_ms) {
  const std::time_t seconds = static_cast<std::time_t>(now_ms / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts)};
}

std::string scope_of(const OssSigner& signer, const std::string& time) {
  return time.substr(0, 8) + "/" + signer.region + "/oss/aliyun_v4_request";
}

bool always_signed(const std::string& name) {
  return name == "content-type" || name == "content-md5" || name.starts_with("x-oss-");
}

/// Lower case, sorted, each once; without those that are signed anyway.
std::vector<std::string> additional_of(const OssSigned& request) {
  std::vector<std::string> names;
  for (const std::string& name : request.additional) {
    if (std::string small = lower(name); !always_signed(small)) names.push_back(std::move(small));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ';';
    text += name;
  }
  return text;
}

std::string canonical_headers(const OssSigned& request, const std::vector<std::string>& more) {
  TextPairs lines;
  for (const auto& [name, value] : request.headers) {
    const std::string small = lower(name);
    if (always_signed(small) || std::binary_search(more.begin(), more.end(), small)) {
      lines.emplace_back(small, std::string(trim(value)));
    }
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const auto& [name, value] : lines) text += name + ":" + value + "\n";
  return text;
}

const std::string* find(const TextPairs& headers, std::string_view name) {
  for (const auto& [its_name, value] : headers) {
    if (lower(its_name) == name) return &value;
  }
  return nullptr;
}

std::string sign(const OssSigner& signer, const OssSigned& request,
                 const std::vector<std::string>& more, const std::string& time) {
  std::string resource = "/" + request.bucket + "/" + request.key;
  const std::string* const payload = find(request.headers, "x-oss-content-sha256");
  std::string canonical = request.method + "\n" + uri_encode(resource, true) + "\n" +
                          oss_query(request.query) + "\n" + canonical_headers(request, more) +
                          "\n" + joined(more) + "\n";
  canonical += payload != nullptr ? std::string_view(*payload) : unsigned_payload;
  std::string to_sign(algorithm);
  to_sign.append("\n").append(time).append("\n").append(scope_of(signer, time)).append("\n");
  to_sign += to_hex(sha256_of(canonical));
  std::string key = hmac_sha256("aliyun_v4" + signer.access_key_secret, time.substr(0, 8));
  key = hmac_sha256(key, signer.region);
  key = hmac_sha256(key, "oss");
  key = hmac_sha256(key, "aliyun_v4_request");
  return to_hex(hmac_sha256(key, to_sign));
}

}  // namespace

std::string oss_query(const TextPairs& query) {
  TextPairs encoded;
  for (const auto& [name, value] : query) encoded.emplace_back(uri_encode(name), uri_encode(value));
  std::sort(encoded.begin(), encoded.end());
  std::string text;
  for (const auto& [name, value] : encoded) {
    if (!text.empty()) text += '&';
    text += name;
    if (!value.empty()) text += "=" + value;
  }
  return text;
}

TextPairs oss_signed_headers(const OssSigner& signer, OssSigned request, std::int64_t now_ms) {
  const std::string time = basic_time(now_ms);
  request.headers.emplace_back("x-oss-date", time);
  if (find(request.headers, "x-oss-content-sha256") == nullptr) {
    request.headers.emplace_back("x-oss-content-sha256", unsigned_payload);
  }
  if (!signer.security_token.empty()) {
    request.headers.emplace_back("x-oss-security-token", signer.security_token);
  }
  const std::vector<std::string> more = additional_of(request);
  std::string text(algorithm);
  text.append(" Credential=").append(signer.access_key_id).append("/");
  text.append(scope_of(signer, time));
  if (!more.empty()) text.append(",AdditionalHeaders=").append(joined(more));
  text.append(",Signature=").append(sign(signer, request, more, time));
  request.headers.emplace_back("Authorization", std::move(text));
  return std::move(request.headers);
}

std::string oss_presigned_query(const OssSigner& signer, OssSigned request, std::int64_t now_ms,
                                std::int64_t ttl) {
  const std::string time = basic_time(now_ms);
  const std::vector<std::string> more = additional_of(request);
  TextPairs& query = request.query;
  query.emplace_back("x-oss-signature-version", algorithm);
  query.emplace_back("x-oss-credential", signer.access_key_id + "/" + scope_of(signer, time));
  query.emplace_back("x-oss-date", time);
  query.emplace_back("x-oss-expires", std::to_string(ttl));
  if (!more.empty()) query.emplace_back("x-oss-additional-headers", joined(more));
  if (!signer.security_token.empty()) {
    query.emplace_back("x-oss-security-token", signer.security_token);
  }
  std::string signature = sign(signer, request, more, time);
  query.emplace_back("x-oss-signature", std::move(signature));
  return oss_query(query);
}

}  // namespace cc
