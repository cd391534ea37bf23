// A partition's Redis stream as the dispatcher sees it: ids, entries, and the question whether
// Redis and PostgreSQL are still the ones that we know (rules.md, "Redis that went back").
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "io/redis.hpp"
#include "result.hpp"

namespace cc {

namespace asio = boost::asio;

struct StreamId {
  std::uint64_t ms = 0, sequence = 0;
  auto operator<=>(const StreamId&) const = default;
};

std::string to_text(StreamId id);
std::optional<StreamId> parse_stream_id(std::string_view text);

/// What the value of an entry with several fields begins with: all its fields follow, each as
/// "<bytes of name> <bytes of value>\n<name><value>", so that a dead letter has them whole.
inline constexpr std::string_view many_fields_mark = "cc-fields ";

struct StreamEntry {
  StreamId id;
  std::string field;       // the channel's code
  std::string value;       // the envelope
  bool malformed = false;  // not exactly one field: somebody else wrote it
};

/// What we remember of a stream: stored in its cursor row.
struct StreamPosition {
  StreamId cursor;                 // committed up to here
  std::int64_t entries_added = 0;  // highest count seen
  StreamId highest;                // highest id seen
  std::string run_id;
};

/// What Redis says of it now.
struct StreamState {
  bool exists = false;
  std::int64_t length = 0, entries_added = 0;
  StreamId last_generated, first, trimmed_to;
  StreamId drained;    // the cursor as it was noted here last, about each second
  StreamId last_kept;  // its newest entry that we can have seen; 0-0 = none of them
  bool cursor_entry = false, highest_entry = false;  // whether these entries are there
  std::string run_id;
};

struct StreamVerdict {
  bool went_back = false;     // Redis: start again from 0-0
  bool set_back = false;      // PostgreSQL: the stream still has what it lost, and it is read again
  bool trimmed_past = false;  // our cursor is older than what was trimmed: deliveries may be gone
  std::string says;           // the alarm's text with the window; empty if all is well
};

/// Pure: judges the state against what we remember.
StreamVerdict judge(const StreamPosition& remembered, const StreamState& now);

/// All throw redis::Failure where the link breaks, std::runtime_error on an error reply.
asio::awaitable<StreamState> inspect(redis::Connection& redis, const std::string& stream,
                                     const StreamPosition& remembered);

/// Up to `count` entries after `from`, fewer where they are so large that they had better be taken
/// in several batches; waits for the first one up to `block`.
asio::awaitable<std::vector<StreamEntry>> read_after(redis::Connection& redis,
                                                     const std::string& stream, StreamId from,
                                                     std::size_t count,
                                                     std::chrono::milliseconds block);

/// Trims what is below `id` and notes that first (a full Redis: afterwards), so that a cursor from
/// before can be told.
asio::awaitable<void> trim_below(redis::Connection& redis, const std::string& stream, StreamId id);

/// Notes how far the stream is drained, beside it: by that a PostgreSQL from a backup is told.
/// False where Redis takes no writes.
asio::awaitable<bool> note_drained(redis::Connection& redis, const std::string& stream,
                                   StreamId cursor);

/// What lies behind the cursor.
struct Unread {
  std::int64_t entries_added = 0;  // over the stream's whole life
  StreamId first;                  // the oldest unread entry; 0-0 = all has been read
};
asio::awaitable<Unread> look_beyond(redis::Connection& redis, const std::string& stream,
                                    StreamId cursor);

/// Bytes that the stream takes in Redis' memory, estimated by Redis.
asio::awaitable<std::uint64_t> memory_of(redis::Connection& redis, const std::string& stream);

/// The streams with this prefix and a number behind it.
asio::awaitable<std::vector<std::string>> find_streams(redis::Connection& redis,
                                                       const std::string& prefix);

}  // namespace cc
