// Two records of one call (rules.md, "Merging"): Y was made from events, since nobody could know
// that they were X's; then the channel says that its call is X. X survives and takes Y's events.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "call/calls.hpp"
#include "io/pg.hpp"

namespace cc {

struct Merge {
  std::int64_t survivor = 0;
  int attempt = 0;  // the survivor's, which the channel's call id belongs to
  std::string channel;
  std::string channel_call_id;
};

/// Gives the channel's call to the survivor's attempt. Where another record has it and that one was
/// made from events, its claims and attempt go, its events become the survivor's, it keeps only
/// `merged_into`, and its tenant is told `call.merged`. Returns that record; nothing where there
/// was none, or where it is a call of its own right, which is left as it is. Throws pg::Failure; a
/// unique violation means that it must be tried again.
asio::awaitable<std::optional<std::int64_t>> merge_calls(pg::Pool& pool, Merge merge,
                                                         std::int64_t now_ms);

}  // namespace cc
