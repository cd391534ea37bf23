// A listener that behaves as a test says, and remembers what it received. Nothing of HTTP is
// hidden: answers are written byte by byte as the test spells them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "loop.hpp"

namespace cc::test {

using Tcp = asio::ip::tcp;

class HttpStage {
 public:
  struct Guest {
    Tcp::socket socket;
    int number;            // 0, 1, … in the order of coming
    std::string received;  // all bytes
  };
  /// Plays one connection; it is closed when this returns.
  using Play = std::function<asio::awaitable<void>(Guest&)>;

  HttpStage(asio::io_context& io, Play play)
      : state_(std::make_shared<State>(
            State{Tcp::acceptor(io, {asio::ip::address_v4::loopback(), 0}), std::move(play), {}})) {
    asio::co_spawn(io, accept(state_), [](std::exception_ptr) {});
  }
  ~HttpStage() { state_->acceptor.close(); }

  std::string url(const std::string& path = "/", const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(state_->acceptor.local_endpoint().port()) +
           path;
  }
  int connections() const { return static_cast<int>(state_->guests.size()); }
  /// All bytes received by the connection `number`.
  const std::string& received(int number = 0) const {
    return state_->guests.at(static_cast<std::size_t>(number))->received;
  }
  /// How often `word` came in, over all connections.
  int count(const std::string& word) const {
    int found = 0;
    for (const auto& guest : state_->guests) {
      for (auto at = guest->received.find(word); at != std::string::npos;
           at = guest->received.find(word, at + 1)) {
        ++found;
      }
    }
    return found;
  }

 private:
  struct State {
    Tcp::acceptor acceptor;
    Play play;
    std::vector<std::shared_ptr<Guest>> guests;
  };

  static asio::awaitable<void> accept(std::shared_ptr<State> state) {
    for (;;) {
      Tcp::socket socket = co_await state->acceptor.async_accept(asio::use_awaitable);
      auto guest = std::make_shared<Guest>(
          Guest{std::move(socket), static_cast<int>(state->guests.size()), {}});
      state->guests.push_back(guest);
      asio::co_spawn(guest->socket.get_executor(), host(state, guest), [](std::exception_ptr) {});
    }
  }
  static asio::awaitable<void> host(std::shared_ptr<State> state, std::shared_ptr<Guest> guest) {
    auto playing = state->play(*guest);
    co_await std::move(playing);
    boost::system::error_code ignored;
    guest->socket.close(ignored);
  }

  std::shared_ptr<State> state_;
};

/// Reads until the request's head and its Content-Length are there; false at the end of the link.
inline asio::awaitable<bool> read_request(HttpStage::Guest& guest) {
  std::string request;
  for (;;) {
    const auto head = request.find("\r\n\r\n");
    if (head != std::string::npos) {
      const auto length = request.find("Content-Length: ");
      const std::size_t body = length < head ? std::stoul(request.substr(length + 16)) : 0;
      if (request.size() >= head + 4 + body) co_return true;
    }
    char buffer[4096];
    boost::system::error_code error;
    const std::size_t got = co_await guest.socket.async_read_some(
        asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    request.append(buffer, got);
    guest.received.append(buffer, got);
    if (error) co_return false;
  }
}

inline asio::awaitable<void> write_all(HttpStage::Guest& guest, std::string text) {
  boost::system::error_code ignored;
  co_await asio::async_write(guest.socket, asio::buffer(text),
                             asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace cc::test
