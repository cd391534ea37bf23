// ccd put together: owns every part, starts them in order, and stops them so that nothing is lost.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "config.hpp"

namespace cc {

/// Runs until SIGTERM or SIGINT, or until the fleet says that another process has our id. The
/// process's exit code: 0 = stopped as asked; 1 = could not start (the log says why).
int run_daemon(Config config, std::string config_path);

}  // namespace cc
