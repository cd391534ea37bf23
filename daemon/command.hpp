// What ccd's commands work with beside a running daemon: a loop and connections of their own.
#pragma once

#include <functional>

#include <boost/asio/awaitable.hpp>

#include "channel/channels.hpp"
#include "config.hpp"
#include "io/clock.hpp"
#include "io/pg.hpp"

namespace cc {

/// Exit codes of all commands.
enum ExitCode : int {
  exit_right = 0,
  exit_wrong = 1,    // something went wrong, or is not there
  exit_usage = 2,    // wrong usage or configuration
  exit_differs = 3,  // it worked, and found what must be looked at
};

struct Tools {
  pg::Pool& pool;
  Channels& channels;  // as configured; nothing is sent through them
  Clock& clock;
};

/// Checks the schema, runs `work` to its end and returns what it returns. What it throws is told on
/// stderr: exit_wrong.
int run_command(const Config& config, const std::function<asio::awaitable<int>(Tools)>& work);

}  // namespace cc
