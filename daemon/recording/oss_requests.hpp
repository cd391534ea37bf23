// The requests that OSS understands, and where they go. Pure: credentials and time are passed in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config.hpp"
#include "io/http_client.hpp"
#include "recording/object_store.hpp"
#include "recording/oss_credentials.hpp"
#include "recording/oss_signature.hpp"

namespace cc {

/// One that nobody has signed yet.
struct OssRequest {
  std::string method;
  std::string key;  // prefix and name; empty = the bucket
  TextPairs query;  // not encoded
  TextPairs headers;
  std::string body;
  bool only_once = false;  // not to be sent again behind our back
};

class OssRequests {
 public:
  explicit OssRequests(OssAccount account);

  /// `md5`: the body's, 16 bytes.
  OssRequest put(const std::string& name, const std::string& content_type, std::string body,
                 const std::string& md5) const;
  OssRequest initiate(const std::string& name, const std::string& content_type) const;
  OssRequest part(const std::string& name, const std::string& upload, unsigned number,
                  std::string body, const std::string& md5) const;
  /// `etags` of the parts 1, 2, …
  OssRequest complete(const std::string& name, const std::string& upload,
                      const std::vector<std::string>& etags) const;
  OssRequest abort(const std::string& name, const std::string& upload) const;
  OssRequest uploads(const std::string& name) const;  // of keys that begin with it
  OssRequest head(const std::string& name) const;
  OssRequest remove(const std::string& name) const;

  /// As it is to be sent now. Takes the request's body away.
  HttpRequest sign(OssRequest& request, const OssCredentials& credentials,
                   std::int64_t now_ms) const;

  std::string key(const std::string& name) const { return account_.prefix + name; }
  std::string address(const std::string& name) const;
  /// No longer than the credentials are good.
  SignedUrl signed_url(const SignWish& wish, const OssCredentials& credentials) const;

 private:
  /// "https://bucket.endpoint" or "https://endpoint/bucket", then "/key".
  std::string url(const std::string& endpoint, const std::string& key) const;
  const std::string& public_endpoint() const;
  void keep_as_configured(OssRequest& request) const;

  OssAccount account_;
};

}  // namespace cc
