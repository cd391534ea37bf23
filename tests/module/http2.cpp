#include "http2.hpp"

#include <algorithm>

namespace cc::test {
namespace {

enum Type : std::uint8_t {
  data = 0,
  headers = 1,
  rst_stream = 3,
  settings = 4,
  ping = 6,
  window_update = 8,
};
constexpr std::uint8_t ack = 1, end_stream = 1, end_headers = 4, padded = 8;
constexpr std::uint32_t initial_window_size = 4;

std::string big_endian(std::uint64_t number, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    text += static_cast<char>((number >> shift) & 0xff);
  }
  return text;
}

std::uint32_t number_in(std::string_view bytes) {
  std::uint32_t number = 0;
  for (char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

/// HPACK: a length in seven bits, more where it doesn't fit; then the bytes as they are.
std::string literal(std::string_view text) {
  std::string out;
  std::size_t length = text.size();
  if (length < 127) {
    out += static_cast<char>(length);
  } else {
    out += '\x7f';
    for (length -= 127; length >= 128; length /= 128) {
      out += static_cast<char>(0x80 | (length & 0x7f));
    }
    out += static_cast<char>(length);
  }
  return out.append(text);
}

/// HPACK: a literal header that no table keeps.
std::string header(std::string_view name, std::string_view value) {
  return '\0' + literal(name) + literal(value);
}

}  // namespace

Http2Connection::Http2Connection(const std::string& unix_path, std::uint32_t window)
    : connection_(unix_path) {
  connection_.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  put_frame(settings, 0, 0, big_endian(initial_window_size, 2) + big_endian(window, 4));
  while (!settings_seen_ && take_frame(Millis{10000})) continue;
}

void Http2Connection::put_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                                std::string_view payload) {
  std::string frame = big_endian(payload.size(), 3);
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  connection_.send(frame.append(big_endian(stream, 4)).append(payload));
}

std::uint32_t Http2Connection::open(std::string_view path, bool last,
                                    std::optional<std::size_t> content_length) {
  auto stream = next_stream_;
  next_stream_ += 2;
  windows_[stream] = first_window_;
  std::string block = "\x83\x86";  // :method POST, :scheme http
  block += header(":path", path) + header(":authority", "callbacks.example");
  if (content_length) block += header("content-length", std::to_string(*content_length));
  put_frame(headers, static_cast<std::uint8_t>(end_headers | (last ? end_stream : 0)), stream,
            block);
  return stream;
}

bool Http2Connection::send(std::uint32_t stream, std::string_view body, bool last,
                           std::size_t frame, std::uint8_t padding) {
  const std::int64_t extra = padding > 0 ? padding + 1 : 0;
  do {
    while (window_ <= extra || windows_[stream] <= extra) {
      if (resets_.contains(stream) || !take_frame(Millis{10000})) return false;
    }
    auto room = static_cast<std::size_t>(std::min(window_, windows_[stream]) - extra);
    auto part = body.substr(0, std::min(frame, room));
    body.remove_prefix(part.size());
    auto flags = static_cast<std::uint8_t>((last && body.empty() ? end_stream : 0) |
                                           (padding > 0 ? padded : 0));
    std::string payload;
    if (padding > 0) payload += static_cast<char>(padding);
    payload.append(part).append(padding, '\0');
    put_frame(data, flags, stream, payload);
    window_ -= static_cast<std::int64_t>(payload.size());
    windows_[stream] -= static_cast<std::int64_t>(payload.size());
  } while (!body.empty());
  return true;
}

void Http2Connection::reset(std::uint32_t stream) {
  put_frame(rst_stream, 0, stream, big_endian(8, 4));  // CANCEL
}

std::uint32_t Http2Connection::post(std::string_view path, std::string_view body) {
  auto stream = open(path, body.empty(), body.size());
  if (!body.empty()) send(stream, body, true);
  return stream;
}

int Http2Connection::status(std::uint32_t stream, Millis timeout) {
  while (!ended_.contains(stream)) {
    if (resets_.contains(stream) || !take_frame(timeout)) return 0;
  }
  return statuses_[stream];
}

int Http2Connection::early_status(std::uint32_t stream, Millis timeout) {
  while (!statuses_.contains(stream)) {
    if (resets_.contains(stream) || !take_frame(timeout)) return 0;
  }
  return statuses_[stream];
}

bool Http2Connection::take_frame(Millis timeout) {
  auto head = connection_.receive_bytes(9, timeout);
  if (!head) return false;
  auto payload = connection_.receive_bytes(number_in(head->substr(0, 3)), timeout);
  if (!payload) return false;
  const std::string_view view(*head);
  auto type = static_cast<std::uint8_t>(view[3]), flags = static_cast<std::uint8_t>(view[4]);
  auto stream = number_in(view.substr(5));
  if (type == settings && (flags & ack) == 0) take_settings(*payload);
  if (type == ping && (flags & ack) == 0) put_frame(ping, ack, 0, *payload);
  if (type == headers) take_headers(stream, flags, *payload);
  if (type == rst_stream) resets_.insert(stream);
  if (type == window_update) (stream == 0 ? window_ : windows_[stream]) += number_in(*payload);
  if (type == data) {
    if ((flags & end_stream) != 0) ended_.insert(stream);
    // The connection's window never narrows; a stream's stays as the test wants it.
    if (!payload->empty()) put_frame(window_update, 0, 0, big_endian(payload->size(), 4));
  }
  return true;
}

void Http2Connection::take_settings(std::string_view payload) {
  for (; payload.size() >= 6; payload.remove_prefix(6)) {
    if (number_in(payload.substr(0, 2)) != initial_window_size) continue;
    auto window = static_cast<std::int64_t>(number_in(payload.substr(2, 4)));
    for (auto& [stream, left] : windows_) left += window - first_window_;
    first_window_ = window;
  }
  settings_seen_ = true;
  put_frame(settings, ack, 0, "");
}

void Http2Connection::take_headers(std::uint32_t stream, std::uint8_t flags,
                                   std::string_view payload) {
  // Some statuses stand in HPACK's own table, from index 8 on; others are a literal of three
  // digits.
  constexpr int indexed[] = {200, 204, 206, 304, 400, 404, 500};
  auto first = static_cast<unsigned char>(payload[0]);
  statuses_[stream] =
      (first & 0x80) != 0 ? indexed[first - 0x88] : std::stoi(std::string(payload.substr(2, 3)));
  if ((flags & end_stream) != 0) ended_.insert(stream);
}

}  // namespace cc::test
