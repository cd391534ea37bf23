#include "server.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <sys/socket.h>
#include <vector>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "control.hpp"
#include "platform.hpp"
#include "recording.hpp"
#include "world.hpp"

namespace jiuyun {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

constexpr std::size_t largest_header = 16 * 1024;
constexpr std::size_t largest_body =
    1024 * 1024;  // the vendor's functions have a smaller limit of their own
constexpr auto idle_timeout = std::chrono::seconds(75);
constexpr auto longest_hang = std::chrono::hours(1);

using Parser = http::request_parser<http::string_body>;

// A connection in the door's list of guests, if it came through the door.
class Presence {
 public:
  Presence(std::shared_ptr<Door::Guests> guests, asio::ip::tcp::socket& socket)
      : guests_(std::move(guests)), guest_{socket} {
    if (guests_) guests_->all.insert(&guest_);
  }
  ~Presence() {
    if (guests_) guests_->all.erase(&guest_);
  }
  Presence(Presence const&) = delete;
  Presence& operator=(Presence const&) = delete;

  bool may_ask_the_vendor() const { return guests_ != nullptr; }
  void asks_control(bool control) { guest_.at_control = control; }
  bool may_stay() const { return !guests_ || guests_->open; }

 private:
  std::shared_ptr<Door::Guests> guests_;
  Guest guest_;
};

Reply wrong_listener() {
  Reply reply;
  reply.status = 404;
  reply.content_type = "application/json";
  reply.body = R"({"error":"this is the control API's listener; the vendor's is --listen's"})";
  return reply;
}

asio::awaitable<Reply> handle(World& world, Request const& request, Presence& presence) {
  Target target(request);
  bool const for_control = target.path.starts_with("/_control/") || target.path == "/_control";
  presence.asks_control(for_control);
  if (for_control) {
    Reply reply = co_await control(world, request, target);
    co_return reply;
  }
  if (!presence.may_ask_the_vendor()) co_return wrong_listener();
  if (target.path.starts_with("/records/")) co_return recording(world, request, target);
  Reply reply = co_await platform(world, request, target);
  co_return reply;
}

// The other end has closed: whatever is written now, nobody reads it.
bool peer_gone(beast::tcp_stream& stream) {
  char byte = 0;
  auto const count = ::recv(stream.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

// Reads one request; false if the connection is over.
asio::awaitable<bool> read(World& world, beast::tcp_stream& stream, beast::flat_buffer& buffer,
                           Parser& parser) {
  parser.header_limit(largest_header);
  parser.body_limit(largest_body);
  boost::system::error_code error;
  stream.expires_after(idle_timeout);
  co_await http::async_read(stream, buffer, parser,
                            asio::redirect_error(asio::use_awaitable, error));
  if (!error) co_return true;
  if (error == http::error::end_of_stream || error == beast::error::timeout ||
      error == asio::error::connection_reset || error == asio::error::operation_aborted ||
      error == asio::error::bad_descriptor)
    co_return false;
  boost::json::object line;
  line["func"] = "unreadable";
  line["reason"] = "the request could not be read: " + error.message();
  world.journal.write("request", std::move(line));
  http::response<http::string_body> answer(error == http::error::body_limit
                                               ? http::status::payload_too_large
                                               : http::status::bad_request,
                                           11);
  answer.set(http::field::content_type, "text/plain");
  answer.body() = "the request could not be read: " + error.message() + "\n";
  answer.keep_alive(false);
  answer.prepare_payload();
  co_await http::async_write(stream, answer, asio::redirect_error(asio::use_awaitable, error));
  co_return false;
}

// True: all of it was sent, and the connection may live on.
asio::awaitable<bool> send_stream(beast::tcp_stream& stream, Stream const& body) {
  constexpr std::size_t most = 64 * 1024;
  std::vector<unsigned char> piece(
      body.rate > 0 ? std::clamp<std::size_t>(static_cast<std::size_t>(body.rate / 20), 1, most)
                    : most);
  asio::steady_timer pause(stream.get_executor());
  boost::system::error_code error;
  std::uint64_t sent = 0;
  while (!error && sent < body.cut_at) {
    auto const count = std::min<std::uint64_t>(body.sound.read(sent, piece), body.cut_at - sent);
    auto const out = asio::buffer(piece.data(), static_cast<std::size_t>(count));
    stream.expires_after(idle_timeout);
    co_await asio::async_write(stream, out, asio::redirect_error(asio::use_awaitable, error));
    sent += count;
    if (body.rate == 0 || error) continue;
    pause.expires_after(
        std::chrono::microseconds(static_cast<std::int64_t>(count) * 1'000'000 / body.rate));
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  bool const whole = !error && sent == body.sound.size();
  if (body.over) body.over(whole);
  co_return whole;
}

asio::awaitable<void> session(World& world, beast::tcp_stream stream,
                              std::shared_ptr<Door::Guests> guests) {
  beast::flat_buffer buffer;
  Presence presence(std::move(guests), stream.socket());
  boost::system::error_code error;
  stream.socket().set_option(asio::ip::tcp::no_delay(true), error);
  for (;;) {
    Parser parser;
    bool const readable = co_await read(world, stream, buffer, parser);
    if (!readable) break;
    Request request = parser.release();
    Reply reply = co_await handle(world, request, presence);

    if (reply.fate == Reply::Fate::hang) {
      if (reply.afterwards) reply.afterwards(false);
      char byte = 0;
      stream.expires_after(longest_hang);
      co_await stream.async_read_some(asio::buffer(&byte, 1),
                                      asio::redirect_error(asio::use_awaitable, error));
      break;
    }
    if (reply.fate == Reply::Fate::drop) {
      if (reply.afterwards) reply.afterwards(false);
      break;
    }
    http::response<http::string_body> answer;
    answer.version(request.version());
    answer.result(reply.status);
    answer.set(http::field::server, "jiuyun-simulator");
    answer.set(http::field::content_type, reply.content_type);
    answer.keep_alive(request.keep_alive() && presence.may_stay());
    answer.body() = std::move(reply.body);
    answer.prepare_payload();
    if (reply.stream) answer.content_length(reply.stream->sound.size());
    if (request.method() == http::verb::head) answer.body().clear();
    stream.expires_after(idle_timeout);
    bool const gone = peer_gone(stream);
    if (reply.stream && request.method() != http::verb::head) {
      auto const body = reply.stream;
      http::response_serializer<http::string_body> head(answer);
      head.split(true);
      co_await http::async_write_header(stream, head,
                                        asio::redirect_error(asio::use_awaitable, error));
      bool const whole = co_await send_stream(stream, *body);
      if (!whole || !answer.keep_alive()) break;
      continue;
    }
    co_await http::async_write(stream, answer, asio::redirect_error(asio::use_awaitable, error));
    if (reply.afterwards) reply.afterwards(gone || error);
    if (error || !answer.keep_alive()) break;
  }
  stream.socket().shutdown(asio::ip::tcp::socket::shutdown_both, error);
}

}  // namespace

Target::Target(Request const& request) {
  std::string text(request.target());
  auto mark = text.find('?');
  path = text.substr(0, mark);
  if (mark != std::string::npos) query = text.substr(mark + 1);
}

asio::ip::tcp::acceptor listen(World& world, Endpoint const& endpoint, char const* option) {
  auto complain = [&](char const* what, boost::system::error_code const& error) {
    if (error)
      throw std::runtime_error(std::string(option) + " " + endpoint.address + ":" +
                               std::to_string(endpoint.port) + ": " + what + ": " +
                               error.message() +
                               "; give an address of this machine and a free port, or port 0");
  };
  boost::system::error_code error;
  auto address = asio::ip::make_address(endpoint.address, error);
  complain("the address can't be read", error);
  asio::ip::tcp::endpoint place(address, endpoint.port);
  asio::ip::tcp::acceptor acceptor(world.executor);
  acceptor.open(place.protocol(), error);
  complain("no socket", error);
  acceptor.set_option(asio::socket_base::reuse_address(true), error);
  complain("no SO_REUSEADDR", error);
  acceptor.bind(place, error);
  complain("can't bind", error);
  acceptor.listen(4096, error);
  complain("can't listen", error);
  return acceptor;
}

std::string url_of(asio::ip::tcp::endpoint const& endpoint) {
  auto const address = endpoint.address();
  auto const shown = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return "http://" + shown + ":" + std::to_string(endpoint.port());
}

asio::awaitable<void> serve(World& world, std::shared_ptr<asio::ip::tcp::acceptor> acceptor,
                            std::shared_ptr<Door::Guests> guests) {
  for (;;) {
    boost::system::error_code error;
    asio::ip::tcp::socket socket =
        co_await acceptor->async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (!acceptor->is_open()) co_return;
    if (error) {  // out of file descriptors, for example: let some close
      asio::steady_timer rest(world.executor);
      rest.expires_after(std::chrono::milliseconds(50));
      co_await rest.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    run(world.executor, session(world, beast::tcp_stream(std::move(socket)), guests));
  }
}

}  // namespace jiuyun
