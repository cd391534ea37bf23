// An HTTP/1.1 client that sends exactly the bytes it is told to, when it is told to.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "process.hpp"

namespace cc::test {

struct Response {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class Connection {
 public:
  explicit Connection(const std::string& unix_path);
  explicit Connection(unsigned short port);
  ~Connection();
  Connection(const Connection&) = delete;

  /// Whether somebody accepts connections there.
  static bool opens(const std::string& unix_path);

  /// False once the other end has gone.
  bool send(std::string_view bytes);
  /// The next answer that isn't 100; nothing if the connection ends before, or after `timeout`.
  std::optional<Response> receive(Millis timeout = Millis{10000});
  /// Exactly so many bytes, whatever they are.
  std::optional<std::string> receive_bytes(std::size_t count, Millis timeout = Millis{10000});
  /// True when the other end has closed.
  bool wait_for_close(Millis timeout = Millis{10000});
  void finish();  // FIN: we send no more
  void reset();   // RST

 private:
  bool fill(Millis timeout);

  int fd_ = -1;
  std::string read_;
};

std::string callback_path(std::string_view token);

/// A request with Content-Length.
std::string post(std::string_view path, std::string_view body, std::string_view more_headers = "");

/// One on a connection of its own.
std::optional<Response> ask(const std::string& unix_path, std::string_view request);

/// A callback as e9 sends it, each with its own call id.
std::string callback_body(unsigned number,
                          std::string_view app = "feff3cbd52c041a1bd5b0492bee56423");

}  // namespace cc::test
