// Ending calls. A hang-up is an intent, kept with the attempt until the channel has taken it
// (rules.md, "Ends that nobody reports").
#pragma once

#include <set>
#include <string>
#include <utility>

#include "call/calls.hpp"
#include "parts.hpp"

namespace cc {

class Hangups {
 public:
  explicit Hangups(Parts parts) : parts_(parts) {}

  /// Stores the wish and answers with the record; the channel is told in the background. Nothing
  /// where the call is not the tenant's.
  asio::awaitable<std::optional<HangupAnswer>> ask(std::string tenant, std::int64_t call,
                                                   std::string request_id);

  /// Tells channels what they have not taken yet, and closes by our own clock what no channel has
  /// closed 30 s after taking it. One pass. With `only`, just that call's.
  asio::awaitable<void> pursue(OptMs only = {});

 private:
  struct Due;
  asio::awaitable<void> tell(Due due);
  asio::awaitable<HangupReply> hang_up(std::shared_ptr<const ConfiguredChannel> channel, Due due);
  bool has_sessions(const std::string& code) const;
  asio::awaitable<void> close_ourselves(std::int64_t call, int attempt, bool connected);

  Parts parts_;
  std::set<std::pair<std::int64_t, int>> telling_;  // attempts whose channel is being told now
};

}  // namespace cc
