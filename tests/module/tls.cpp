#include "tls.hpp"

#include <stdexcept>

#include "http.hpp"

namespace cc::test {
namespace {

const std::string host = "https://callbacks.example";

}  // namespace

Certificate::Certificate() {
  auto made =
      run({.command = {"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                       "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                       "/CN=callbacks.example", "-addext", "subjectAltName=DNS:callbacks.example",
                       "-keyout", folder_.file("callbacks.key"), "-out", file()}});
  if (made.status != 0) throw std::runtime_error("openssl:\n" + made.output);
}

std::string Certificate::listener() const {
  return "listen unix:@DIR@/tls.sock ssl http2; ssl_certificate " + file() +
         "; ssl_certificate_key " + folder_.file("callbacks.key") + ";";
}

std::string tls_socket(const TempDir& nginx_folder) {
  return nginx_folder.file("tls.sock");
}

TlsClient::TlsClient(const Certificate& certificate, const std::string& socket, Http version)
    : curl_(curl_easy_init(), curl_easy_cleanup) {
  CURL* curl = curl_.get();
  curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
  curl_easy_setopt(curl, CURLOPT_CAINFO, certificate.file().c_str());
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
                   version == Http::two ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);  // senders are threads
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
  curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/xml");
  headers = curl_slist_append(headers, "Expect:");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  headers_.reset(headers);
  curl_easy_setopt(
      curl, CURLOPT_WRITEFUNCTION, +[](char* bytes, size_t, size_t count, void* self) {
        static_cast<TlsClient*>(self)->answer_.append(bytes, count);
        return count;
      });
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
}

void TlsClient::tls_at_most(long version) {
  curl_easy_setopt(curl_.get(), CURLOPT_SSLVERSION, version);
}

int TlsClient::post(const std::string& body, const std::string& token) {
  CURL* curl = curl_.get();
  answer_.clear();
  std::string url = host + callback_path(token);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  CURLcode code = curl_easy_perform(curl);
  long status = 0, made = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &made);
  curl_easy_getinfo(curl, CURLINFO_HTTP_VERSION, &http_version_);
  connections_ += made;
  return code == CURLE_OK ? static_cast<int>(status) : 0;
}

}  // namespace cc::test
