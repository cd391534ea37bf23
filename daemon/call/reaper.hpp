// Ends that nobody reports: a call that has been silent for too long is closed by our own clock,
// and its channel is asked how it really ended (rules.md, "Ends that nobody reports").
#pragma once

#include <memory>
#include <set>
#include <string>

#include "call/drained_time.hpp"
#include "dispatch/nginx_watch.hpp"
#include "parts.hpp"
#include "record.hpp"
#include "recorder/recorder.hpp"

namespace cc {

/// When an open call counts as silent, in drained time. Pure.
struct Silence {
  OptMs sent, last_event;  // received-ms
  bool sign_of_b = false;
  int max_duration = 3600;  // seconds
};
std::int64_t silence_deadline_ms(const Silence& silence, const Config::Reaper& limits);

class Reaper {
 public:
  Reaper(Parts parts, Recorder& recorder, const NginxWatch& spools)
      : parts_(parts), recorder_(recorder), spools_(spools) {}

  /// Everything received before this is in the log, as far as is known. Throws pg::Failure.
  asio::awaitable<std::int64_t> drained_ms();

  /// Closes what is silent. One pass.
  asio::awaitable<void> reap();

  /// Releases lines and handsets whose time has come, where no taker has done so.
  asio::awaitable<void> release_due();

  /// Asks the channels about calls that they never closed, newest first, as fast as each allows the
  /// fleet to; the answers go the way of every delivery: into the stream. Returns at once; a
  /// channel that is still being asked is left alone.
  asio::awaitable<void> query();

 private:
  struct Open;
  struct Due;
  asio::awaitable<void> reap_one(Open open);
  asio::awaitable<void> query_channel(std::string code);
  asio::awaitable<void> query_one(std::shared_ptr<const ConfiguredChannel> channel);
  asio::awaitable<void> ask(std::shared_ptr<const ConfiguredChannel> channel, Due due);
  asio::awaitable<void> give_up(Due due, std::string reason);
  asio::awaitable<QueryReply> query_line(std::shared_ptr<const ConfiguredChannel> channel, Due due);
  pg::Params due_params(const std::string& code, bool sessions) const;

  Parts parts_;
  Recorder& recorder_;
  const NginxWatch& spools_;
  DrainedTime drained_;
  std::set<std::string> asking_;  // channels
};

}  // namespace cc
