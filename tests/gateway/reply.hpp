// What a request is answered with, and what happens once it was.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/json/object.hpp>

#include "archive.hpp"
#include "clock.hpp"

namespace gateway {

using Request = boost::beast::http::request<boost::beast::http::string_body>;

// How the writing of an answer went. `peer_gone`: it was written to a connection whose other end
// had been closed already.
struct Written {
  bool ok = true;
  bool peer_gone = false;
  Steady::time_point begun;  // the client can't have had it before
};

// A body that is made up while it is sent.
struct Stream {
  std::unique_ptr<Body> body;
  std::uint64_t cut_at = 0;  // the connection breaks there; the body's size = it does not
  std::int64_t rate = 0;     // bytes a second; 0 = as fast as it goes
  std::function<void(bool whole)> over;
};

struct Reply {
  enum class Fate { send, hang, drop };

  Fate fate = Fate::send;
  unsigned int status = 200;
  std::string content_type = "application/json; charset=UTF-8";
  std::string body;
  std::shared_ptr<Stream> stream;  // instead of body
  std::string disposition;         // Content-Disposition
  std::string guid;    // Set-GUID
  std::string cookie;  // Set-Cookie
  std::function<void(Written)> afterwards;
};

// The path without the query, and the query.
struct Target {
  explicit Target(std::string_view target);
  std::string path;
  std::string query;
};

Reply json_reply(boost::json::object const& body, unsigned int status = 200);
// {"message","retcode"} and the members given.
Reply vendor_reply(std::string_view retcode, boost::json::object members = {});
Reply html_reply(unsigned int status);

}  // namespace gateway
