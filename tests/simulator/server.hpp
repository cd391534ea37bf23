// The HTTP server: connections, limits, and who handles what.
#pragma once

#include <functional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

namespace jiuyun {

class World;

using Request = boost::beast::http::request<boost::beast::http::string_body>;

struct Reply {
  enum class Fate { send, hang, drop };
  Fate fate = Fate::send;
  unsigned int status = 200;
  std::string content_type = "application/json;charset=utf-8";
  std::string body;
  std::function<void()> afterwards;  // run once the answer was written, or the writing failed
};

// Path without query, and the query.
struct Target {
  explicit Target(Request const& request);
  std::string path;
  std::string query;
};

// Listens and serves until the executor stops. Throws if it can't listen.
boost::asio::ip::tcp::acceptor listen(World& world);
boost::asio::awaitable<void> serve(World& world, boost::asio::ip::tcp::acceptor& acceptor);

}  // namespace jiuyun
