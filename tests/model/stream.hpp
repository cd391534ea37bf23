// What channels tell on its way into the records: the stream, its outages, and events that wait for
// their call. Mirrors daemon/dispatch/{partition,waiting,strangers}.cpp as far as outbound calls
// go.
#pragma once

#include <set>
#include <vector>

#include "store.hpp"

namespace model {

struct Delivery {
  int vendor = 0;
  cc::NewEvent item;
  std::int64_t call = 0;  // the truth; known to CC only if echoed
  bool echoed = true;
  std::string handset;
  Ms inserted = 0;  // among the waiting
};

class Stream {
 public:
  explicit Stream(World& world) : world_(world) {}

  Ms stalled_until = 0;  // Redis away, or its reader behind

  /// It arrives now.
  void receive(Delivery delivery);
  /// Everything received before this is in the records.
  Ms drained_ms() const;
  /// Events that wait, again.
  void sweep();
  bool idle() const { return pending_.empty(); }
  const std::vector<Delivery>& waiting() const { return waiting_; }
  int strangers = 0;  // would have become inbound records

 private:
  void drain(const Delivery& delivery);
  void fold(const Delivery& delivery, std::int64_t call, int attempt);
  const AttemptRow* known(const Delivery& delivery) const;

  World& world_;
  std::multiset<std::pair<Ms, std::int64_t>> pending_;  // received, call
  std::vector<Delivery> waiting_;

 public:
  const std::multiset<std::pair<Ms, std::int64_t>>& pending() const { return pending_; }
};

}  // namespace model
