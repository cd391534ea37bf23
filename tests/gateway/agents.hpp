// All agents: signing in and out, the queues of events, who has been idle too long.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "agent.hpp"

namespace gateway {

class World;

class Agents {
 public:
  explicit Agents(World& world) : world_(world) {}

  bool valid(std::uint32_t id) const;
  Agent* find(std::uint32_t id);  // null if nobody has asked for it yet
  Agent& at(std::uint32_t id);    // made if need be
  std::map<std::uint32_t, Agent>& all() { return agents_; }

  // Replaces a session that there is. `idle`: the agent may call out.
  Session& sign_in(Agent& agent, std::string const& phonenum, bool idle);
  // A requested sign-out has no reason; any other is a signed_out line.
  void sign_out(Agent& agent, std::string_view reason);
  std::string new_guid();

  // Queues an event and wakes the agent's poll. It is lost if the agent is not signed in.
  Event const emit(std::uint32_t id, std::string_view type, boost::json::value content,
                   std::string const& call_id);
  // `peer_gone`: the client had closed its end before the answer was written.
  void handed_out(Event const& event, bool peer_gone);
  void lost(Event const& event, std::string_view why);

  // Signs out who has not polled for --idle-ms.
  void sweep();

  std::int64_t online = 0;
  std::int64_t events_ready = 0;
  std::int64_t events_handed_out = 0;
  std::int64_t events_lost = 0;
  std::int64_t polls = 0;
  std::int64_t queued() const { return queued_; }
  Event take_first(Agent& agent);

 private:
  void lose_queue(Agent& agent, std::string_view why);
  void note_gone(Event const& event);

  World& world_;
  std::map<std::uint32_t, Agent> agents_;
  std::int64_t queued_ = 0;
  std::int64_t sessions_ = 0;
};

}  // namespace gateway
