#include "command.hpp"

#include <cstdio>
#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "io/http_client.hpp"
#include "migrate.hpp"
#include "phone.hpp"

namespace cc {
namespace {

constexpr std::size_t connections = 2;

}  // namespace

int run_command(const Config& config, const std::function<asio::awaitable<int>(Tools)>& work) {
  asio::io_context loop{1};
  SystemClock clock;
  HttpClient http(loop.get_executor());
  Channels channels(http, clock);
  channels.configure(config.channels);
  pg::Pool pool(loop.get_executor(), config.postgres.conninfo, connections);
  int code = exit_wrong;
  // A named closure outlives the coroutine that it makes.
  const auto all = [&]() -> asio::awaitable<void> {
    const Result<int> schema = co_await check_schema(pool);
    if (!schema) throw std::runtime_error(schema.error().message);
    code = co_await work(Tools{pool, channels, clock});
  };
  asio::co_spawn(loop, all(), [&](const std::exception_ptr& error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const std::exception& failure) {
      std::fprintf(stderr, "ccd: %s\n", mask_numbers_in(failure.what()).c_str());
    }
    loop.stop();
  });
  loop.run();
  std::fflush(stdout);
  return code;
}

}  // namespace cc
