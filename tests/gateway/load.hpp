// A generator of events for benchmarks: keeps a share of the signed-in agents in synthetic calls.
#pragma once

#include <cstdint>

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "options.hpp"

namespace gateway {

class World;

class Load {
 public:
  explicit Load(World& world) : world_(world) {}

  // {"agents","share","period_ms"}; also begins a new measurement. Throws BadInput.
  void set(boost::json::value const& value);
  boost::json::object summary() const;

 private:
  boost::asio::awaitable<void> generate();
  void start_calls();

  World& world_;
  AgentRange range_;
  double share_ = 0;
  std::int64_t period_ms_ = 10'000;
  std::uint32_t next_ = 0;  // whose turn it is
  double allowance_ = 0;    // starts that are due, so that they spread over the period
  bool running_ = false;
  std::int64_t since_ = 0;  // of the measurement
  std::int64_t calls_ = 0;
  std::int64_t events_before_ = 0;
  std::int64_t lost_before_ = 0;
};

}  // namespace gateway
