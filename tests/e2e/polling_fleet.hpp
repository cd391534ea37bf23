// A stack with the agent gateway and two daemons that share its agents, each of which can be
// struck.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "process.hpp"
#include "stack.hpp"

namespace cc::test {

class PollingFleet {
 public:
  struct Settings {
    int agents = 400;
    long poll_ms = 4000;        // how long an empty poll waits
    long idle_ms = 30'000;      // without a poll: signed out
    long poll_timeout_s = 12;   // of ccd
    long answer_timeout_s = 3;  // of a callout
    long silence_s = 15;        // the reaper's
    long grace_s = 3;
    long max_duration_s = 12;
  };

  /// All agents are online when it stands.
  explicit PollingFleet(Settings settings);

  const Settings& settings() const noexcept { return settings_; }
  Stack& stack() noexcept { return *stack_; }
  const Stack& stack() const noexcept { return *stack_; }
  static constexpr std::size_t daemons = 2;
  const std::string& url(std::size_t daemon) const { return urls_.at(daemon); }
  int first_agent() const noexcept { return 1000; }

  void kill(std::size_t daemon);   // SIGKILL
  void stop(std::size_t daemon);   // SIGTERM, until it has ended
  void start(std::size_t daemon);  // until it is ready
  bool ready(std::size_t daemon) const;
  std::string log(std::size_t daemon) const;

  /// Agents that are not online, by CC's own word.
  long agents_away() const;

 private:
  void write_configuration();

  const Settings settings_;
  TempDir folder_;
  std::unique_ptr<Stack> stack_;
  std::unique_ptr<Process> second_;
  std::array<std::string, daemons> urls_;
};

}  // namespace cc::test
