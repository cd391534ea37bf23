#include "server.hpp"

#include <algorithm>
#include <cerrno>
#include <iostream>
#include <stdexcept>
#include <sys/socket.h>
#include <type_traits>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "control.hpp"
#include "door.hpp"
#include "resource.hpp"
#include "world.hpp"

namespace gateway {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

constexpr std::uint32_t largest_header = 8 * 1024;
constexpr std::uint64_t largest_body = 4 * 1024 * 1024;  // scripts and events come in by control

using Plain = tcp::socket;
using Tls = asio::ssl::stream<tcp::socket>;

tcp::socket& socket_of(Plain& stream) {
  return stream;
}
tcp::socket& socket_of(Tls& stream) {
  return stream.next_layer();
}

template <class Stream>
class OpenLink : public Link {
 public:
  OpenLink(std::shared_ptr<Links> links, Stream given)
      : stream(std::move(given)), links_(std::move(links)) {
    links_->add(*this);
  }
  // Frames outlive the world when the program ends; the list of links doesn't mind.
  ~OpenLink() override { links_->remove(*this); }
  OpenLink(OpenLink const&) = delete;
  OpenLink& operator=(OpenLink const&) = delete;

  void cut() override {
    boost::system::error_code ignored;
    socket_of(stream).close(ignored);
  }
  void work(bool busy) {
    at_work = busy;
    since = Steady::now();
  }

  // The other end has closed, or on TLS said so: whatever is written now, nobody reads it.
  bool peer_gone() {
    char byte = 0;
    auto const fd = socket_of(stream).native_handle();
    auto const count = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count > 0) return std::is_same_v<Stream, Tls>;
    return count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }

  Stream stream;
  beast::flat_buffer buffer;

 private:
  std::shared_ptr<Links> links_;
};

Reply wrong_listener(bool control) {
  return json_reply({{"error", control ? "the control API has a listener of its own"
                                       : "this is the control API's listener"}},
                    404);
}

asio::awaitable<Reply> handle(World& world, Request const& request, Audience audience, Link& link) {
  Target const target(request.target());
  link.at_control = target.path.starts_with("/_control");
  if (link.at_control && audience.control) {
    Reply reply = co_await control(world, request, target);
    co_return reply;
  }
  if (!link.at_control && audience.resource) {
    Reply reply = co_await resource(world, request, target, link);
    co_return reply;
  }
  co_return wrong_listener(link.at_control);
}

http::response<http::string_body> message(Request const& request, Reply& reply) {
  http::response<http::string_body> answer(http::int_to_status(reply.status), request.version());
  answer.set(http::field::content_type, reply.content_type);
  if (!reply.guid.empty()) answer.set("Set-GUID", "JSESSIONID=" + reply.guid);
  if (!reply.disposition.empty()) answer.set(http::field::content_disposition, reply.disposition);
  if (!reply.cookie.empty()) answer.set(http::field::set_cookie, reply.cookie);
  answer.keep_alive(request.keep_alive());
  answer.body() = std::move(reply.body);
  answer.prepare_payload();
  if (reply.stream) answer.content_length(reply.stream->body->size());
  return answer;
}

http::response<http::string_body> unreadable(World& world, Request const& request,
                                             boost::system::error_code const& error) {
  world.journal.violation("unreadable", {{"reason", error.message()}});
  Reply reply = json_reply({{"error", "the request can't be read: " + error.message()}}, 400);
  auto answer = message(request, reply);
  answer.keep_alive(false);
  return answer;
}

// False: the connection is over.
template <class Stream>
asio::awaitable<bool> read(World& world, OpenLink<Stream>& link, Request& request) {
  http::request_parser<http::string_body> parser;
  parser.header_limit(largest_header);
  parser.body_limit(largest_body);
  boost::system::error_code error;
  co_await http::async_read(link.stream, link.buffer, parser,
                            asio::redirect_error(asio::use_awaitable, error));
  request = parser.release();
  if (!error) co_return true;
  if (error.category() != http::make_error_code(http::error::bad_method).category() ||
      error == http::error::end_of_stream || error == http::error::partial_message)
    co_return false;
  auto answer = unreadable(world, request, error);
  co_await http::async_write(link.stream, answer, asio::redirect_error(asio::use_awaitable, error));
  co_return false;
}

// True: all of it was sent.
template <class Socket>
asio::awaitable<bool> send(OpenLink<Socket>& link, http::response<http::string_body>& whole,
                           Stream& given) {
  constexpr std::size_t most = 64 * 1024;
  std::size_t const step =
      given.rate > 0 ? std::clamp<std::size_t>(static_cast<std::size_t>(given.rate / 20), 1, most)
                     : most;
  boost::system::error_code error;
  http::response_serializer<http::string_body> head(whole);
  head.split(true);
  co_await http::async_write_header(link.stream, head,
                                    asio::redirect_error(asio::use_awaitable, error));
  asio::steady_timer pause(link.stream.get_executor());
  std::vector<unsigned char> piece(step);
  std::uint64_t sent = 0;
  while (!error && sent < given.cut_at) {
    auto const count = std::min<std::uint64_t>(given.body->read(piece), given.cut_at - sent);
    auto const out = asio::buffer(piece.data(), static_cast<std::size_t>(count));
    co_await asio::async_write(link.stream, out, asio::redirect_error(asio::use_awaitable, error));
    sent += count;
    if (given.rate == 0 || error) continue;
    pause.expires_after(
        std::chrono::microseconds(static_cast<std::int64_t>(count) * 1'000'000 / given.rate));
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  bool const complete = !error && sent == given.body->size();
  if (given.over) given.over(complete);
  co_return complete;
}

// True: the connection can take another request.
template <class Socket>
asio::awaitable<bool> answer(OpenLink<Socket>& link, Request const& request, Reply& reply) {
  boost::system::error_code error;
  if (reply.fate == Reply::Fate::send && reply.stream) {
    auto whole = message(request, reply);
    auto const given = reply.stream;
    bool complete = co_await send(link, whole, *given);
    complete = complete && request.keep_alive();
    co_return complete;
  }
  if (reply.fate == Reply::Fate::send) {
    auto whole = message(request, reply);
    Written written;
    written.peer_gone = link.peer_gone();
    written.begun = Steady::now();
    co_await http::async_write(link.stream, whole,
                               asio::redirect_error(asio::use_awaitable, error));
    written.ok = !error;
    if (reply.afterwards) reply.afterwards(written);
    co_return !error && request.keep_alive();
  }
  if (reply.afterwards) reply.afterwards(Written{false, false, Steady::now()});
  char byte = 0;  // hanging: until the other end gives up
  if (reply.fate == Reply::Fate::hang)
    co_await link.stream.async_read_some(asio::buffer(&byte, 1),
                                         asio::redirect_error(asio::use_awaitable, error));
  co_return false;
}

template <class Stream>
asio::awaitable<void> attend(World& world, std::shared_ptr<OpenLink<Stream>> link,
                             Audience audience) {
  boost::system::error_code error;
  link->at_door = audience.resource;
  socket_of(link->stream).set_option(tcp::no_delay(true), error);
  if constexpr (std::is_same_v<Stream, Tls>) {
    co_await link->stream.async_handshake(asio::ssl::stream_base::server,
                                          asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
  }
  for (;;) {
    Request request;
    bool const readable = co_await read(world, *link, request);
    if (!readable) break;
    link->work(true);
    Reply reply = co_await handle(world, request, audience, *link);
    bool const more = co_await answer(*link, request, reply);
    link->work(false);
    if (!more || (link->at_door && !world.door->is_open())) break;
  }
  link->cut();
}

}  // namespace

tcp::acceptor listen(World& world, Endpoint const& endpoint, char const* option) {
  try {
    tcp::acceptor acceptor(world.executor);
    tcp::endpoint const place(asio::ip::make_address(endpoint.address), endpoint.port);
    acceptor.open(place.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.bind(place);
    acceptor.listen(8192);
    return acceptor;
  } catch (boost::system::system_error const& error) {
    throw std::runtime_error(std::string(option) + " " + endpoint.address + ":" +
                             std::to_string(endpoint.port) + ": " + error.code().message() +
                             "; give an address of this machine and a free port, or port 0");
  }
}

std::string url_of(tcp::endpoint const& place, bool tls) {
  auto const host = place.address().is_v6() ? "[" + place.address().to_string() + "]"
                                            : place.address().to_string();
  return (tls ? "https://" : "http://") + host + ":" + std::to_string(place.port());
}

asio::ssl::context tls_context(Options const& options) {
  asio::ssl::context context(asio::ssl::context::tls_server);
  // Idle connections give their buffers back: there may be tens of thousands.
  SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  auto const complain = [](std::string const& what, boost::system::error_code const& error) {
    if (error) throw std::runtime_error(what + ": " + error.message() + "; it must be a PEM file");
  };
  boost::system::error_code error;
  context.use_certificate_chain_file(options.tls_cert, error);
  complain("--tls-cert " + options.tls_cert, error);
  context.use_private_key_file(options.tls_key, asio::ssl::context::pem, error);
  complain("--tls-key " + options.tls_key, error);
  return context;
}

asio::awaitable<void> serve(World& world, std::shared_ptr<tcp::acceptor> acceptor,
                            Audience audience, asio::ssl::context* tls) {
  asio::steady_timer rest(world.executor);
  bool complained = false;
  for (;;) {
    boost::system::error_code error;
    tcp::socket socket =
        co_await acceptor->async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (!acceptor->is_open()) co_return;
    if (error) {
      // Out of descriptors: let some close. Who runs it must know, or the cause is never found.
      if (!std::exchange(complained, true))
        std::cerr << "agent-gateway-simulator: a connection can't be accepted: " << error.message()
                  << "; raise the hard limit (ulimit -Hn)\n";
      rest.expires_after(milliseconds(50));
      co_await rest.async_wait(asio::redirect_error(asio::use_awaitable, error));
    } else if (tls) {
      run(world.executor,
          attend(world, std::make_shared<OpenLink<Tls>>(world.links, Tls(std::move(socket), *tls)),
                 audience));
    } else {
      run(world.executor,
          attend(world, std::make_shared<OpenLink<Plain>>(world.links, std::move(socket)),
                 audience));
    }
  }
}

}  // namespace gateway
