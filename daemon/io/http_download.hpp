// The body of an answer, of any size, read piece by piece: what nobody has read yet makes the peer
// wait.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "http_client.hpp"

namespace cc {

/// Made by HttpClient::download(). Destroying it ends the transfer.
class HttpDownload {
 public:
  ~HttpDownload();
  HttpDownload(const HttpDownload&) = delete;

  /// Status and headers, `body` empty. Where it is not answered() nothing can be read.
  const HttpExchange& head() const noexcept;

  /// At least one byte and at most `size`; 0 = that was all of it. Where the rest does not come, or
  /// nothing comes for as long as `idle` said: -1, and problem() says why.
  asio::awaitable<std::ptrdiff_t> read(char* into, std::size_t size);
  const std::string& problem() const noexcept;

 private:
  friend class HttpClient;
  struct Impl;
  explicit HttpDownload(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cc
