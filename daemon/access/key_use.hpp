// When keys were last used: noted at each request, written at most once a minute for each secret.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "io/pg.hpp"

namespace cc {

namespace asio = boost::asio;

class KeyUse {
 public:
  explicit KeyUse(pg::Pool& pool) : pool_(pool) {}

  /// `digest`: the secret's SHA-256, 32 bytes. Waits for nothing.
  void note(std::string_view digest, std::int64_t now_ms);

  /// Writes what is due: the first use at once, the latest of later ones a minute after the last
  /// writing. Throws pg::Failure; then it stays due.
  asio::awaitable<void> write(std::int64_t now_ms);

 private:
  struct Use {
    std::int64_t last = 0, written = 0;  // epoch ms; written: `last` at that time
  };
  pg::Pool& pool_;
  std::map<std::string, Use, std::less<>> uses_;
};

}  // namespace cc
