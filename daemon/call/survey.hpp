// What is known when a call looks for a line: channels' standings, the named agent, the user's
// binding, the pool. Asked in the transaction that then takes the line.
#pragma once

#include <set>
#include <string>
#include <variant>
#include <vector>

#include "call/choose.hpp"
#include "parts.hpp"

namespace cc {

/// Of an earlier attempt of the call.
struct Tried {
  std::set<std::string> channels;
  std::set<std::string> lines;  // "hw/291"
};

struct Found {
  std::variant<std::vector<Line>, Refusal> choice;
  bool contended = false;  // lines of the pool are free, but others are taking them right now
};

/// The lines that may make the call, best first. A line of the pool is locked until the
/// transaction ends, so that two calls never reach for the same. Throws pg::Failure.
asio::awaitable<Found> find_lines(pg::Transaction& transaction, Parts parts, NewCall request,
                                  Needs needs, Tried tried, std::int64_t now_ms);

}  // namespace cc
