// Recordings as the API sees them: what is known of a call's file, and a way to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include <boost/asio/awaitable.hpp>

#include "record.hpp"

namespace cc {

namespace asio = boost::asio;

struct RecordingStatus {
  std::int64_t call = 0;  // as asked for, or the one that it was merged into
  enum class State : std::uint8_t {
    none,      // and there will be none: `reason`
    expected,  // not before `expected_at`, as far as is known
    stored,
    deleted,  // its time was over
  } state = State::none;
  bool later = false;       // none: there may be one after all, for not all is known yet
  std::string reason;       // none, deleted: a sentence without number
  OptMs expected_at;        // epoch ms
  std::uint64_t size = 0;   // stored: bytes
  std::string content_type;
};

struct RecordingLink {
  std::string url;  // absolute, or a path of ccd's own API
  std::int64_t expires_at = 0;  // epoch ms
};

class Recordings {
 public:
  virtual ~Recordings() = default;

  /// Of a call of this tenant; nothing where it has no such call. `ivr`: the IVR's file instead.
  /// Throws pg::Failure.
  virtual asio::awaitable<std::optional<RecordingStatus>> status(std::string tenant,
                                                                 std::int64_t call, bool ivr) = 0;

  /// A way to a stored one that is good for `ttl` seconds (absent: as configured) at most; nothing
  /// where it is not stored any more. Throws pg::Failure; StoreAway where the store can't give one
  /// now.
  virtual asio::awaitable<std::optional<RecordingLink>> link(std::string tenant, std::int64_t call,
                                                             bool ivr, std::optional<int> ttl) = 0;
};

}  // namespace cc
