#include "readiness.hpp"

#include <cerrno>
#include <fcntl.h>
#include <utility>

#include <boost/system/system_error.hpp>

namespace cc {

std::shared_ptr<Readiness> Readiness::of(const asio::any_io_executor& executor,
                                         int library_socket) {
  const int copy = ::fcntl(library_socket, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) {
    throw boost::system::system_error(errno, boost::system::system_category(), "dup");
  }
  asio::posix::stream_descriptor descriptor(executor);
  boost::system::error_code error;
  descriptor.assign(copy, error);
  if (error) {
    ::close(copy);
    throw boost::system::system_error(error, "watch");
  }
  return std::shared_ptr<Readiness>(new Readiness(std::move(descriptor)));
}

void Readiness::arm(asio::posix::descriptor_base::wait_type type, bool& armed) {
  if (armed) return;
  armed = true;
  // The handler may come after close() and after the owner is gone, hence the shared self.
  descriptor_.async_wait(type, [self = shared_from_this(), &armed](boost::system::error_code) {
    armed = false;
    if (self->waiter_ != nullptr) self->waiter_->wake();
  });
}

asio::awaitable<bool> Readiness::wait(bool to_read, bool to_write, Waiter::TimePoint deadline) {
  const auto self = shared_from_this();
  Waiter waiter(descriptor_.get_executor(), deadline);
  struct Registered {
    Readiness& owner;
    ~Registered() { owner.waiter_ = nullptr; }
  } registered{*this};
  waiter_ = &waiter;
  if (to_read) arm(asio::posix::descriptor_base::wait_read, read_armed_);
  if (to_write) arm(asio::posix::descriptor_base::wait_write, write_armed_);
  const bool woken = co_await waiter.wait();
  co_return woken;
}

void Readiness::close() {
  boost::system::error_code ignored;
  descriptor_.close(ignored);
}

}  // namespace cc
