// HTTP/1.1 over kept connections to one port of 127.0.0.1: as many as are busy at a time.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace cc::bench {

namespace asio = boost::asio;

struct Reply {
  int status = 0;  // 0: no answer
  std::string body;
};

class Links {
 public:
  explicit Links(unsigned short port) : port_(port) {}

  /// The one that has been idle for longest is used next, so that none becomes old.
  asio::awaitable<Reply> exchange(std::string request);

 private:
  struct Link;
  asio::awaitable<Reply> exchange_on(Link& link, const std::string& request);

  const unsigned short port_;
  std::deque<std::shared_ptr<Link>> idle_;
};

}  // namespace cc::bench
