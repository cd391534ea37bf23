// Recordings as operators look at them, and the wish to have some tried anew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "channel/channels.hpp"
#include "io/pg.hpp"
#include "record.hpp"

namespace cc {

struct ListedRecording {
  std::int64_t call = 0;
  std::string file, tenant, channel, state;
  std::int64_t closed_ms = 0;  // the call's end
  OptMs due_ms;
  std::int64_t tries = 0;
  OptText problem, owner, object, content_type, crc64;
  std::optional<std::int64_t> size;
  OptMs stored_ms;
};

struct RecordingFilter {
  OptText state, tenant;
  bool overdue = false;  // expected, and ready for more than an hour
  int limit = 50;
};

/// Expected ones as they are due; others newest call first. Throws pg::Failure.
asio::awaitable<std::vector<ListedRecording>> list_recordings(pg::Pool& pool,
                                                              const Channels& channels,
                                                              RecordingFilter filter,
                                                              std::int64_t now_ms);

/// A call's: its recording, an IVR's file. Throws pg::Failure.
asio::awaitable<std::vector<ListedRecording>> recordings_of(pg::Pool& pool, std::int64_t call);

struct RetryWish {
  std::vector<std::int64_t> calls;  // or, where there are none:
  std::int64_t since_ms = 0;        // absent ones of calls that ended since
  OptText channel;
};

/// Absent and expected ones become due now, as if never tried. `by` is told in the audit log. How
/// many there were. Throws pg::Failure.
asio::awaitable<std::size_t> retry_recordings(pg::Pool& pool, RetryWish wish, std::string by,
                                              std::int64_t now_ms);

}  // namespace cc
