#include "wire.hpp"

#include <array>
#include <charconv>

#include <boost/beast/http/status.hpp>

#include "target.hpp"

namespace cc::api {

std::string head_on_the_wire(const Response& response, std::string_view request_id,
                             std::int64_t now_ms, Framing framing, bool keep_alive) {
  namespace http = boost::beast::http;
  std::string bytes;
  bytes.reserve(512 + (framing == Framing::length ? response.body.size() : 0));
  const auto add = [&](std::string_view name, std::string_view value) {
    bytes.append(name).append(": ").append(value).append("\r\n");
  };
  const auto reason = http::obsolete_reason(http::int_to_status(response.status));
  bytes.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  bytes.append(std::string_view(reason.data(), reason.size())).append("\r\n");
  add("Date", http_date(now_ms));
  add("Server", "ccd");
  add("Request-Id", request_id);
  for (const auto& [name, value] : response.headers) add(name, value);
  // 204 has no content, and RFC 9110 forbids to say how long it is; of 304 the length would be the
  // content's.
  if (response.status != 204 && response.status != 304) {
    if (!response.content_type.empty()) add("Content-Type", response.content_type);
    if (framing == Framing::length) {
      add("Content-Length", std::to_string(response.length.value_or(response.body.size())));
    }
    if (framing == Framing::chunked) add("Transfer-Encoding", "chunked");
  }
  add("Connection", keep_alive ? "keep-alive" : "close");
  bytes.append("\r\n");
  return bytes;
}

std::string chunk_on_the_wire(std::string_view part) {
  std::array<char, 16> size{};
  const auto end = std::to_chars(size.data(), size.data() + size.size(), part.size(), 16).ptr;
  std::string bytes;
  bytes.reserve(part.size() + size.size() + 4);
  bytes.append(size.data(), end).append("\r\n").append(part).append("\r\n");
  return bytes;
}

}  // namespace cc::api
