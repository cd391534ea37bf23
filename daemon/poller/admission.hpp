// Who may sign in when: at a bounded rate, so that the end of an outage is no storm, and only while
// PostgreSQL has just confirmed that we are who we think (rules.md, "Ownership among daemons").
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <random>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "fleet/membership.hpp"
#include "io/clock.hpp"

namespace cc {

class Admission {
 public:
  Admission(Clock& clock, const Membership& membership) : clock_(clock), membership_(membership) {}

  /// Returns when it is this line's turn; turns at a channel come `a_second`. False where
  /// `given_up` said so meanwhile: then nobody must sign in.
  asio::awaitable<bool> enter(std::string channel, unsigned a_second,
                              std::function<bool()> given_up);

  /// Without a turn, for somebody who waits at the phone. A process that was stopped for a while is
  /// confirmed by its next heartbeat, but by then others may have its lines: it must have looked.
  bool confirmed() const { return membership_.confirmed() && looked(); }

  bool looked() const { return looked_ >= membership_.interrupted(); }
  /// Which lines are ours was asked, beginning at `when`, and those that are not were given up.
  void looked_at(std::chrono::steady_clock::time_point when) { looked_ = when; }

 private:
  Clock& clock_;
  const Membership& membership_;
  std::map<std::string, std::chrono::steady_clock::time_point> next_;  // turn, by channel
  std::chrono::steady_clock::time_point looked_{};
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace cc
