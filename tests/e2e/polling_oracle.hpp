// What really happened at the agent gateway, by its journal, and how a record of it must end.
// Shares no code with CC.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "polling_strikes.hpp"

namespace cc::test {

struct ToldEvent {
  enum class Fate { queued, handed_out, peer_gone, lost };
  std::string agent, type, call;  // call: the gateway's id; empty = of no call
  Instant at = 0;                 // when its fate was decided
  Fate fate = Fate::queued;
  bool of_call = false;  // and not of the agent only
};

struct DialledCall {
  std::string id, agent, called, script;
  std::string cause;  // why it ended; empty = it lives
  long rings_a = 0, rings_b = 0;
  bool a_answered = false;
  bool told_its_end = false;  // there was an event of A's phone being on its hook
  std::vector<long> events;   // that are of the call
};

struct RightClose {
  std::string type;
  std::set<std::string> by;  // any of them; empty = whoever
};

class PollingOracle {
 public:
  explicit PollingOracle(const std::string& journal);

  const std::map<long, ToldEvent>& events() const noexcept { return events_; }
  const std::map<std::string, DialledCall>& calls() const noexcept { return calls_; }  // by id
  /// The calls that were dialled to this customer: none or one, if all is right.
  std::vector<const DialledCall*> dialled(const std::string& called) const;

  struct SignedOut {
    std::string agent;
    Instant at = 0;
    long since_last_poll_ms = 0;
  };
  const std::vector<SignedOut>& idle() const noexcept { return idle_; }
  const std::vector<std::string>& violations() const noexcept { return violations_; }

 private:
  void read(const json::value& line);

  std::map<long, ToldEvent> events_;  // by eventSeq
  std::map<std::string, DialledCall> calls_;
  std::multimap<std::string, std::string> dialled_;  // called → id
  std::vector<SignedOut> idle_;
  std::vector<std::string> violations_;
};

/// Nothing where any close is right.
std::optional<RightClose> right_close(const DialledCall& call);

}  // namespace cc::test
