// What must never happen, whatever fails. It is told of each step and knows the truth of the
// phones, which the daemons don't.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

#include "calls_asked.hpp"
#include "store.hpp"

namespace model {

struct VendorCall;
struct Request;

/// A rule was broken; what() says which and how.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Checks {
 public:
  explicit Checks(World& world) : world_(world) {}

  void taken(std::int64_t call, const cc::Line& line);  // a line is being taken
  void planned(const AttemptRow& row);                  // an attempt is being written
  void sent(const Request& request);                    // its bytes reach the channel
  void dialled(const VendorCall& fresh);                // and the channel dials
  void folded(const RecordRow& row, const cc::Folded& before, const std::set<int>& superseded);
  void reaped(std::int64_t call, Ms base);  // silent since `base`, as the reaper has it
  void life_of_superseded(std::int64_t call, int attempt);  // drained in time to act
  void step();                                              // after each
  void at_rest();                                           // nothing can happen any more

 private:
  void require(bool holds, const std::string& what) const;
  void no_other_call_on(const std::string& handset, std::int64_t call) const;

  World& world_;
  std::map<Key, int> originates_;
  std::set<Key> lives_;  // superseded attempts that must be hung up
};

}  // namespace model
