#include "listener.hpp"

#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "log.hpp"
#include "text.hpp"

namespace cc::api {
namespace {

using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Local = asio::local::stream_protocol;

constexpr int backlog = 1024;
constexpr auto tuple = asio::as_tuple(asio::use_awaitable);

[[noreturn]] void fail(const std::string& address, const std::string& what) {
  throw std::runtime_error("http.listen: can't listen on " + address + ": " + what);
}

void check(const std::string& address, const error_code& error) {
  if (error == asio::error::address_in_use) {
    fail(address, "it is in use; stop what listens there or choose another");
  }
  if (error) fail(address, error.message());
}

/// Accepts until it is stopped. Shared with its coroutine.
template <class Protocol>
class Acceptor final : public Listener, public std::enable_shared_from_this<Acceptor<Protocol>> {
 public:
  Acceptor(const asio::any_io_executor& executor, std::string address)
      : acceptor_(executor), pause_(executor), address_(std::move(address)) {}

  ~Acceptor() override { remove_file(); }

  void open(const typename Protocol::endpoint& endpoint) {
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    check(address_, error);
    if constexpr (std::is_same_v<Protocol, Tcp>) {
      acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
      acceptor_.bind(endpoint, error);
    } else {
      // The file must never be there with more rights than it shall have.
      const mode_t before = ::umask(0117);
      acceptor_.bind(endpoint, error);
      ::umask(before);
    }
    check(address_, error);
    if constexpr (std::is_same_v<Protocol, Local>) remember_file(endpoint.path());
    acceptor_.listen(backlog, error);
    check(address_, error);
    if constexpr (std::is_same_v<Protocol, Tcp>) {
      const auto local = acceptor_.local_endpoint();
      const auto ip = local.address();
      address_ = (ip.is_v6() ? "[" + ip.to_string() + "]" : ip.to_string()) + ":" +
                 std::to_string(local.port());
    }
  }

  std::string address() const override { return address_; }

  void start(Accepted accepted) override {
    accepted_ = std::move(accepted);
    asio::co_spawn(acceptor_.get_executor(), run(this->shared_from_this()), asio::detached);
  }

  void stop() override {
    error_code error;
    stopped_ = true;
    pause_.cancel();
    if (!acceptor_.is_open()) return;
    acceptor_.cancel(error);
    acceptor_.non_blocking(true, error);
    while (!error && accepted_) {
      Socket socket(acceptor_.get_executor());
      acceptor_.accept(socket, error);
      if (!error) hand_over(std::move(socket));
    }
    acceptor_.close(error);
    remove_file();
  }

 private:
  static asio::awaitable<void> run(std::shared_ptr<Acceptor> self) {
    while (!self->stopped_) {
      Socket socket(self->acceptor_.get_executor());
      const auto [error] = co_await self->acceptor_.async_accept(socket, tuple);
      if (!error) {
        self->hand_over(std::move(socket));
      } else if (error == asio::error::operation_aborted) {
        if (self->stopped_) break;
      } else {
        // Mostly no file descriptors left: trying again at once would only spin.
        log().warn("API: accepting on {}: {}", self->address_, error.message());
        self->pause_.expires_after(std::chrono::milliseconds(100));
        co_await self->pause_.async_wait(tuple);
      }
    }
  }

  void hand_over(Socket socket) {
    error_code ignored;
    if constexpr (std::is_same_v<Protocol, Tcp>) {
      socket.set_option(Tcp::no_delay(true), ignored);
    }
    accepted_(std::move(socket));
  }

  void remember_file(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) {
      path_ = path;
      inode_ = status.st_ino;
    }
  }

  /// A successor may have put its own file there by now; that one stays.
  void remove_file() {
    struct stat status {};
    if (!path_.empty() && ::stat(path_.c_str(), &status) == 0 && status.st_ino == inode_) {
      ::unlink(path_.c_str());
    }
    path_.clear();
  }

  asio::basic_socket_acceptor<Protocol, asio::any_io_executor> acceptor_;
  asio::steady_timer pause_;
  std::string address_;
  Accepted accepted_;
  bool stopped_ = false;
  std::string path_;
  ino_t inode_ = 0;
};

/// Makes room for a unix socket: a file that nobody answers on any more goes.
void clear_stale(const asio::any_io_executor& executor, const std::string& address,
                 const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode)) fail(address, "a file that is no socket is there; move it away");
  Local::socket probe(executor);
  error_code error;
  probe.connect(Local::endpoint(path), error);
  if (error != asio::error::connection_refused) {
    fail(address, "another process answers there; stop it or choose another path");
  }
  ::unlink(path.c_str());
}

template <class Protocol>
std::shared_ptr<Listener> open(const asio::any_io_executor& executor, const std::string& address,
                               const typename Protocol::endpoint& endpoint) {
  auto acceptor = std::make_shared<Acceptor<Protocol>>(executor, address);
  acceptor->open(endpoint);
  return acceptor;
}

}  // namespace

std::shared_ptr<Listener> listen_on(const asio::any_io_executor& executor,
                                    const std::string& address) {
  if (address.starts_with("unix:")) {
    const std::string path = address.substr(5);
    clear_stale(executor, address, path);
    return open<Local>(executor, address, Local::endpoint(path));
  }
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) fail(address, "use address:port or unix:/path");
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  error_code error;
  const auto ip = asio::ip::make_address(host, error);
  const auto port = parse_integer(std::string_view(address).substr(colon + 1));
  if (error || !port || *port < 0 || *port > 65535) {
    fail(address, "use address:port or unix:/path");
  }
  return open<Tcp>(executor, address, Tcp::endpoint(ip, static_cast<std::uint16_t>(*port)));
}

}  // namespace cc::api
