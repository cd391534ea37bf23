#include "client.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <cerrno>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

namespace cc::test {
namespace {

int open_socket(const std::string& address) {
  if (address.starts_with("unix:")) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    address.substr(5).copy(name.sun_path, sizeof name.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0) return fd;
    ::close(fd);
    return -1;
  }
  const auto colon = address.rfind(':');
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  inet_pton(AF_INET, address.substr(0, colon).c_str(), &name.sin_addr);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

boost::json::value Reply::json() const {
  boost::json::error_code error;
  auto value = boost::json::parse(body, error);
  BOOST_REQUIRE_MESSAGE(!error, "not JSON: " + body);
  return value;
}

std::string Reply::problem() const {
  BOOST_TEST(header("content-type") == "application/problem+json");
  const auto value = json();
  const auto& object = value.as_object();
  for (const char* name :
       {"type", "title", "titleZh", "status", "detail", "instance", "retryable"}) {
    BOOST_TEST(object.contains(name), name << " is missing in " << body);
  }
  BOOST_TEST(object.at("status").as_int64() == status);
  BOOST_TEST(std::string(object.at("instance").as_string()) == header("request-id"));
  BOOST_TEST(object.contains("invalidParams") == (status == 400));
  const std::string type(object.at("type").as_string());
  BOOST_TEST(type.starts_with("/problems/"));
  return type.substr(std::min<std::size_t>(type.size(), 10));
}

Client::Client(const std::string& address) : socket_(open_socket(address)) {
  if (socket_ < 0) throw std::runtime_error("can't connect to " + address);
}

Client::~Client() {
  ::close(socket_);
}

void Client::try_send(std::string_view bytes) {
  ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;  // closed by the server: receive() tells
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

bool Client::readable_within(std::chrono::milliseconds time) const {
  pollfd poll{socket_, POLLIN, 0};
  return ::poll(&poll, 1, static_cast<int>(time.count())) == 1;
}

bool Client::read_more() {
  std::array<char, 65536> bytes{};
  if (!readable_within(std::chrono::seconds(10))) return false;
  const auto count = ::recv(socket_, bytes.data(), bytes.size(), 0);
  if (count < 0) reset_ = errno == ECONNRESET;
  if (count <= 0) return false;
  unread_.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

bool Client::closed_within(std::chrono::milliseconds time) {
  std::array<char, 4096> bytes{};
  const auto end = std::chrono::steady_clock::now() + time;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !readable_within(left)) return false;
    const auto count = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (count <= 0) {
      reset_ = count < 0 && errno == ECONNRESET;
      return true;
    }
    unread_.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

/// Moves chunks that are whole from what is unread to `body`. True = the last one came.
bool Client::whole_chunks(std::string& body) {
  while (true) {
    const auto line = unread_.find("\r\n");
    if (line == std::string::npos) return false;
    const std::size_t size = std::stoul(unread_.substr(0, line), nullptr, 16);
    if (unread_.size() < line + 2 + size + 2) return false;
    BOOST_REQUIRE(unread_.compare(line + 2 + size, 2, "\r\n") == 0);
    body.append(unread_, line + 2, size);
    unread_.erase(0, line + 2 + size + 2);
    if (size == 0) return true;
  }
}

Reply Client::receive(bool head) {
  Reply reply;
  std::size_t end = std::string::npos;
  while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
    BOOST_REQUIRE_MESSAGE(read_more(), "no answer; so far: " + unread_);
  }
  std::string_view text(unread_.data(), end + 2);
  reply.version = std::string(text.substr(0, 8));
  reply.status = std::stoi(std::string(text.substr(9, 3)));
  text.remove_prefix(text.find("\r\n") + 2);
  while (!text.empty()) {
    const auto line = text.substr(0, text.find("\r\n"));
    text.remove_prefix(line.size() + 2);
    std::string name(line.substr(0, line.find(':')));
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const std::string value(line.substr(line.find(':') + 2));
    auto [place, added] = reply.headers.emplace(name, value);
    if (!added) place->second += "|" + value;
  }
  unread_.erase(0, end + 4);
  if (head || reply.status < 200 || reply.status == 204) return reply;
  if (reply.header("transfer-encoding") == "chunked") {
    while (!whole_chunks(reply.body)) {
      BOOST_REQUIRE_MESSAGE(read_more(), "the last chunk is missing; so far: " + reply.body);
    }
    return reply;
  }
  if (!reply.headers.contains("content-length")) {
    while (read_more()) {
    }
    reply.body = std::exchange(unread_, {});
    return reply;
  }
  const auto length = static_cast<std::size_t>(std::stoul(reply.header("content-length")));
  while (unread_.size() < length) {
    BOOST_REQUIRE_MESSAGE(read_more(), "the body is cut short: " + unread_);
  }
  reply.body = unread_.substr(0, length);
  unread_.erase(0, length);
  return reply;
}

std::string request_text(std::string_view method, std::string_view target, std::string_view headers,
                         std::string_view body) {
  std::string text;
  text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: cc\r\n");
  text.append(headers);
  if (!body.empty()) {
    if (headers.find("Content-Type") == std::string_view::npos) {
      text.append("Content-Type: application/json\r\n");
    }
    text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  }
  text.append("\r\n").append(body);
  return text;
}

}  // namespace cc::test
