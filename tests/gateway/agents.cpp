#include "agents.hpp"

#include <utility>

#include "world.hpp"

namespace gateway {

namespace json = boost::json;

namespace {

std::string hex(World& world, std::size_t digits) {
  static constexpr char all[] = "0123456789abcdef";
  std::string text;
  while (text.size() < digits) text += all[world.random() & 15];
  return text;
}

}  // namespace

bool Agents::valid(std::uint32_t id) const {
  return world_.options.agents.contains(id);
}

Agent* Agents::find(std::uint32_t id) {
  auto const found = agents_.find(id);
  return found == agents_.end() ? nullptr : &found->second;
}

Agent& Agents::at(std::uint32_t id) {
  auto& agent = agents_[id];
  agent.id = id;
  return agent;
}

// A random UUID (version 4) and the node's name, as in the vendor's sample.
std::string Agents::new_guid() {
  auto text = hex(world_, 32);
  text[12] = '4';
  text[16] = "89ab"[world_.random() & 3];
  for (std::size_t at : {20u, 16u, 12u, 8u}) text.insert(at, "-");
  return text + ".AgentGateway0";
}

Session& Agents::sign_in(Agent& agent, std::string const& phonenum, bool idle) {
  if (agent.session) {
    if (agent.poll) std::exchange(agent.poll, nullptr)->finish(Poll::End::replaced);
    if (!world_.options.forcelogin_keeps_events) lose_queue(agent, "forcelogin");
    --online;
  }
  ++online;
  auto& session = agent.session.emplace();
  session.serial = ++sessions_;
  session.guid = new_guid();
  session.cookie = hex(world_, 32);
  session.phonenum = phonenum;
  session.idle = idle;
  session.guid_at = session.alive = Steady::now();
  return session;
}

void Agents::sign_out(Agent& agent, std::string_view reason) {
  if (!agent.session) return;
  auto const since = whole_ms(Steady::now() - agent.session->alive);
  agent.session.reset();
  --online;
  if (agent.poll)
    std::exchange(agent.poll, nullptr)
        ->finish(reason == "restart" ? Poll::End::dropped : Poll::End::signed_out);
  if (!reason.empty())
    world_.journal.write(Journal::About::call, "signed_out",
                         {{"agent", agent.id},
                          {"reason", reason},
                          {"sinceLastPollMs", since},
                          {"queued", agent.queue.size()},
                          {"inCall", agent.call != nullptr}});
  lose_queue(agent, reason.empty() ? "logout" : reason);
}

Event const Agents::emit(std::uint32_t id, std::string_view type, json::value content,
                         std::string const& call_id) {
  Event event{++events_ready, id,       std::string(type), std::move(content),
              call_id,        now_ms(), Steady::now()};
  if (world_.journal.wants(Journal::About::event))
    world_.journal.write(Journal::About::event, "event_ready",
                         {{"agent", id},
                          {"eventSeq", event.seq},
                          {"eventType", type},
                          {"callId", call_id.empty() ? json::value() : json::value(call_id)},
                          {"content", event.content}});
  auto agent = find(id);
  if (!agent || !agent->session) {
    lost(event, "not_signed_in");
    return event;
  }
  agent->queue.push_back(event);
  ++queued_;
  if (agent->poll) agent->poll->finish(Poll::End::event);
  return event;
}

Event Agents::take_first(Agent& agent) {
  Event event = std::move(agent.queue.front());
  agent.queue.pop_front();
  --queued_;
  return event;
}

void Agents::handed_out(Event const& event, bool peer_gone) {
  ++events_handed_out;
  world_.latency.add(Steady::now() - event.ready);
  if (world_.journal.wants(Journal::About::event))
    world_.journal.write(
        Journal::About::event, "event_handed_out",
        {{"agent", event.agent},
         {"eventSeq", event.seq},
         {"eventType", event.type},
         {"callId", event.call_id.empty() ? json::value() : json::value(event.call_id)},
         {"readyAt", event.ready_at},
         {"peerGone", peer_gone}});
  note_gone(event);
}

void Agents::lost(Event const& event, std::string_view why) {
  ++events_lost;
  if (world_.journal.wants(Journal::About::event))
    world_.journal.write(
        Journal::About::event, "event_lost",
        {{"agent", event.agent},
         {"eventSeq", event.seq},
         {"eventType", event.type},
         {"callId", event.call_id.empty() ? json::value() : json::value(event.call_id)},
         {"why", why}});
  note_gone(event);
}

// A callout's answer may wait for its call's first events.
void Agents::note_gone(Event const& event) {
  if (event.call_id.empty()) return;
  if (auto call = world_.calls.find(event.call_id)) call->event_gone();
}

void Agents::lose_queue(Agent& agent, std::string_view why) {
  while (!agent.queue.empty()) lost(take_first(agent), why);
}

void Agents::sweep() {
  auto const oldest = Steady::now() - milliseconds(world_.options.idle_ms);
  for (auto& [id, agent] : agents_)
    if (agent.session && !agent.poll && agent.session->alive < oldest) sign_out(agent, "idle");
}

}  // namespace gateway
