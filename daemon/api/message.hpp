// What a route gets and gives. Nothing in here knows the wire or Beast.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

namespace cc::api {

namespace asio = boost::asio;

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string id;      // of the request; in every answer, log line and attempt
  std::string method;  // as it came
  std::string target;  // path and query, as they came
  Headers headers;     // names in lower case
  std::string body;
  std::string peer;  // numeric address of the client (see config.hpp, trusted_proxies); empty = not
                     // known
  std::string origin{};  // how the client reaches this API, "https://cc.example.com:8443"; empty =
                         // not known (origin.hpp)
  bool origin_configured = false;  // it is http.publicUrl, which may have a path

  /// The first value of a header (name in lower case), or nothing.
  const std::string* header(std::string_view name) const noexcept {
    for (const auto& [key, value] : headers) {
      if (key == name) return &value;
    }
    return nullptr;
  }
  std::size_t header_count(std::string_view name) const noexcept {
    std::size_t count = 0;
    for (const auto& [key, value] : headers) count += key == name ? 1U : 0U;
    return count;
  }
};

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";  // empty = it has no content
  std::string body;
  Headers headers;             // beside Date, Server, Request-Id, Content-Type and Content-Length
  std::string_view problem{};  // the problem's name, where this is one; for logs

  /// Where set, what follows `body`, part by part, until it gives nothing: for answers of any
  /// length in constant memory. If it throws, the connection is cut so that the client sees that
  /// the end is missing.
  std::function<asio::awaitable<std::optional<std::string>>()> more{};

  /// Bytes of the whole body where `body` does not have them all and they are known: of `more`, or
  /// of what HEAD is told of. It becomes the Content-Length; where `more` gives another number of
  /// bytes the connection is cut.
  std::optional<std::uint64_t> length{};

  /// Where set, the time that `more` may take in all, however slowly it is read; then the
  /// connection is cut.
  std::optional<std::chrono::milliseconds> within{};
};

/// Who asked what, for access log and metrics: no number, no query string, no key.
struct Trace {
  std::string_view route = "unmatched";  // the pattern, "/v1/calls/{callId}"
  std::string_view method = "other";     // GET, HEAD, POST, …; "other" where no route knows it
  std::string tenant, key;               // names; empty where nobody was recognised
  std::string call;                      // the call that the path names or the request made
  std::string_view problem{};            // the problem's name; empty = the answer is none
};

struct Answer {
  Response response;
  Trace trace;
};

}  // namespace cc::api
