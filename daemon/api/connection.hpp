// One client's connection: reads requests one after the other, has them answered, writes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "host.hpp"
#include "peer.hpp"
#include "wire.hpp"

namespace cc::api {

using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, asio::any_io_executor>;

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
  struct Delivery {
    std::size_t sent = 0;  // bytes of body
    bool whole = false;
  };

  static asio::awaitable<void> run(std::shared_ptr<Connection> self);
  static asio::awaitable<void> run_refusal(std::shared_ptr<Connection> self);
  asio::awaitable<bool> first_byte(Reader& reader, bool first);
  asio::awaitable<Next> serve(Reader& reader);
  asio::awaitable<Next> answer(Request request, unsigned minor, bool keep_alive);
  asio::awaitable<bool> read_body(Reader& reader, const Request& head,
                                  boost::system::error_code& error);
  asio::awaitable<Delivery> deliver(const Response& response, const Request& request,
                                    Framing framing, bool keep_alive);
  asio::awaitable<Delivery> stream(const Response& response, const Request& request,
                                   Framing framing, std::size_t begun);
  asio::awaitable<bool> write(std::string bytes);
  asio::awaitable<void> linger();
  asio::awaitable<Next> complain(Problem problem, const Request& head);
  void log_access(const Request& request, const Answer& answer, Delivery delivery,
                  std::chrono::steady_clock::time_point begun) const;

  void arm(std::chrono::milliseconds limit);
  void disarm();
  void begin_answer_within(std::chrono::milliseconds limit);
  void end_answer_within();

  std::shared_ptr<Host> host_;
  Socket socket_;
  Peer peer_;
  asio::steady_timer deadline_;
  std::uint64_t deadline_number_ = 0;
  bool timed_out_ = false;
  asio::steady_timer answer_deadline_;  // of a whole answer, beside deadline_ of each part
  std::uint64_t answer_number_ = 0;
  bool overdue_ = false;  // the answer under way
  bool idle_ = false;
  bool half_sent_ = false;  // the answer under way has no length that would tell of its end
};

}  // namespace cc::api
