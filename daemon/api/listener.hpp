// A listening socket, TCP or unix.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "connection.hpp"

namespace cc::api {

class Listener {
 public:
  using Accepted = std::function<void(Socket)>;

  virtual ~Listener() = default;
  virtual std::string address() const = 0;  // with the port that was given for port 0
  virtual void start(Accepted accepted) = 0;
  /// Hands over what had connected already, then closes; a unix socket's file is removed.
  virtual void stop() = 0;
};

/// "address:port", "[address]:port" or "unix:/path". Throws std::runtime_error.
std::shared_ptr<Listener> listen_on(const asio::any_io_executor& executor,
                                    const std::string& address);

}  // namespace cc::api
