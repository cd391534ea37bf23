// All calls, the phones that are in one, and which script a call gets.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "call.hpp"

namespace gateway {

class World;
struct Agent;

class Calls {
 public:
  explicit Calls(World& world) : world_(world) {}

  Script const script_for(std::string const& called) const;
  // The agent is in it from now on. It doesn't begin before start().
  std::shared_ptr<Call> make(Agent& agent, CallPlan plan);
  std::shared_ptr<Call> find(std::string const& id) const;
  std::deque<std::shared_ptr<Call>> const& all() const { return order_; }

  std::int64_t living() const { return living_; }
  void note_end() { --living_; }
  void abandon_all();
  void forget_scripts();

  std::map<std::string, Script> scripts;  // by called number
  Script default_script;
  std::unordered_map<std::string, std::string> phones;  // that are in a call: number → call id

 private:
  World& world_;
  std::unordered_map<std::string, std::shared_ptr<Call>> calls_;
  std::deque<std::shared_ptr<Call>> order_;
  std::int64_t living_ = 0;
  std::int64_t made_ = 0;
};

}  // namespace gateway
