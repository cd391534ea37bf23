// Curl's multi handle on the loop. Private to daemon/io.
#pragma once

#include <map>
#include <memory>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <curl/curl.h>

#include "http_client.hpp"

namespace cc {

/// Shared by the client, the coroutines inside perform() and downloads; handlers hold it weakly.
struct HttpClient::Impl : std::enable_shared_from_this<Impl> {
  /// A socket that curl watches. The descriptor belongs to curl and is released, never closed.
  struct Watched {
    asio::posix::stream_descriptor descriptor;
    curl_socket_t number;
    int wanted = CURL_POLL_NONE;
    bool reading = false, writing = false, gone = false;
  };

  Impl(asio::any_io_executor its_executor, long most_kept_alive);
  Impl(const Impl&) = delete;
  ~Impl();

  static int on_socket(CURL*, curl_socket_t number, int what, void* self, void* watched);
  static int on_timer(CURLM*, long timeout_ms, void* self);
  void watch(const std::shared_ptr<Watched>& socket);
  void arm(const std::shared_ptr<Watched>& socket, asio::posix::descriptor_base::wait_type type,
           bool& armed, int bit);
  void forget(curl_socket_t number);
  void act(curl_socket_t number, int bits);

  asio::any_io_executor executor;
  asio::steady_timer timer;
  std::map<curl_socket_t, std::shared_ptr<Watched>> sockets;
  CURLM* multi;
};

/// In the multi handle for as long as it lives: out of it on every road, before the transfer goes.
struct HttpAttached {
  CURLM* multi;
  CURL* easy;
  HttpAttached(CURLM* its_multi, CURL* its_easy) : multi(its_multi), easy(its_easy) {}
  HttpAttached(const HttpAttached&) = delete;
  ~HttpAttached() { curl_multi_remove_handle(multi, easy); }
};

}  // namespace cc
