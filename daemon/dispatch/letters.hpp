// Dead letters as an operator sees them: listed, shown, replayed. The API and the command line call
// this.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

namespace cc {

namespace asio = boost::asio;

struct Letter {
  std::int64_t id = 0;
  std::string channel;  // its code, or what stood in its place
  std::string reason;   // may repeat a number
  std::int64_t received_ms = 0, first_seen_ms = 0, last_seen_ms = 0;  // epoch ms
  std::int64_t count = 1;                                             // how often it came
  std::optional<std::int64_t> replayed_ms;  // with success; gone again when it comes back dead
  std::int64_t bytes = 0;                   // of `raw`
  std::string raw;                          // the envelope as it came; empty in lists
  bool foreign = false;  // may be another tenant's: who asks sees no bytes and no number of it
};

struct LetterFilter {
  std::optional<std::string> channel;
  std::optional<std::string> reason;           // what it begins with
  std::optional<bool> replayed;                // absent = both
  std::optional<std::int64_t> below, above;    // ids
  bool oldest_first = false;                   // newest first otherwise
  int limit = 50;                              // rows
  std::optional<std::vector<std::string>> of;  // only these channels, and codes not in `known`
  std::vector<std::string> known;
};

struct Replay {
  enum class Outcome {
    replayed,          // all that it says is in the records, or waits for its call
    still_unreadable,  // it stays, with the reason of today
  } outcome = Outcome::replayed;
  bool before = false;              // it had been replayed: nothing was done
  std::string reason;               // why it is still unreadable; may repeat a number
  std::int64_t replayed_ms = 0;     // 0 = never
  std::size_t events = 0;           // found in it
  std::size_t stored = 0;           // of these, the ones that were new
  std::size_t waiting = 0;          // of these, the ones whose call is not known yet
  std::vector<std::int64_t> calls;  // whose record changed
};

/// All throw pg::Failure. `tenant` is whose key asks: it sees what came for channels that it may
/// use, and what came under a code that nobody has configured, since nobody can say whose that is.
class DeadLetters {
 public:
  virtual ~DeadLetters() = default;
  virtual asio::awaitable<std::vector<Letter>> list(std::string tenant, LetterFilter filter) = 0;
  /// With `raw`. Nothing where there is none that the tenant may see.
  virtual asio::awaitable<std::optional<Letter>> get(std::string tenant, std::int64_t id) = 0;
  virtual asio::awaitable<std::optional<Replay>> replay(std::string tenant, std::int64_t id) = 0;
};

}  // namespace cc
