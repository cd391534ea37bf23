#include "world.hpp"

#include <algorithm>
#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "door.hpp"

namespace gateway {

namespace asio = boost::asio;

void run(asio::any_io_executor executor, asio::awaitable<void> work) {
  asio::co_spawn(executor, std::move(work), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
}

World::World(asio::any_io_executor given_executor, Options const& given)
    : executor(given_executor),
      options(given),
      journal(given_executor, given.journal, given.journal_level),
      random(given.seed != 0 ? given.seed : std::random_device{}()) {}

World::~World() = default;

void World::restart(bool forget, std::int64_t down_ms) {
  down_until = Steady::now() + milliseconds(down_ms);
  journal.write(Journal::About::call, "restart",
                {{"forget", forget}, {"downMs", down_ms}, {"links", cut_gateway()}});
  if (!forget) return;
  for (auto& [id, agent] : agents.all()) agents.sign_out(agent, "restart");
  calls.abandon_all();
}

std::int64_t World::cut_gateway() {
  auto const count = links->cut_gateway();
  for (auto& [id, agent] : agents.all())
    if (agent.poll) std::exchange(agent.poll, nullptr)->finish(Poll::End::dropped);
  return count;
}

asio::awaitable<void> World::sweep() {
  // Often enough that a test's small --idle-ms is kept to within a quarter.
  auto const every = milliseconds(std::clamp<std::int64_t>(options.idle_ms / 4, 10, 1000));
  asio::steady_timer timer(executor, Steady::now());
  for (;;) {
    timer.expires_at(timer.expiry() + every);
    co_await timer.async_wait(asio::use_awaitable);
    agents.sweep();
    links->sweep();
  }
}

}  // namespace gateway
