// Whose an event of a polled line is that names no call, or one that nobody knows yet: the
// attempt's on that line in whose time it was read (rules.md, "Deliveries and events").
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "event.hpp"
#include "io/pg.hpp"

namespace cc {

struct FoundEvent;

struct LineAttempt {
  std::int64_t call = 0;
  int attempt = 0;
  std::int64_t sent = 0;
  std::string state;
  std::string channel_call_id;        // empty = not known yet
  std::optional<std::int64_t> heard;  // received-ms of its first event that is not trailing
  std::optional<std::int64_t> ended;  // received-ms of its end
};

using LineName = std::pair<std::string, std::string>;  // channel, agent

class LineAttempts {
 public:
  LineAttempts() = default;
  /// Of what find_line_attempts() answered.
  explicit LineAttempts(const pg::Rows& rows);
  explicit LineAttempts(std::map<LineName, std::vector<LineAttempt>> attempts)
      : attempts_(std::move(attempts)) {}

  /// Gives the event its call and attempt where it has one, in which case it remembers what the
  /// event tells of the attempt. Events of a line have to come by received-ms.
  void assign(FoundEvent& item);
  /// The same for an event whose call is known by its id.
  void hear(const FoundEvent& item, std::int64_t call, int attempt);

 private:
  LineAttempt* owner_of(const FoundEvent& item, std::vector<LineAttempt>& attempts) const;

  std::map<LineName, std::vector<LineAttempt>> attempts_;  // newest first
};

/// Whether any of them needs it.
bool has_line_events(const std::vector<FoundEvent>& events) noexcept;

/// Asks for the attempts on the events' lines that may be theirs.
pg::Statement find_line_attempts(const std::vector<FoundEvent>& events);

}  // namespace cc
