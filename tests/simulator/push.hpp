// One HTTP POST to the callback URL, with the vendor's timeouts and without any retry.
#pragma once

#include <cstdint>
#include <string>

#include <boost/asio/awaitable.hpp>

namespace jiuyun {

struct CallbackUrl {
  std::string host;  // empty for a unix socket
  std::string port;
  std::string socket_path;  // empty for TCP
  std::string target;       // /path?query

  // http://HOST:PORT/PATH or unix:/PATH.sock:/URI. Throws std::runtime_error with value and remedy.
  static CallbackUrl parse(std::string const& text);
};

struct PushResult {
  std::int64_t sent_at = 0;
  std::int64_t duration_ms = 0;
  unsigned int status = 0;  // 0 = no HTTP answer
  std::string error;        // empty if there was an answer
  std::string answer;       // the beginning of the answer's body, printable
};

boost::asio::awaitable<PushResult> push(CallbackUrl url, std::string content_type,
                                        std::string body);

}  // namespace jiuyun
