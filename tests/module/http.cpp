#include "http.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdio>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace cc::test {
namespace {

int connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("socket path too long");
  path.copy(address.sun_path, path.size());
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

Connection::Connection(const std::string& unix_path) : fd_(connect_unix(unix_path)) {
  if (fd_ < 0) throw std::runtime_error("nobody listens on " + unix_path);
}

Connection::Connection(unsigned short port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd_);
    throw std::runtime_error("nobody listens on " + std::to_string(port));
  }
  int one = 1;  // what is sent apart leaves apart
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

Connection::~Connection() {
  if (fd_ >= 0) ::close(fd_);
}

bool Connection::opens(const std::string& unix_path) {
  int fd = connect_unix(unix_path);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

bool Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool Connection::fill(Millis timeout) {
  pollfd wait{fd_, POLLIN, 0};
  if (::poll(&wait, 1, static_cast<int>(timeout.count())) != 1) return false;
  char buffer[16384];
  ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
  if (n <= 0) return false;
  read_.append(buffer, static_cast<std::size_t>(n));
  return true;
}

std::optional<Response> Connection::receive(Millis timeout) {
  for (;;) {
    std::size_t end = 0;
    while ((end = read_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill(timeout)) return std::nullopt;
    }
    Response response;
    std::string head = read_.substr(0, end + 2);
    read_.erase(0, end + 4);
    response.status = std::stoi(head.substr(head.find(' ') + 1));
    for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
      std::size_t line_end = head.find("\r\n", at), colon = head.find(": ", at);
      response.headers[lower(head.substr(at, colon - at))] =
          head.substr(colon + 2, line_end - colon - 2);
      at = line_end + 2;
    }
    if (response.status == 100) continue;
    auto length = response.headers.find("content-length");
    std::size_t size = length == response.headers.end() ? 0 : std::stoul(length->second);
    while (read_.size() < size) {
      if (!fill(timeout)) return std::nullopt;
    }
    response.body = read_.substr(0, size);
    read_.erase(0, size);
    return response;
  }
}

std::optional<std::string> Connection::receive_bytes(std::size_t count, Millis timeout) {
  while (read_.size() < count) {
    if (!fill(timeout)) return std::nullopt;
  }
  std::string bytes = read_.substr(0, count);
  read_.erase(0, count);
  return bytes;
}

bool Connection::wait_for_close(Millis timeout) {
  while (fill(timeout)) continue;
  char byte = 0;
  return ::recv(fd_, &byte, 1, MSG_DONTWAIT) == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

void Connection::finish() {
  ::shutdown(fd_, SHUT_WR);
}

void Connection::reset() {
  linger hard{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  ::close(fd_);
  fd_ = -1;
}

std::string callback_path(std::string_view token) {
  return "/callback/e9/" + std::string(token);
}

std::string post(std::string_view path, std::string_view body, std::string_view more_headers) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: callbacks.example\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string(more_headers) + "\r\n" + std::string(body);
}

std::optional<Response> ask(const std::string& unix_path, std::string_view request) {
  Connection connection(unix_path);
  connection.send(request);
  return connection.receive();
}

std::string callback_body(unsigned number, std::string_view app) {
  char call[40];
  std::snprintf(call, sizeof call, "%032x", number);
  return "<?xml version='1.0'?><req><action>CallInvite</action><type>1</type><appId>" +
         std::string(app) +
         "</appId><caller>13912345678</caller><called>13812345678</called><userFlag>0</userFlag>"
         "<subType>0</subType><callId>" +
         call +
         "</callId><dateCreated>20160324175622</dateCreated><userData>abcdef</userData></req>";
}

}  // namespace cc::test
