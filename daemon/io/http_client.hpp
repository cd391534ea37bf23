// HTTP requests to channels: libcurl's multi interface on the loop. What matters here is to know,
// of a request that failed, whether its first byte can have left: a call must not be placed twice.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace cc {

namespace asio = boost::asio;

struct HttpRequest {
  std::string method = "GET";
  std::string url;  // http or https; may hold a secret: never logged
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::chrono::milliseconds connect_timeout{3000};  // DNS, TCP and TLS
  std::chrono::milliseconds timeout{30000};         // the whole exchange
  std::size_t max_answer = 1 << 20;                 // bytes of body; more is a failure
  std::string ca_file;                              // empty = the system's

  /// Of a URL that came from outside: only addresses of the public internet are spoken to.
  bool public_only = false;

  /// A kept-alive connection that the peer has just closed makes curl send again by itself. True =
  /// a connection of its own, so that each byte leaves at most once.
  bool only_once = false;

  /// Asked when the connection stands, just before the first byte of the request. False = don't
  /// send.
  std::function<bool()> may_send;
};

struct HttpExchange {
  enum class End : std::uint8_t {
    answered,      // a complete answer
    not_resolved,  // from here to `withheld`: not one byte of the request left
    not_connected,
    tls_failed,
    withheld,   // may_send said no
    broken,     // anything after the first byte: reset, cut short, too large
    timed_out,  // after the first byte
  };
  End end = End::not_connected;
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  std::string problem;  // for logs: no URL, no body
  std::string sent;     // the request's body again, so that it need not be copied for another try
  std::chrono::milliseconds elapsed{0};

  bool answered() const noexcept { return end == End::answered; }
  bool nothing_sent() const noexcept { return end >= End::not_resolved && end <= End::withheld; }
};

std::string_view to_text(HttpExchange::End end) noexcept;

class HttpDownload;

class HttpClient {
 public:
  /// `most_kept_alive`: idle connections. Curl looks for one among all that it has: thousands of
  /// long polls are better spread over some clients.
  explicit HttpClient(asio::any_io_executor executor, long most_kept_alive = 128);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;

  /// HTTP/1.1, no redirects followed, TLS verified. Never throws for what the network does.
  asio::awaitable<HttpExchange> perform(HttpRequest request);

  /// For answers of any size: see http_download.hpp. Returns when the head has come, or none will.
  /// `timeout` and `max_answer` are of no account there.
  asio::awaitable<std::unique_ptr<HttpDownload>> download(HttpRequest request,
                                                          std::chrono::milliseconds idle);

 private:
  friend class HttpDownload;
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace cc
