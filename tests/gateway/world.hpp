// The simulated world: what every part of the simulator shares.
#pragma once

#include <memory>
#include <random>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agents.hpp"
#include "calls.hpp"
#include "clock.hpp"
#include "journal.hpp"
#include "latency.hpp"
#include "links.hpp"
#include "load.hpp"
#include "options.hpp"
#include "outage.hpp"
#include "random_faults.hpp"

namespace gateway {

class Door;

// Runs a coroutine; what it throws ends the program.
void run(boost::asio::any_io_executor executor, boost::asio::awaitable<void> work);

class World {
 public:
  World(boost::asio::any_io_executor given_executor, Options const& given);
  ~World();

  boost::asio::any_io_executor executor;
  Options options;
  Journal journal;
  std::mt19937_64 random;
  Latency latency;  // since the latest POST load
  Agents agents{*this};
  Calls calls{*this};
  Load load{*this};
  Outage outage;
  RandomFaults random_faults;
  std::unique_ptr<Door> door;  // the gateway's port
  std::shared_ptr<Links> links = std::make_shared<Links>();

  Steady::time_point down_until;  // requests to the gateway find their connection closed

  // A gateway restart: connections are cut; `forget`: nobody is signed in, no call lives.
  void restart(bool forget, std::int64_t down_ms);
  // Cuts the gateway's connections and forgets the polls that wait on them. How many there were.
  std::int64_t cut_gateway();
  // What has to be looked at every now and then, for ever.
  boost::asio::awaitable<void> sweep();
};

}  // namespace gateway
