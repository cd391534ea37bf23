// What really happened at all three simulators, side by side: they share the machine's clock.
// Shares no code with CC.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "polling_strikes.hpp"  // Instant
#include "stack.hpp"

namespace cc::test {

/// What one request for a call came to at a channel.
struct Dial {
  std::string channel, called, agent;  // agent: hw's
  std::string id;                      // the channel's; empty = no call came of it
  std::string call;                    // ours and its attempt, as echoed; hw does not echo
  int attempt = 0;
  Instant at = 0;
  std::string code;        // it was refused with
  bool unsaid = false;     // its answer, if there was one, says neither yes nor no
  bool withdrawn = false;  // no phone was rung, since the client had gone

  std::string handset;  // rings from `rang` to `freed`; 0 = not yet
  Instant rang = 0, freed = 0;
  int rings_a = 0, rings_b = 0;

  bool over = false;
  std::string end;    // Jiuyun's byeType, the gateway's cause
  long duration = 0;  // Jiuyun's, seconds
  bool answered_b = false;
  bool told_end = false;   // its Hangup was answered 2xx
  bool asked_end = false;  // CC asked how it ended, and was told
};

class Journals {
 public:
  explicit Journals(const Stack& stack);

  const std::vector<Dial>& dials() const noexcept { return dials_; }
  std::vector<Dial>& dials() noexcept { return dials_; }
  std::vector<const Dial*> of(const std::string& called) const;
  const std::vector<json::object>& violations() const noexcept { return violations_; }
  /// Whether chance took any of the gateway's events of this call.
  bool lost_events(const std::string& called) const { return lossy_.contains(called); }
  std::string figures() const;

  /// What the gateway tells of a seat within two seconds of a moment.
  std::string seat_lines(const std::string& agent, Instant at) const;
  /// All lines that name one of these words, in order of time.
  std::string lines_with(const std::vector<std::string>& words) const;

 private:
  void read_jiuyun(const std::string& channel, const json::object& line);
  void read_gateway(const json::object& line);
  Dial& dial(const std::string& key);

  std::map<std::string, std::string> files_;  // by channel
  std::vector<Dial> dials_;
  std::map<std::string, std::size_t> places_;  // by "channel/echo", "hw/id"
  std::multimap<std::string, std::size_t> by_called_;
  std::vector<json::object> violations_;
  std::map<std::string, long> drawn_, lossy_;
};

}  // namespace cc::test
