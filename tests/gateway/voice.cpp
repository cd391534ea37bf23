#include "voice.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>

#include "world.hpp"

namespace gateway {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr auto platform_number = "10086";  // what B sees if the callout names no caller

struct Asked {
  std::string called;
  std::string caller;
  std::string app_data;
};

// Why the agent can't call out now; "0" if it can.
std::string_view callout_retcode(Visit const& visit, Agent const& agent, Asked const& asked) {
  if (!is_digits(asked.called) || asked.called.size() > 24) {
    visit.violation("called", {{"called", asked.called}});
    return "000-001";
  }
  if (!agent.session->skills_reset) visit.violation("skills_not_reset");
  if (agent.call) {
    visit.violation("second_call", {{"callId", agent.call->id()}, {"called", asked.called}});
    return "100-018";
  }
  if (!agent.session->idle) {
    visit.violation("callout_not_idle", {{"called", asked.called}});
    return "100-018";
  }
  return "0";
}

// What is answered when it is time, by the script.
Reply callout_answer(Script const& script, std::shared_ptr<Call> const& call) {
  Reply reply;
  switch (script.callout.fault) {
    case CalloutFault::hang:
      reply.fate = Reply::Fate::hang;
      return reply;
    case CalloutFault::drop:
      reply.fate = Reply::Fate::drop;
      return reply;
    case CalloutFault::status:
      return html_reply(script.callout.http_status);
    case CalloutFault::none:
      break;
  }
  if (call && script.callout.result) return vendor_reply("0", {{"result", call->id()}});
  return vendor_reply("0", {{"result", nullptr}});
}

asio::awaitable<void> wait_for_answer(World& world, Script const& script,
                                      std::shared_ptr<Call> const& call) {
  auto const& callout = script.callout;
  if (call && callout.after_events > 0) co_await call->events_gone(callout.after_events);
  if (callout.delay_ms == 0) co_return;
  auto const scaled = static_cast<double>(callout.delay_ms) / world.options.speed;
  asio::steady_timer timer(world.executor);
  timer.expires_after(milliseconds(static_cast<std::int64_t>(scaled)));
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

// What the callout leads to: a refusal, or a call unless the script's fault swallows it.
struct Decision {
  std::string retcode;
  Script script;
  std::shared_ptr<Call> call;
};

void lay_faults(World& world, Agent const& agent, Asked const& asked, Script& script) {
  if (world.random_faults.on()) {
    auto const lot = world.random_faults.draw(agent.id, asked.called);
    auto line = lot.to_json();
    line["agent"] = agent.id;
    line["called"] = asked.called;
    line["callappdata"] = asked.app_data;
    world.journal.write(Journal::About::call, "random", std::move(line));
    lot.lay_on(script, world.options.speed);
  }
  world.outage.lay_on(script, world.options.speed);  // what is certain beats what is random
}

Decision decide(Visit const& visit, Agent& agent, json::object const& body) {
  auto& world = visit.world;
  Asked const asked{text_in(body, "called"), text_in(body, "caller"), text_in(body, "callappdata")};
  Decision decision{std::string(callout_retcode(visit, agent, asked)),
                    world.calls.script_for(asked.called), nullptr};
  if (decision.retcode == "0") lay_faults(world, agent, asked, decision.script);
  auto const& callout = decision.script.callout;
  if (decision.retcode == "0") decision.retcode = callout.retcode;
  bool const dialled =
      decision.retcode == "0" && (callout.fault == CalloutFault::none || callout.dialled);
  if (dialled) {
    CallPlan plan;
    plan.facts.caller = asked.caller.empty() ? platform_number : asked.caller;
    plan.facts.called = asked.called;
    plan.facts.customer = asked.called;
    plan.phonenum = agent.session->phonenum;
    plan.app_data = asked.app_data;
    plan.script = decision.script;
    plan.speed = world.options.speed;
    decision.call = world.calls.make(agent, std::move(plan));
  }
  world.journal.write(Journal::About::call, "callout",
                      {{"agent", agent.id},
                       {"phonenum", agent.session->phonenum},
                       {"called", asked.called},
                       {"caller", asked.caller},
                       {"callappdata", asked.app_data},
                       {"callId", dialled ? json::value(decision.call->id()) : json::value()},
                       {"retcode", decision.retcode},
                       {"script", decision.script.name},
                       {"dialled", dialled}});
  return decision;
}

std::optional<json::object> callout_body(Visit const& visit) {
  return visit.body({{"called", "digits"},
                     {"caller", "digits"},
                     {"skillid", "number"},
                     {"callappdata", "text"},
                     {"mediaability", "number"}});
}

}  // namespace

asio::awaitable<Reply> call_out(Visit const& visit, Agent& agent) {
  auto const body = callout_body(visit);
  if (!body) co_return vendor_reply("000-001");
  auto const decision = decide(visit, agent, *body);
  if (decision.retcode != "0") {
    co_await wait_for_answer(visit.world, decision.script, nullptr);
    co_return vendor_reply(decision.retcode);
  }

  // The phones ring at once if the answer isn't a plain one, else when it has been written.
  auto const& callout = decision.script.callout;
  bool const plain = callout.fault == CalloutFault::none && callout.after_events == 0 &&
                     (callout.delay_ms == 0 || callout.dial_after_answer);
  if (decision.call && !plain) decision.call->start();
  co_await wait_for_answer(visit.world, decision.script, decision.call);
  Reply reply = callout_answer(decision.script, decision.call);
  if (decision.call && plain)
    reply.afterwards = [call = decision.call](Written written) {
      // A gateway that dials last has seen by then that nobody waits for it any more.
      if (call->script().callout.dial_after_answer && (written.peer_gone || !written.ok))
        call->abandon("client_gone");
      else
        call->start();
    };
  co_return reply;
}

Reply hang_up(Visit const& visit, Agent& agent) {
  bool const dropping = visit.function == Function::dropcall;
  auto const call = dropping ? visit.world.calls.find(visit.call_id) : agent.call;
  bool done = call && call->agent() == agent.id;
  if (done)
    done = call->end(dropping ? Ending{HungUpBy::agent, "dropcall", 3}
                              : Ending{HungUpBy::agent, "release", 2});
  auto const retcode = done ? "0" : "300-001";
  visit.world.journal.write(
      Journal::About::call, "hangup_asked",
      {{"agent", agent.id},
       {"callId", call ? json::value(call->id()) : json::value(visit.call_id)},
       {"how", dropping ? "dropcall" : "release"},
       {"retcode", retcode}});
  return vendor_reply(retcode);
}

Reply query(Visit const& visit) {
  auto const call = visit.world.calls.find(visit.call_id);
  auto const retcode = call ? "0" : "300-001";
  visit.world.journal.write(
      Journal::About::call, "query",
      {{"agent", visit.agent_id}, {"callId", visit.call_id}, {"retcode", retcode}});
  if (!call) return vendor_reply(retcode);
  return vendor_reply(retcode, {{"result", call->info()}});
}

void note_refused(Visit const& visit, Reply const& reply) {
  boost::system::error_code error;
  auto const answer = json::parse(reply.body, error);
  json::object line{{"agent", visit.agent_id}, {"retcode", nullptr}};
  if (!error && answer.is_object()) line["retcode"] = answer.get_object().at("retcode");
  bool const callout = visit.function == Function::callout;
  if (callout) {
    auto const body = json::parse(visit.request.body(), error);
    line["called"] = error || !body.is_object() ? "" : text_in(body.get_object(), "called");
    line["callId"] = nullptr;
    line["dialled"] = false;
  }
  visit.world.journal.write(Journal::About::call, callout ? "callout" : "sign_out",
                            std::move(line));
}

}  // namespace gateway
