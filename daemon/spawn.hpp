// Starting a coroutine that nobody waits for.
#pragma once

#include <any>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace cc {

namespace asio = boost::asio;

/// Runs `work` by itself; `owner` lives as long as it does. An exception that leaves it is a bug:
/// it is logged as critical, with `name`, and ends the process, since a daemon with a dead part
/// lies about its health. (A database or a channel that is away is no exception here: whoever waits
/// for it copes.)
void spawn(asio::any_io_executor executor, std::string name, asio::awaitable<void> work,
           std::any owner = {});

}  // namespace cc
