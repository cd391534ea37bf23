// One client's connection: reads requests one after the other, has them answered, writes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <tuple>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "router.hpp"
#include "server.hpp"

namespace cc::api {

class Connection;
using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, asio::any_io_executor>;

/// What all connections of a server share.
struct Host {
  Host(asio::any_io_executor loop, const Config& config, Calls& all_calls, const Health& health,
       Metrics& figures, const Clock& time, AccessLog log, Nouns nouns);

  void count(const Trace& trace, unsigned status);

  asio::any_io_executor executor;
  Config::Http limits;
  Calls& calls;
  Metrics& metrics;
  const Clock& clock;
  AccessLog access_log;
  Router router;
  bool draining = false;
  std::set<Connection*> connections;
  asio::steady_timer all_gone;  // cancelled when the last connection goes

 private:
  // Route and method are static texts: few, and compared by content.
  std::map<std::tuple<std::string_view, std::string_view, unsigned>, prometheus::Counter*>
      counters_;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Host> host, Socket socket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Lives until the client or a deadline ends it.
  void start();
  /// Answers 503 at once.
  void refuse();

  /// Ends a wait for the next request, unless some of it is here already.
  void interrupt_if_idle();
  void abort();

 private:
  struct Reader;  // Beast's parser
  enum class Next : std::uint8_t { request, close, linger };

  static asio::awaitable<void> run(std::shared_ptr<Connection> self);
  static asio::awaitable<void> run_refusal(std::shared_ptr<Connection> self);
  asio::awaitable<bool> first_byte(Reader& reader, bool first);
  asio::awaitable<Next> serve(Reader& reader);
  asio::awaitable<Next> answer(Reader& reader);
  asio::awaitable<bool> read_body(Reader& reader, boost::system::error_code& error);
  asio::awaitable<bool> write(std::string bytes);
  asio::awaitable<void> linger();
  asio::awaitable<Next> complain(Problem problem);

  void arm(std::chrono::milliseconds limit);
  void disarm();

  std::shared_ptr<Host> host_;
  Socket socket_;
  asio::steady_timer deadline_;
  std::uint64_t deadline_number_ = 0;
  bool timed_out_ = false;
  bool idle_ = false;
};

}  // namespace cc::api
