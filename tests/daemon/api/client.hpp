// A blocking HTTP client on bare sockets, sharing nothing with the server under test.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace cc::test {

struct Reply {
  int status = 0;
  std::string version;
  std::map<std::string, std::string> headers;  // names in lower case; doubled ones joined by "|"
  std::string body;

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
  /// The body; a test failure where it is no JSON.
  boost::json::value json() const;
  /// The last part of a problem's type, "line-busy"; checks what every problem must have.
  std::string problem() const;
};

class Client {
 public:
  explicit Client(const std::string& address);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes);
  void try_send(std::string_view bytes);  // whether or not anybody is there still
  /// The next answer; `head` = without body. Fails the test where none comes within 10 s. One of
  /// neither length nor chunks lasts until the server closes.
  Reply receive(bool head = false);
  /// Whether the server closes (nothing more to read) within the time.
  bool closed_within(std::chrono::milliseconds time);
  bool readable_within(std::chrono::milliseconds time) const;
  std::string unread() const { return unread_; }
  /// Whether the server's end came as a reset: what it sent was not all.
  bool was_reset() const { return reset_; }

 private:
  bool read_more();
  bool whole_chunks(std::string& body);
  int socket_ = -1;
  bool reset_ = false;
  std::string unread_;
};

std::string request_text(std::string_view method, std::string_view target, std::string_view headers,
                         std::string_view body = {});

}  // namespace cc::test
