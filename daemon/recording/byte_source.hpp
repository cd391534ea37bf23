// Bytes that come one after the other, from wherever: a recording on its way.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

#include <boost/asio/awaitable.hpp>

namespace cc {

namespace asio = boost::asio;

/// The bytes could not be had to their end. what(): for logs and operators, without address, number
/// or secret.
class SourceBroken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// They will never be had: what() says why.
class SourceRefused : public SourceBroken {
 public:
  using SourceBroken::SourceBroken;
};

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// At least one byte and at most `size`; 0 = there are no more, and all that belong to it have
  /// come. Throws SourceBroken.
  virtual asio::awaitable<std::size_t> read(char* into, std::size_t size) = 0;
};

}  // namespace cc
