// The simulated world: journal, clock, phones, calls and scripts, and the faults that are switched
// on.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>

#include "call.hpp"
#include "clock.hpp"
#include "journal.hpp"
#include "options.hpp"
#include "outages.hpp"
#include "phones.hpp"
#include "push.hpp"
#include "random_faults.hpp"
#include "script.hpp"

namespace jiuyun {

class Door;

// Runs a coroutine; what it throws ends the program.
void run(boost::asio::any_io_executor executor, boost::asio::awaitable<void> work);

class World {
 public:
  World(boost::asio::any_io_executor executor, Options const& given);
  ~World();

  boost::asio::any_io_executor executor;
  Options options;
  VendorClock clock;
  Journal journal;
  Phones phones;
  std::mt19937_64 random;
  std::string base_url;     // http://ADDRESS:PORT, once listening
  std::string record_base;  // what recordUrl begins with
  std::optional<CallbackUrl> callback_url;
  std::map<std::string, Script> scripts;  // by called number
  Script default_script;
  Outages outages;
  RandomFaults random_faults;
  std::unique_ptr<Door> door;        // the vendor's port
  std::deque<std::int64_t> queries;  // steady ms of the queries inside the last minute

  Script const script_for(std::string const& called) const;
  std::shared_ptr<Call> new_call(CallRequest request, Script script);
  std::shared_ptr<Call> find_call(std::string const& call_id) const;
  std::deque<std::shared_ptr<Call>> const& calls() const { return order_; }
  std::size_t living_calls() const { return living_; }
  void call_ended() { --living_; }
  void forget(Call& call);  // it was never dialled, and nobody knows of it
  // Counts originates by userData; true if this one had been seen before.
  bool seen_before(std::string const& user_data);
  void reset();

 private:
  std::unordered_map<std::string, std::shared_ptr<Call>> calls_;
  std::deque<std::shared_ptr<Call>> order_;
  std::size_t living_ = 0;
  std::unordered_map<std::string, int> user_data_;
  std::deque<std::string> user_data_order_;
};

}  // namespace jiuyun
