// Waiting for a socket that a library owns. Holds a duplicate of the descriptor, so that the
// library may close its own whenever it likes without leaving the loop with a number that means
// another file.
#pragma once

#include <chrono>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "waiter.hpp"

namespace cc {

class Readiness : public std::enable_shared_from_this<Readiness> {
 public:
  /// Throws system_error where no descriptor is left. `library_socket` stays the library's.
  static std::shared_ptr<Readiness> of(const asio::any_io_executor& executor, int library_socket);

  /// True when the socket can be read or written (either, where both were asked for), false when
  /// the deadline passed. One coroutine at a time. Throws system_error when cancelled.
  asio::awaitable<bool> wait(bool to_read, bool to_write, Waiter::TimePoint deadline);

  void close();

 private:
  explicit Readiness(asio::posix::stream_descriptor descriptor)
      : descriptor_(std::move(descriptor)) {}
  void arm(asio::posix::descriptor_base::wait_type type, bool& armed);

  asio::posix::stream_descriptor descriptor_;
  Waiter* waiter_ = nullptr;  // of the coroutine inside wait()
  bool read_armed_ = false, write_armed_ = false;
};

}  // namespace cc
