// When an attempt was refused without anything having rung: the transaction that folds its end
// makes the next attempt, or closes the call (rules.md, "Attempts").
#pragma once

#include <optional>

#include "channel/provider.hpp"
#include "parts.hpp"

namespace cc {

/// What became of the call.
struct Refused {
  bool stored = false;              // false: somebody else had settled the attempt before
  std::optional<int> next_attempt;  // planned, to be sent; absent: the refusal closed the call
  std::string from, to;             // channels
};

/// Stores the refusal with its event and, where the table allows it, plans the next attempt at
/// another line. `facts`: the refusal's. Throws pg::Failure.
asio::awaitable<Refused> store_refusal(Parts parts, std::int64_t call, int attempt,
                                       OriginateAnswer answer, Facts facts);

}  // namespace cc
