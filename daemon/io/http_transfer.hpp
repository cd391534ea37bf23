// One request as curl sees it: its options, what comes back, and how far it came. Private to
// daemon/io.
#pragma once

#include <array>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "http_client.hpp"
#include "waiter.hpp"

namespace cc {

/// Where the body goes of an answer that is not kept whole.
class HttpSink {
 public:
  virtual ~HttpSink() = default;
  virtual void take_head() = 0;
  /// False = not now: the same bytes come again once curl is told to go on.
  virtual bool take(std::string_view bytes) = 0;
};

/// Must be out of the multi handle before it goes.
class HttpTransfer {
 public:
  /// `waiter` is woken when the transfer is over. With a sink neither `timeout` nor `max_answer`
  /// counts.
  HttpTransfer(HttpRequest request, Waiter& waiter, HttpSink* sink = nullptr);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;

  /// False where the request cannot be made at all; exchange() says why.
  bool prepare();
  CURL* easy() const noexcept { return easy_; }
  static HttpTransfer& of(CURL* easy);

  void finish(CURLcode code);
  bool finished() const noexcept { return finished_; }
  /// After finish(), or after nothing came in time. Throws what may_send threw.
  HttpExchange exchange();
  /// With a sink, after take_head(): what has come, as if it were all.
  HttpExchange head();

 private:
  static int before_request(void* self, char* address, char*, int, int);
  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* address);
  static std::size_t take_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t take_body(char* data, std::size_t size, std::size_t count, void* self);

  bool set_method();
  bool set_headers();
  void header_line(std::string_view line);
  HttpExchange::End end_of(CURLcode code) const;
  std::string problem_of(CURLcode code) const;

  HttpRequest request_;
  Waiter& waiter_;
  HttpSink* const sink_;
  CURL* easy_;                     // owned
  curl_slist* headers_ = nullptr;  // owned; curl reads it until the end
  CURLcode code_ = CURLE_OPERATION_TIMEDOUT;
  std::array<char, CURL_ERROR_SIZE> error_{};

  bool let_go_ = false;    // the first byte of the request can have left
  bool withheld_ = false;  // and this time it was not to
  bool too_large_ = false;
  bool not_public_ = false;  // the address, and only such ones are spoken to
  bool finished_ = false;
  bool headers_over_ = false;
  std::size_t header_bytes_ = 0;
  std::exception_ptr thrown_;  // by may_send
  HttpExchange exchange_;
};

}  // namespace cc
