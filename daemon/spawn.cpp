#include "spawn.hpp"

#include <cstdlib>
#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "log.hpp"

namespace cc {

void spawn(asio::any_io_executor executor, std::string name, asio::awaitable<void> work,
           std::any owner) {
  asio::co_spawn(
      std::move(executor), std::move(work),
      [name = std::move(name), owner = std::move(owner)](const std::exception_ptr& error) {
        if (!error) return;
        try {
          std::rethrow_exception(error);
        } catch (const boost::system::system_error& failure) {
          if (failure.code() == asio::error::operation_aborted) return;
          log().critical("{}: {}", name, failure.what());
        } catch (const std::exception& failure) {
          log().critical("{}: {}", name, failure.what());
        }
        std::abort();
      });
}

}  // namespace cc
