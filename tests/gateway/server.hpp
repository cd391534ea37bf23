// Listeners and connections, plain and TLS.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include "options.hpp"

namespace gateway {

class World;

// What may be asked for on a listener.
struct Audience {
  bool resource = true;
  bool control = true;
};

// Listens. Throws std::runtime_error that names the option.
boost::asio::ip::tcp::acceptor listen(World& world, Endpoint const& endpoint, char const* option);
std::string url_of(boost::asio::ip::tcp::endpoint const& place, bool tls);
// The files' certificate and key. Throws std::runtime_error that names the option.
boost::asio::ssl::context tls_context(Options const& options);

// Serves until the acceptor is closed; `tls` null: plain.
boost::asio::awaitable<void> serve(World& world,
                                   std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor,
                                   Audience audience, boost::asio::ssl::context* tls);

}  // namespace gateway
