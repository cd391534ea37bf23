// The vendor's port: it can be shut, so that whoever connects is refused, and opened again.
#pragma once

#include <memory>
#include <set>

#include <boost/asio/ip/tcp.hpp>

#include "options.hpp"

namespace jiuyun {

class World;

// A connection to the vendor's port, while it is served.
struct Guest {
  boost::asio::ip::tcp::socket& socket;
  bool at_control = false;  // its latest request was for the control API
};

class Door {
 public:
  // Listens. Throws std::runtime_error if it can't.
  Door(World& world, Endpoint const& endpoint);

  void open();
  // Closes the listener and the connections, but for those that speak to the control API.
  void shut();
  bool is_open() const { return acceptor_ != nullptr; }
  boost::asio::ip::tcp::endpoint const& endpoint() const { return endpoint_; }

  // Connections outlive the world when the program ends: they share what they are listed in.
  struct Guests {
    std::set<Guest*> all;
    bool open = true;
  };
  std::shared_ptr<Guests> guests() const { return guests_; }

 private:
  World& world_;
  boost::asio::ip::tcp::endpoint endpoint_;
  std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor_;
  // Bound and not listening: keeps the port ours while it is shut. Connecting to it is refused.
  std::unique_ptr<boost::asio::ip::tcp::socket> placeholder_;
  std::shared_ptr<Guests> guests_ = std::make_shared<Guests>();
};

}  // namespace jiuyun
