// NGINX's TLS for tests, and a client of it that keeps its connection.
#pragma once

#include <memory>
#include <string>

#include <curl/curl.h>

#include "process.hpp"

namespace cc::test {

enum class Http { one, two };

/// A certificate of our own for callbacks.example, made anew each time.
class Certificate {
 public:
  Certificate();
  std::string file() const { return folder_.file("callbacks.crt"); }
  /// For NginxSettings.server: a listener on a unix socket that speaks both versions of HTTP.
  std::string listener() const;

 private:
  TempDir folder_;
};

/// Where the listener is, in NGINX's folder.
std::string tls_socket(const TempDir& nginx_folder);

class TlsClient {
 public:
  TlsClient(const Certificate& certificate, const std::string& socket, Http version);
  TlsClient(const TlsClient&) = delete;  // curl knows where it is

  /// POSTs to NGINX's callbacks; the status, or 0 where no whole answer came.
  int post(const std::string& body, const std::string& token);
  std::string answer() const { return answer_; }
  /// How many connections had to be made up to now.
  long connections() const noexcept { return connections_; }
  long http_version() const noexcept { return http_version_; }
  void tls_at_most(long version);  // CURL_SSLVERSION_MAX_…

 private:
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers_{nullptr, curl_slist_free_all};
  std::unique_ptr<CURL, void (*)(CURL*)> curl_;
  std::string answer_;
  long connections_ = 0;
  long http_version_ = 0;
};

}  // namespace cc::test
