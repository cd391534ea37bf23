#include "fake_redis.hpp"

#include <optional>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace cc::test {
namespace {

/// One whole command off the input's front.
std::optional<FakeRedis::Command> next_command(std::string& input) {
  std::size_t at = 0;
  auto number = [&](char sign) -> std::optional<std::size_t> {
    auto end = input.find("\r\n", at);
    if (at >= input.size() || end == std::string::npos) return std::nullopt;
    if (input[at] != sign) throw std::runtime_error("not Redis' protocol");
    auto value = std::stoul(input.substr(at + 1, end - at - 1));
    at = end + 2;
    return value;
  };
  auto count = number('*');
  if (!count) return std::nullopt;
  FakeRedis::Command command;
  for (std::size_t i = 0; i < *count; ++i) {
    auto size = number('$');
    if (!size || input.size() < at + *size + 2) return std::nullopt;
    command.push_back(input.substr(at, *size));
    at += *size + 2;
  }
  input.erase(0, at);
  return command;
}

}  // namespace

void FakeRedis::Peer::send(const std::string& bytes) {
  ++sent_;
  if (!closed_) (void)!::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void FakeRedis::Peer::send_bytewise(const std::string& bytes) {
  for (char byte : bytes) send(std::string(1, byte));
}

void FakeRedis::Peer::close() {
  closed_ = true;
}

FakeRedis::FakeRedis(std::string unix_path, Script script)
    : path_(std::move(unix_path)), script_(std::move(script)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_, 16) != 0) {
    throw std::runtime_error("the fake Redis cannot listen on " + path_);
  }
  thread_ = std::thread([this] { serve(); });
}

FakeRedis::~FakeRedis() {
  stopping_ = true;
  thread_.join();
  ::close(listener_);
  ::unlink(path_.c_str());
}

std::vector<unsigned> FakeRedis::batches() const {
  std::lock_guard guard(lock_);
  return batches_;
}

void FakeRedis::serve() {
  while (!stopping_) {
    pollfd wait{listener_, POLLIN, 0};
    if (::poll(&wait, 1, 20) != 1) continue;
    int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++connections_;
    talk(fd);
    ::close(fd);
  }
}

void FakeRedis::talk(int fd) {
  Peer peer(fd);
  std::string input;
  std::vector<char> buffer(1 << 20);
  while (!stopping_ && !peer.closed_) {
    pollfd wait{fd, POLLIN, 0};
    if (::poll(&wait, 1, 20) != 1) continue;
    ssize_t n = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (n <= 0) return;
    input.append(buffer.data(), static_cast<std::size_t>(n));
    if (unsigned count = play(peer, input); count > 0) {
      std::lock_guard guard(lock_);
      batches_.push_back(count);
    }
  }
}

/// All whole commands of the input; how many were XADDs.
unsigned FakeRedis::play(Peer& peer, std::string& input) {
  unsigned count = 0;
  while (auto command = next_command(input)) {
    if (command->front() == "XADD") ++count;
    if (!peer.closed_) script_(peer, *command);
  }
  return count;
}

FakeRedis::Script greeting_then(std::function<void(FakeRedis::Peer&)> on_xadd) {
  return [on_xadd = std::move(on_xadd)](FakeRedis::Peer& peer, const FakeRedis::Command& command) {
    if (command.front() == "XADD") {
      const unsigned before = peer.sent();
      on_xadd(peer);
      if (peer.sent() == before) peer.stuck = true;
    } else if (!peer.stuck) {
      peer.send(command.front() == "XLEN" ? ":1\r\n" : "+PONG\r\n");
    }
  };
}

}  // namespace cc::test
