// CC with all its channels: NGINX, Redis, PostgreSQL, two daemons, both of Jiuyun's accounts and
// the agent gateway. Its times are short, and its clock can be put forward, so that what our own
// clock must end has ended within the run.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "process.hpp"
#include "shifted_clock.hpp"
#include "stack.hpp"

namespace cc::test {

class Site {
 public:
  static constexpr long answer_timeout_s = 3, silence_s = 8, grace_s = 3, max_duration_s = 8;
  static constexpr long poll_ms = 3000;
  static constexpr std::size_t daemons = 2;

  /// Up, with the cast's seats online and its users bound, when this returns.
  Site();

  Stack& stack() noexcept { return *stack_; }
  const Stack& stack() const noexcept { return *stack_; }
  const std::string& url(std::size_t daemon) const { return urls_.at(daemon); }

  void kill(std::size_t daemon);    // SIGKILL
  void start(std::size_t daemon);   // until it is ready
  void freeze(std::size_t daemon);  // SIGSTOP
  void thaw(std::size_t daemon);
  std::string log(std::size_t daemon) const;

  void advance(Millis by) { clock_.advance(by); }

 private:
  void write_configurations();
  void write_second();
  void people();

  TempDir folder_;
  ShiftedClock clock_;
  std::unique_ptr<Stack> stack_;
  std::unique_ptr<Process> second_;
  std::array<std::string, daemons> urls_;
};

}  // namespace cc::test
