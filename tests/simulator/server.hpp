// The HTTP server: connections, limits, and who handles what.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "door.hpp"
#include "sound.hpp"

namespace jiuyun {

class World;

using Request = boost::beast::http::request<boost::beast::http::string_body>;

// An answer's body that is made up while it is sent.
struct Stream {
  Sound sound;
  std::uint64_t cut_at = 0;  // the connection breaks there; the sound's size = it does not
  std::int64_t rate = 0;     // bytes a second; 0 = as fast as it goes
  std::function<void(bool whole)> over;
};

struct Reply {
  enum class Fate { send, hang, drop };
  Fate fate = Fate::send;
  unsigned int status = 200;
  std::string content_type = "application/json;charset=utf-8";
  std::string body;
  std::shared_ptr<Stream> stream;  // instead of body
  // Run once the answer was written, or the writing failed. `peer_gone`: nobody will have read it.
  std::function<void(bool peer_gone)> afterwards;
};

// Path without query, and the query.
struct Target {
  explicit Target(Request const& request);
  std::string path;
  std::string query;
};

// Throws std::runtime_error that names the option if it can't listen.
boost::asio::ip::tcp::acceptor listen(World& world, Endpoint const& endpoint, char const* option);
std::string url_of(boost::asio::ip::tcp::endpoint const& endpoint);
// Serves until the acceptor is closed. `guests` null: the control API alone.
boost::asio::awaitable<void> serve(World& world,
                                   std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor,
                                   std::shared_ptr<Door::Guests> guests);

}  // namespace jiuyun
