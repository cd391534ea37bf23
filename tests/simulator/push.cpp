#include "push.hpp"

#include <chrono>
#include <stdexcept>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "clock.hpp"
#include "digest.hpp"

namespace jiuyun {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

constexpr auto connect_timeout = std::chrono::milliseconds(500);  // the vendor's
constexpr auto total_timeout = std::chrono::milliseconds(2500);

using Protocol = asio::generic::stream_protocol;
using Stream = beast::basic_stream<Protocol>;

asio::awaitable<boost::system::error_code> connect(Stream& stream, CallbackUrl const& url) {
  boost::system::error_code error;
  stream.expires_after(connect_timeout);
  if (!url.socket_path.empty()) {
    asio::local::stream_protocol::endpoint local(url.socket_path);
    Protocol::endpoint endpoint(local);
    co_await stream.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
    co_return error;
  }
  asio::ip::tcp::endpoint tcp;
  auto address = asio::ip::make_address(url.host, error);
  if (error) {
    asio::ip::tcp::resolver resolver(stream.get_executor());
    auto found = co_await resolver.async_resolve(url.host, url.port,
                                                 asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return error;
    tcp = found.begin()->endpoint();
  } else {
    tcp = asio::ip::tcp::endpoint(address, static_cast<unsigned short>(std::stoul(url.port)));
  }
  Protocol::endpoint endpoint(tcp);
  co_await stream.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

std::string words(boost::system::error_code error, char const* phase) {
  if (error == beast::error::timeout) return std::string(phase) + ": the vendor's timeout";
  return std::string(phase) + ": " + error.message();
}

}  // namespace

CallbackUrl CallbackUrl::parse(std::string const& text) {
  auto complain = [&](char const* what) {
    throw std::runtime_error("callback URL '" + text + "': " + what +
                             "; write http://HOST:PORT/PATH or unix:/PATH.sock:/URI");
  };
  CallbackUrl url;
  if (text.size() > 2048) complain("is longer than 2048 bytes");
  for (char c : text)
    if (c <= ' ' || c > '~')
      complain("has a space, a control character or a byte that is not ASCII");
  if (text.rfind("unix:", 0) == 0) {
    auto colon = text.find(':', 5);
    if (colon == std::string::npos || text.compare(colon, 2, ":/") != 0)
      complain("has no :/URI after the socket's path");
    url.socket_path = text.substr(5, colon - 5);
    url.target = text.substr(colon + 1);
    if (url.socket_path.empty() || url.socket_path[0] != '/')
      complain("needs the socket's absolute path");
    if (url.socket_path.size() > 107) complain("has a socket path longer than 107 bytes");
    return url;
  }
  if (text.rfind("http://", 0) != 0) complain("begins neither with http:// nor with unix:");
  auto slash = text.find('/', 7);
  auto authority = text.substr(7, slash == std::string::npos ? std::string::npos : slash - 7);
  url.target = slash == std::string::npos ? "/" : text.substr(slash);
  auto colon = authority.rfind(':');
  url.host = authority.substr(0, colon);
  url.port = colon == std::string::npos ? "80" : authority.substr(colon + 1);
  if (url.host.empty()) complain("has no host");
  if (url.port.empty() || url.port.size() > 5 ||
      url.port.find_first_not_of("0123456789") != std::string::npos || std::stoul(url.port) == 0 ||
      std::stoul(url.port) > 65535)
    complain("has no port from 1 to 65535");
  return url;
}

asio::awaitable<PushResult> push(CallbackUrl url, std::string content_type, std::string body) {
  PushResult result;
  auto executor = co_await asio::this_coro::executor;
  auto begun = std::chrono::steady_clock::now();
  result.sent_at = now_ms();
  auto finish = [&] {
    result.duration_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                             std::chrono::steady_clock::now() - begun)
                             .count();
  };

  Stream stream(executor);
  boost::system::error_code error = co_await connect(stream, url);
  if (error) {
    result.error = words(error, "connect");
    finish();
    co_return result;
  }

  http::request<http::string_body> request(http::verb::post, url.target, 11);
  request.set(http::field::host, url.socket_path.empty() ? url.host + ":" + url.port : "localhost");
  request.set(http::field::content_type, content_type);
  request.set(http::field::user_agent, "jiuyun-simulator");
  request.set(http::field::connection, "close");
  request.body() = std::move(body);
  request.prepare_payload();

  stream.expires_at(begun + total_timeout);
  co_await http::async_write(stream, request, asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    result.error = words(error, "send");
    finish();
    co_return result;
  }
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(64 * 1024);
  co_await http::async_read(stream, buffer, parser,
                            asio::redirect_error(asio::use_awaitable, error));
  finish();
  if (error) {
    result.error = words(error, "receive");
    co_return result;
  }
  result.status = parser.get().result_int();
  result.answer = printable(parser.get().body(), 300);
  co_return result;
}

}  // namespace jiuyun
