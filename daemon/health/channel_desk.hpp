// What applications and operators may ask and set of channels. The API calls this; nothing in here
// knows HTTP.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "record.hpp"

namespace cc {

namespace asio = boost::asio;

/// A channel in words and figures. Times are epoch ms; rates are of the last minute.
struct ChannelReport {
  std::string channel, kind;
  std::string state;     // closed, open, half_open, forced_open, forced_closed, degraded, disabled
  std::string standing;  // whole, trial, degraded, out, shut
  std::int64_t since = 0;
  std::string why;   // it is not whole
  OptMs next_trial;  // open or degraded: when a call is tried
  bool enabled = true;
  OptText forced;  // open, closed
  int priority = 100, weight = 1;
  std::int64_t judged = 0, failed = 0;  // attempts
  std::int64_t originated = 0,
               answered = 0;       // calls that ended or were answered; of these, answered
  OptMs event_p50, event_p99;      // ms from acceptance to the first event
  std::int64_t missing = 0;        // accepted calls whose events are overdue
  std::int64_t query_backlog = 0;  // calls that wait to be asked about
  // Lines of the asking tenant that were made known.
  std::int64_t lines_free = 0, lines_busy = 0, lines_offline = 0;
  struct DisplayRefusal {
    std::string number, code;
    std::int64_t last = 0, count = 0;
  };
  std::vector<DisplayRefusal> refused_numbers;  // that the channel would not show, newest first
  struct Change {
    std::int64_t at = 0;
    std::string was, state, why;
  };
  std::vector<Change> changes;  // the last ones, newest first
};

/// Absent = it stays. An inner empty optional = as configured.
struct ChannelWish {
  std::optional<std::optional<bool>> enabled;
  std::optional<OptText> forced;  // open, closed
  std::optional<std::optional<int>> priority, weight;
};

class ChannelDesk {
 public:
  virtual ~ChannelDesk() = default;
  // All methods throw pg::Failure while PostgreSQL is away.

  /// The channels that are allowed to the tenant, by priority, then code; with `channel` that one
  /// only.
  virtual asio::awaitable<std::vector<ChannelReport>> list(std::string tenant, OptText channel) = 0;

  /// Nothing where the channel does not exist or is not the tenant's. `who`: for the audit.
  virtual asio::awaitable<std::optional<ChannelReport>> set(std::string tenant, std::string channel,
                                                            ChannelWish wish, std::string who) = 0;
};

}  // namespace cc
