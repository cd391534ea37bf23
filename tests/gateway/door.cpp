#include "door.hpp"

#include "world.hpp"

namespace gateway {

using boost::asio::ip::tcp;

Door::Door(World& world, Endpoint const& endpoint, Audience audience,
           boost::asio::ssl::context* tls)
    : world_(world),
      audience_(audience),
      tls_(tls),
      acceptor_(std::make_shared<tcp::acceptor>(listen(world, endpoint, "--listen"))) {
  endpoint_ = acceptor_->local_endpoint();
  attend();
}

void Door::attend() {
  run(world_.executor, serve(world_, acceptor_, audience_, tls_));
}

void Door::open() {
  if (acceptor_) return;
  Endpoint const place{endpoint_.address().to_string(), endpoint_.port()};
  // The placeholder goes last: both may be bound, as neither listened when they were.
  acceptor_ = std::make_shared<tcp::acceptor>(listen(world_, place, "opening"));
  placeholder_.reset();
  attend();
}

void Door::shut() {
  if (!acceptor_) return;
  boost::system::error_code error;
  acceptor_->close(error);
  acceptor_.reset();
  world_.cut_gateway();
  placeholder_ = std::make_unique<tcp::socket>(world_.executor);
  placeholder_->open(endpoint_.protocol());
  placeholder_->set_option(boost::asio::socket_base::reuse_address(true));
  placeholder_->bind(endpoint_, error);
  if (error) placeholder_.reset();  // open() will say so, if somebody else has taken it meanwhile
}

}  // namespace gateway
