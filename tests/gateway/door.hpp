// The gateway's port: it can be shut, so that whoever connects is refused, and opened again.
#pragma once

#include <memory>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include "server.hpp"

namespace gateway {

class Door {
 public:
  // Listens; `tls` null: plain. Throws std::runtime_error if it can't.
  Door(World& world, Endpoint const& endpoint, Audience audience, boost::asio::ssl::context* tls);

  void open();
  // Closes the listener and the connections, but for those that speak to the control API.
  void shut();
  bool is_open() const { return acceptor_ != nullptr; }
  boost::asio::ip::tcp::endpoint const& endpoint() const { return endpoint_; }

 private:
  void attend();

  World& world_;
  Audience audience_;
  boost::asio::ssl::context* tls_;
  boost::asio::ip::tcp::endpoint endpoint_;
  std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor_;
  // Bound and not listening: keeps the port ours while it is shut. Connecting to it is refused.
  std::unique_ptr<boost::asio::ip::tcp::socket> placeholder_;
};

}  // namespace gateway
