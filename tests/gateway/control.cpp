#include "control.hpp"

#include <optional>
#include <utility>

#include <boost/json/array.hpp>

#include "ask.hpp"
#include "door.hpp"
#include "fields.hpp"
#include "files.hpp"
#include "presets.hpp"
#include "visit.hpp"
#include "world.hpp"

namespace gateway {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::string_view prefix = "/_control/";
constexpr std::int64_t longest_wait = 60'000;  // ms

json::object done() {
  return {{"ok", true}};
}

json::object health(Ask const& ask) {
  auto const& world = ask.world;
  return {{"ok", true},
          {"now", now_ms()},
          {"speed", world.options.speed},
          {"agents_online", world.agents.online},
          {"calls_living", world.calls.living()},
          {"violations", world.journal.violations()},
          {"events_queued", world.agents.queued()},
          {"events_ready", world.agents.events_ready},
          {"events_handed_out", world.agents.events_handed_out},
          {"events_lost", world.agents.events_lost},
          {"polls", world.agents.polls},
          {"connections", world.links->size()},
          {"journal_seq", world.journal.last()},
          {"outage", world.outage.to_json()}};
}

json::object show_agent(Ask const& ask) {
  auto const& agent = ask.agent();
  json::object out{{"agent", agent.id},
                   {"online", agent.session.has_value()},
                   {"locked", agent.locked},
                   {"phonenum", nullptr},
                   {"queued", agent.queue.size()},
                   {"polling", agent.poll != nullptr},
                   {"guid_age_ms", nullptr},
                   {"since_last_poll_ms", nullptr},
                   {"calls", agent.calls},
                   {"call", nullptr}};
  if (agent.call) out["call"] = agent.call->id();
  if (agent.session) {
    out["phonenum"] = agent.session->phonenum;
    out["guid_age_ms"] = whole_ms(Steady::now() - agent.session->guid_at);
    out["since_last_poll_ms"] = whole_ms(Steady::now() - agent.session->alive);
  }
  return out;
}

json::object put_agent(Ask const& ask) {
  auto& agent = ask.agent();
  auto const body = ask.body();
  Fields fields(body, "agent");
  std::string password;
  bool locked = agent.locked;
  bool const given = fields.take("password", password);
  fields.take("locked", locked);
  fields.end();
  if (given) agent.password = password;
  agent.locked = locked;
  ask.note("agent", {{"agent", agent.id}, {"locked", locked}, {"password", given}});
  return done();
}

void expire(Session& session) {
  session.guid.clear();
  session.old_guid.clear();
}

json::object expire_guid(Ask const& ask) {
  auto& agent = ask.signed_in_agent();
  expire(*agent.session);
  ask.note("expire-guid", {{"agent", agent.id}});
  return done();
}

json::object expire_guids(Ask const& ask) {
  std::int64_t count = 0;
  for (auto& [id, agent] : ask.world.agents.all())
    if (agent.session) {
      expire(*agent.session);
      ++count;
    }
  ask.note("expire-guids", {{"agents", count}});
  return {{"ok", true}, {"agents", count}};
}

json::object sign_agent_out(Ask const& ask) {
  ask.world.agents.sign_out(ask.signed_in_agent(), "control");
  return done();
}

json::object list_calls(Ask const& ask) {
  auto const limit = static_cast<std::size_t>(ask.number("limit", 1000, 200'000));
  auto const called = ask.in_query("called");
  auto const data = ask.in_query("callappdata");
  auto const agent = ask.in_query("agent");
  auto const& all = ask.world.calls.all();
  json::array list;
  for (auto call = all.rbegin(); call != all.rend() && list.size() < limit; ++call) {
    auto one = (*call)->to_json();
    if (!called.empty() && one.at("called") != json::value(called)) continue;
    if (!data.empty() && one.at("callappdata") != json::value(data)) continue;
    if (!agent.empty() && std::to_string((*call)->agent()) != agent) continue;
    list.push_back(std::move(one));
  }
  return {{"calls", std::move(list)}};
}

std::shared_ptr<Call> call_of(Ask const& ask) {
  auto call = ask.world.calls.find(ask.name);
  if (!call) throw BadInput("there is no call '" + printable(ask.name, 40) + "'", 404);
  return call;
}

json::object show_call(Ask const& ask) {
  return call_of(ask)->to_json();
}

json::object end_call(Ask const& ask) {
  auto const call = call_of(ask);
  auto const by = ask.in_query("by");
  Ending ending;
  if (by == "agent")
    ending = {HungUpBy::agent, "agent", 2};
  else if (by == "platform")
    ending = {HungUpBy::platform, "platform", 3};
  else if (by == "customer")
    ending = {HungUpBy::customer, "customer", 3};
  else
    throw BadInput("the query's by is '" + printable(by, 20) +
                   "': give by=customer, by=agent or by=platform");
  if (!call->end(ending)) throw BadInput("call " + ask.name + " has ended", 409);
  return done();
}

json::object list_recordings(Ask const& ask) {
  auto const limit = static_cast<std::size_t>(ask.number("limit", 1000, 200'000));
  auto const& all = ask.world.calls.all();
  json::array list;
  for (auto call = all.rbegin(); call != all.rend() && list.size() < limit; ++call)
    if ((*call)->has_recording()) list.push_back(recording_truth(ask.world, **call, false));
  return {{"recordings", std::move(list)}};
}

json::object show_recording(Ask const& ask) {
  auto const call = call_of(ask);
  if (!call->has_recording())
    throw BadInput("call " + ask.name + " has no recording, or has not ended", 404);
  return recording_truth(ask.world, *call, true);
}

json::object put_script(Ask const& ask) {
  auto const number = ask.phone_number();
  Script script;
  script.apply(ask.body());
  ask.world.calls.scripts[number] = script;
  ask.note("script", {{"number", number}, {"script", script.to_json()}});
  return script.to_json();
}

json::object delete_script(Ask const& ask) {
  if (ask.world.calls.scripts.erase(ask.phone_number()) == 0)
    throw BadInput("there is no script for " + ask.name, 404);
  ask.note("script", {{"number", ask.name}, {"script", nullptr}});
  return done();
}

json::object put_default_script(Ask const& ask) {
  Script script;
  script.apply(ask.body());
  ask.world.calls.default_script = script;
  ask.note("default-script", {{"script", script.to_json()}});
  return script.to_json();
}

json::object presets(Ask const&) {
  return {{"presets", list_presets()}};
}

json::object phones(Ask const& ask) {
  json::object engaged;
  for (auto const& [number, call] : ask.world.calls.phones) engaged[number] = call;
  return {{"engaged", std::move(engaged)}};
}

json::object post_event(Ask const& ask) {
  auto& agent = ask.signed_in_agent();
  auto const body = ask.body();
  Fields fields(body, "event");
  std::string type;
  if (!fields.take("eventType", type) || type.empty())
    fields.complain("eventType", "give a name such as \"AgentState_Ready\"");
  auto const content = fields.take("content");
  fields.end();
  auto const event =
      ask.world.agents.emit(agent.id, type, content ? *content : json::value(nullptr), "");
  return {{"eventSeq", event.seq}, {"readyAt", event.ready_at}};
}

json::object post_inbound(Ask const& ask) {
  auto& agent = ask.signed_in_agent();
  auto const body = ask.body();
  Fields fields(body, "inbound");
  CallPlan plan;
  plan.facts.called = "10086";
  std::string preset = "answered";
  if (!fields.take("caller", plan.facts.caller) || !is_digits(plan.facts.caller))
    fields.complain("caller", "give the customer's number, digits");
  fields.take("called", plan.facts.called);
  fields.take("preset", preset);
  auto const script = script_by_name(preset);
  if (!script) fields.complain("preset", "is unknown; GET /_control/presets lists them");
  fields.end();
  if (agent.call) throw BadInput("agent " + ask.name + " is in call " + agent.call->id(), 409);
  plan.facts.inbound = true;
  plan.facts.customer = plan.facts.caller;
  plan.phonenum = agent.session->phonenum;
  plan.script = *script;
  plan.speed = ask.world.options.speed;
  auto const call = ask.world.calls.make(agent, std::move(plan));
  ask.world.journal.write(Journal::About::call, "inbound",
                          {{"agent", agent.id}, {"callId", call->id()}, {"preset", preset}});
  call->start();
  return {{"callId", call->id()}};
}

json::object put_outage(Ask const& ask) {
  Outage next = ask.world.outage;
  next.apply(ask.body());
  try {
    if (next.connections_refused)
      ask.world.door->shut();
    else
      ask.world.door->open();
  } catch (std::runtime_error const& error) {
    throw BadInput(error.what());
  }
  ask.world.outage = std::move(next);
  ask.note("outage", {{"outage", ask.world.outage.to_json()}});
  return ask.world.outage.to_json();
}

json::object show_outage(Ask const& ask) {
  return ask.world.outage.to_json();
}

json::object put_random(Ask const& ask) {
  ask.world.random_faults.set(ask.body());
  ask.note("random", {{"random", ask.world.random_faults.to_json()}});
  return ask.world.random_faults.to_json();
}

json::object show_random(Ask const& ask) {
  return ask.world.random_faults.to_json();
}

json::object delete_random(Ask const& ask) {
  ask.world.random_faults.off();
  ask.note("random", {{"random", nullptr}});
  return done();
}

json::object restart(Ask const& ask) {
  bool forget = false;
  std::int64_t down_ms = 0;
  if (!ask.request.body().empty()) {
    auto const body = ask.body();
    Fields fields(body, "restart");
    fields.take("forget", forget);
    fields.take("down_ms", down_ms, 0, 3'600'000);
    fields.end();
  }
  ask.world.restart(forget, down_ms);
  return done();
}

json::object post_load(Ask const& ask) {
  ask.world.load.set(ask.body());
  ask.note("load", {{"load", ask.world.load.summary()}});
  return ask.world.load.summary();
}

json::object load_summary(Ask const& ask) {
  return ask.world.load.summary();
}

// Everything but the journal, the sessions and what the agents were told about themselves.
json::object reset(Ask const& ask) {
  ask.world.calls.abandon_all();
  ask.world.calls.forget_scripts();
  ask.world.outage = Outage{};
  ask.world.random_faults.off();
  ask.world.door->open();
  ask.world.load.set(json::object{{"share", 0}});
  ask.world.journal.forget_violations();
  ask.note("reset");
  return done();
}

// A path that ends in '/' takes a name behind it.
constexpr struct {
  std::string_view method;
  std::string_view path;
  json::object (*answer)(Ask const&);
} endpoints[] = {
    {"GET", "health", health},
    {"GET", "presets", presets},
    {"GET", "phones", phones},
    {"GET", "calls", list_calls},
    {"GET", "calls/", show_call},
    {"POST", "hangup/", end_call},
    {"GET", "recordings", list_recordings},
    {"GET", "recordings/", show_recording},
    {"GET", "agents/", show_agent},
    {"PUT", "agents/", put_agent},
    {"PUT", "scripts/", put_script},
    {"DELETE", "scripts/", delete_script},
    {"PUT", "default-script", put_default_script},
    {"POST", "expire-guids", expire_guids},
    {"POST", "events/", post_event},
    {"POST", "inbound/", post_inbound},
    {"GET", "outage", show_outage},
    {"PUT", "outage", put_outage},
    {"GET", "random", show_random},
    {"PUT", "random", put_random},
    {"DELETE", "random", delete_random},
    {"POST", "restart", restart},
    {"POST", "load", post_load},
    {"GET", "load/summary", load_summary},
    {"POST", "reset", reset},
};

json::object route(Ask& ask, std::string_view path) {
  std::string_view const method = ask.request.method_string();
  if (method == "POST" && path.starts_with("agents/")) {
    auto const slash = path.rfind('/');
    ask.name = path.substr(7, slash < 7 ? 0 : slash - 7);
    if (path.ends_with("/expire-guid")) return expire_guid(ask);
    if (path.ends_with("/sign-out")) return sign_agent_out(ask);
  }
  for (auto const& one : endpoints) {
    if (one.method != method) continue;
    bool const folder = one.path.ends_with('/');
    if (folder ? !path.starts_with(one.path) || path.size() == one.path.size() : path != one.path)
      continue;
    if (folder) ask.name = path.substr(one.path.size());
    if (ask.name.find('/') != std::string::npos) continue;
    return one.answer(ask);
  }
  throw BadInput("there is no " + printable(method, 20) + " /_control/" + printable(path, 100) +
                     "; see tests/gateway/README.md",
                 404);
}

Reply journal_page(Ask const& ask) {
  auto const since = ask.number("since", 0, INT64_MAX - 1);
  auto const limit = static_cast<std::size_t>(ask.number("limit", 10'000, 400'000));
  ask.number("wait", 0, longest_wait);
  Reply reply;
  reply.body = ask.world.journal.page(since, limit);
  return reply;
}

// Behind which line a reader of the journal waits and for how long, if at all.
std::optional<std::pair<std::int64_t, std::int64_t>> wait_since(Ask const& ask) {
  try {
    auto const since = ask.number("since", 0, INT64_MAX - 1);
    auto const ms = ask.number("wait", 0, longest_wait);
    if (ms > 0) return std::pair(since, ms);
  } catch (BadInput const&) {
  }
  return std::nullopt;
}

Reply answer(Ask& ask) {
  std::string const path = ask.target.path.substr(std::min(ask.target.path.size(), prefix.size()));
  try {
    if (path == "journal" && ask.request.method_string() == "GET") return journal_page(ask);
    return json_reply(route(ask, path));
  } catch (BadInput const& wrong) {
    return json_reply({{"error", wrong.what()}}, wrong.status);
  }
}

}  // namespace

asio::awaitable<Reply> control(World& world, Request const& request, Target const& target) {
  Ask ask{world, request, target, ""};
  if (target.path == "/_control/journal" && request.method_string() == "GET") {
    // A wrong wait doesn't wait: journal_page() complains of it.
    auto const since = wait_since(ask);
    if (since) co_await world.journal.wait(since->first, since->second);
  }
  co_return answer(ask);
}

}  // namespace gateway
