// Ends that nobody reports: a call that has been silent for too long is closed by our own clock, and its
// channel is asked how it really ended (rules.md, "Ends that nobody reports").
#pragma once

#include <string>

#include "call/parts.hpp"
#include "dispatch/dispatcher.hpp"
#include "io/redis.hpp"

namespace cc {

/// When an open call counts as silent, in drained time. Pure.
struct Silence {
  OptMs sent, last_event;  // received-ms
  bool sign_of_b = false;
  int max_duration = 3600;  // seconds
};
std::int64_t silence_deadline_ms(const Silence& silence);

class Reaper {
 public:
  Reaper(CallParts parts, const Dispatcher& dispatcher, redis::Link& redis)
      : parts_(parts), dispatcher_(dispatcher), redis_(redis) {}

  /// Closes what is silent. One pass.
  asio::awaitable<void> reap();

  /// Asks the channels about calls that they never closed, newest first, within each channel's budget; the
  /// answers go the way of every delivery: into the stream. One pass.
  asio::awaitable<void> query();

 private:
  asio::awaitable<bool> take_budget(std::string channel, int a_minute);
  asio::awaitable<void> ask(std::string channel, std::int64_t call, int attempt, std::string channel_call_id,
                            std::int64_t tries);
  asio::awaitable<std::string> put_into_stream(const Delivery& delivery);

  CallParts parts_;
  const Dispatcher& dispatcher_;
  redis::Link& redis_;
};

}  // namespace cc
