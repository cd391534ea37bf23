// An HTTP/2 client without TLS that sends exactly the frames it is told to. Reads NGINX's answers:
// of their headers only :status, which NGINX sends first and never compressed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "http.hpp"

namespace cc::test {

class Http2Connection {
 public:
  /// `window`: how many bytes of an answer's body we take before we say that we take more.
  explicit Http2Connection(const std::string& unix_path, std::uint32_t window = 65535);

  /// A POST's headers; `content_length` only where given. Returns the stream.
  std::uint32_t open(std::string_view path, bool last,
                     std::optional<std::size_t> content_length = std::nullopt);
  /// In frames of `frame` bytes, each with `padding` bytes more. Waits for the other end's windows.
  bool send(std::uint32_t stream, std::string_view body, bool last, std::size_t frame = 16384,
            std::uint8_t padding = 0);
  void reset(std::uint32_t stream);
  void finish() { connection_.finish(); }

  /// A whole POST in as few frames as it takes.
  std::uint32_t post(std::string_view path, std::string_view body);

  /// Waits for the stream's whole answer: its status; 0 where none comes or the stream is reset.
  int status(std::uint32_t stream, Millis timeout = Millis{10000});
  /// Waits for the answer's headers only.
  int early_status(std::uint32_t stream, Millis timeout = Millis{10000});
  /// Whether the stream was reset by the other end, up to what has been read.
  bool was_reset(std::uint32_t stream) const { return resets_.contains(stream); }

 private:
  bool take_frame(Millis timeout);
  void take_settings(std::string_view payload);
  void take_headers(std::uint32_t stream, std::uint8_t flags, std::string_view payload);
  void put_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                 std::string_view payload);

  Connection connection_;
  bool settings_seen_ = false;
  std::uint32_t next_stream_ = 1;
  std::int64_t first_window_ = 65535;  // of the other end, for a new stream
  std::int64_t window_ = 65535;        // of the other end, for the connection
  std::map<std::uint32_t, std::int64_t> windows_;
  std::map<std::uint32_t, int> statuses_;
  std::set<std::uint32_t> ended_, resets_;
};

}  // namespace cc::test
