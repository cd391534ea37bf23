#include "server.hpp"

#include <chrono>
#include <stdexcept>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
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

asio::awaitable<Reply> handle(World& world, Request const& request) {
  Target target(request);
  if (target.path.starts_with("/_control/") || target.path == "/_control") {
    Reply reply = co_await control(world, request, target);
    co_return reply;
  }
  if (target.path.starts_with("/records/")) co_return recording(world, request, target);
  Reply reply = co_await platform(world, request, target);
  co_return reply;
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
      error == asio::error::connection_reset)
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

asio::awaitable<void> session(World& world, beast::tcp_stream stream) {
  beast::flat_buffer buffer;
  boost::system::error_code error;
  stream.socket().set_option(asio::ip::tcp::no_delay(true), error);
  for (;;) {
    Parser parser;
    bool const readable = co_await read(world, stream, buffer, parser);
    if (!readable) break;
    Request request = parser.release();
    Reply reply = co_await handle(world, request);

    if (reply.fate == Reply::Fate::hang) {
      if (reply.afterwards) reply.afterwards();
      char byte = 0;
      stream.expires_after(longest_hang);
      co_await stream.async_read_some(asio::buffer(&byte, 1),
                                      asio::redirect_error(asio::use_awaitable, error));
      break;
    }
    if (reply.fate == Reply::Fate::drop) {
      if (reply.afterwards) reply.afterwards();
      break;
    }
    http::response<http::string_body> answer;
    answer.version(request.version());
    answer.result(reply.status);
    answer.set(http::field::server, "jiuyun-simulator");
    answer.set(http::field::content_type, reply.content_type);
    answer.keep_alive(request.keep_alive());
    answer.body() = std::move(reply.body);
    answer.prepare_payload();
    if (request.method() == http::verb::head) answer.body().clear();
    stream.expires_after(idle_timeout);
    co_await http::async_write(stream, answer, asio::redirect_error(asio::use_awaitable, error));
    if (reply.afterwards) reply.afterwards();
    if (error || !request.keep_alive()) break;
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

asio::ip::tcp::acceptor listen(World& world) {
  auto const& options = world.options;
  auto complain = [&](char const* what, boost::system::error_code const& error) {
    if (error)
      throw std::runtime_error("--listen " + options.address + ":" + std::to_string(options.port) +
                               ": " + what + ": " + error.message() +
                               "; give an address of this machine and a free port, or port 0");
  };
  boost::system::error_code error;
  auto address = asio::ip::make_address(options.address, error);
  complain("the address can't be read", error);
  asio::ip::tcp::endpoint endpoint(address, options.port);
  asio::ip::tcp::acceptor acceptor(world.executor);
  acceptor.open(endpoint.protocol(), error);
  complain("no socket", error);
  acceptor.set_option(asio::socket_base::reuse_address(true), error);
  complain("no SO_REUSEADDR", error);
  acceptor.bind(endpoint, error);
  complain("can't bind", error);
  acceptor.listen(4096, error);
  complain("can't listen", error);
  auto shown = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  world.base_url = "http://" + shown + ":" + std::to_string(acceptor.local_endpoint().port());
  return acceptor;
}

asio::awaitable<void> serve(World& world, asio::ip::tcp::acceptor& acceptor) {
  for (;;) {
    boost::system::error_code error;
    asio::ip::tcp::socket socket =
        co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {  // out of file descriptors, for example: let some close
      asio::steady_timer rest(world.executor);
      rest.expires_after(std::chrono::milliseconds(50));
      co_await rest.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    run(world.executor, session(world, beast::tcp_stream(std::move(socket))));
  }
}

}  // namespace jiuyun
