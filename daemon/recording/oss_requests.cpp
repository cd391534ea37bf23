#include "recording/oss_requests.hpp"

#include <algorithm>
#include <utility>

#include "recording/digest.hpp"

namespace cc {
namespace {

constexpr std::size_t most_answer = 256 * 1024;
constexpr int most_ttl = 7 * 24 * 3600;  // seconds; OSS's own limit

/// "https://host:port": scheme and no slash at the end.
std::string tidy(std::string endpoint) {
  if (endpoint.empty()) return endpoint;
  if (endpoint.find("://") == std::string::npos) endpoint.insert(0, "https://");
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return endpoint;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else {
      out += c;
    }
  }
  return out;
}

/// RFC 6266. Players ignore it; a browser that saves calls the file so.
std::string disposition(const std::string& file_name) {
  std::string ascii;
  for (const char c : file_name) {
    ascii += c < ' ' || c > '~' || c == '"' || c == '\\' || c == '%' ? '_' : c;
  }
  std::string text = "inline; filename=\"" + ascii + "\"";
  if (ascii != file_name) text += "; filename*=UTF-8''" + uri_encode(file_name);
  return text;
}

}  // namespace

OssRequests::OssRequests(OssAccount account) : account_(std::move(account)) {
  account_.endpoint = tidy(std::move(account_.endpoint));
  account_.public_endpoint = tidy(std::move(account_.public_endpoint));
}

const std::string& OssRequests::public_endpoint() const {
  return account_.public_endpoint.empty() ? account_.endpoint : account_.public_endpoint;
}

std::string OssRequests::url(const std::string& endpoint, const std::string& key_of) const {
  const std::string path = "/" + uri_encode(key_of, true);
  if (account_.path_style) return endpoint + "/" + account_.bucket + path;
  const std::size_t host = endpoint.find("://") + 3;
  return endpoint.substr(0, host) + account_.bucket + "." + endpoint.substr(host) + path;
}

void OssRequests::keep_as_configured(OssRequest& request) const {
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) request.headers.emplace_back(name, value);
  };
  add("x-oss-server-side-encryption", account_.encryption);
  if (account_.encryption == "KMS") add("x-oss-server-side-encryption-key-id", account_.kms_key);
  add("x-oss-storage-class", account_.storage_class);
}

OssRequest OssRequests::put(const std::string& name, const std::string& content_type,
                            std::string body, const std::string& md5) const {
  OssRequest request{"PUT", key(name), {}, {}, std::move(body), false};
  request.headers.emplace_back("Content-MD5", base64_of(md5));
  request.headers.emplace_back("Content-Type", content_type);
  keep_as_configured(request);
  return request;
}

OssRequest OssRequests::initiate(const std::string& name, const std::string& content_type) const {
  // Sent twice it would begin two uploads, of which we would know one.
  OssRequest request{"POST", key(name), {{"uploads", ""}}, {}, {}, true};
  request.headers.emplace_back("Content-Type", content_type);
  keep_as_configured(request);
  return request;
}

OssRequest OssRequests::part(const std::string& name, const std::string& upload, unsigned number,
                             std::string body, const std::string& md5) const {
  OssRequest request{"PUT", key(name), {}, {}, std::move(body), false};
  request.query = {{"partNumber", std::to_string(number)}, {"uploadId", upload}};
  request.headers.emplace_back("Content-MD5", base64_of(md5));
  return request;
}

OssRequest OssRequests::complete(const std::string& name, const std::string& upload,
                                 const std::vector<std::string>& etags) const {
  std::string body = "<CompleteMultipartUpload>";
  for (std::size_t i = 0; i < etags.size(); ++i) {
    body += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" +
            escaped(etags[i]) + "</ETag></Part>";
  }
  body += "</CompleteMultipartUpload>";
  Md5 md5;
  md5.add(body);
  OssRequest request{"POST", key(name), {{"uploadId", upload}}, {}, std::move(body), false};
  request.headers.emplace_back("Content-MD5", base64_of(md5.take()));
  request.headers.emplace_back("Content-Type", "application/xml");
  return request;
}

OssRequest OssRequests::abort(const std::string& name, const std::string& upload) const {
  return {"DELETE", key(name), {{"uploadId", upload}}, {}, {}, false};
}

OssRequest OssRequests::uploads(const std::string& name) const {
  return {"GET", "", {{"uploads", ""}, {"prefix", key(name)}, {"max-uploads", "100"}},
          {},    {}, false};
}

OssRequest OssRequests::head(const std::string& name) const {
  return {"HEAD", key(name), {}, {}, {}, false};
}

OssRequest OssRequests::remove(const std::string& name) const {
  return {"DELETE", key(name), {}, {}, {}, false};
}

HttpRequest OssRequests::sign(OssRequest& request, const OssCredentials& credentials,
                              std::int64_t now_ms) const {
  const OssSigner signer{credentials.access_key_id, credentials.access_key_secret,
                         credentials.security_token, account_.region};
  HttpRequest http;
  http.method = request.method;
  http.url = url(account_.endpoint, request.key);
  if (!request.query.empty()) http.url += "?" + oss_query(request.query);
  http.headers = oss_signed_headers(
      signer, {request.method, account_.bucket, request.key, request.query, request.headers, {}},
      now_ms);
  http.body = std::move(request.body);
  // The length that HEAD tells is the object's, and counts.
  http.max_answer = request.method == "HEAD" ? std::size_t{1} << 60 : most_answer;
  http.ca_file = account_.ca_file;
  http.only_once = request.only_once;
  return http;
}

std::string OssRequests::address(const std::string& name) const {
  return url(public_endpoint(), key(name));
}

SignedUrl OssRequests::signed_url(const SignWish& wish, const OssCredentials& credentials) const {
  const OssSigner signer{credentials.access_key_id, credentials.access_key_secret,
                         credentials.security_token, account_.region};
  OssSigned request{"GET", account_.bucket, key(wish.name), {}, {}, {}};
  if (!wish.file_name.empty()) {
    request.query.emplace_back("response-content-disposition", disposition(wish.file_name));
  }
  if (!wish.content_type.empty()) {
    request.query.emplace_back("response-content-type", wish.content_type);
  }
  const std::int64_t now_s = wish.now_ms / 1000;  // signatures count whole seconds
  std::int64_t ttl = std::clamp(wish.ttl, 1, most_ttl);
  if (credentials.expires_ms) {
    ttl = std::max<std::int64_t>(1, std::min(ttl, *credentials.expires_ms / 1000 - now_s));
  }
  return {address(wish.name) + "?" +
              oss_presigned_query(signer, std::move(request), wish.now_ms, ttl),
          (now_s + ttl) * 1000};
}

}  // namespace cc
