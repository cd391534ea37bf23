// What the tests of the HTTP client share.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include <boost/asio/bind_cancellation_slot.hpp>

#include "http_client.hpp"
#include "http_stage.hpp"
#include "process.hpp"

namespace cc {

inline std::ostream& operator<<(std::ostream& out, HttpExchange::End end) {
  return out << to_text(end);
}

}  // namespace cc

namespace cc::test {

using End = HttpExchange::End;

inline const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct HttpFixture {
  asio::io_context io;
  std::optional<cc::HttpClient> client{std::in_place, io.get_executor()};

  HttpExchange perform(HttpRequest request) {
    HttpExchange result;
    const auto work = [&]() -> asio::awaitable<void> {
      result = co_await client->perform(std::move(request));
    };
    run_until_done(io, work());
    return result;
  }
  // One answer for every request, as long as the guest stays.
  static HttpStage::Play answering(std::string answer) {
    return [answer = std::move(answer)](HttpStage::Guest& guest) -> asio::awaitable<void> {
      return serve(guest, answer);
    };
  }
  static asio::awaitable<void> serve(HttpStage::Guest& guest, std::string answer) {
    for (;;) {
      const bool more = co_await read_request(guest);
      if (!more) co_return;
      co_await write_all(guest, answer);
    }
  }
};

inline std::string header(const HttpExchange& exchange, const std::string& name) {
  for (const auto& [key, value] : exchange.headers) {
    if (key == name) return value;
  }
  return "(none)";
}

inline HttpRequest post(const std::string& url, const std::string& body = "{\"call\":1}") {
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", "application/json"}};
  request.body = body;
  request.timeout = 3000ms;
  return request;
}

inline HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  request.timeout = 3000ms;
  return request;
}

}  // namespace cc::test
