#include "session.hpp"

#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>

#include "world.hpp"

namespace gateway {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::size_t longest_phone = 24;

void check_overlap(Visit const& visit, Agent const& agent) {
  if (agent.signing > 0)
    visit.violation("sign_overlap", {{"method", visit.request.method_string()}});
}

// Signing takes a while, so that two of one agent can overlap. It is over when the answer was
// written: end_signing().
asio::awaitable<void> begin_signing(Visit const& visit, Agent& agent) {
  check_overlap(visit, agent);
  ++agent.signing;
  auto const ms = visit.world.options.sign_ms;
  if (ms == 0) co_return;
  asio::steady_timer timer(visit.world.executor, Steady::now() + milliseconds(ms));
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

Reply end_signing(Agent& agent, Reply reply) {
  reply.afterwards = [&agent](Written) { --agent.signing; };
  return reply;
}

std::string_view sign_in_retcode(Visit const& visit, Agent const& agent, json::object const& body) {
  auto const& options = visit.world.options;
  auto const phone = text_in(body, "phonenum");
  if (agent.locked) return "110-016";
  if (text_in(body, "password") != agent.password.value_or(options.password)) return "100-004";
  if (!is_digits(phone)) return "100-013";
  if (phone.size() > longest_phone) return "100-014";
  if (agent.session && visit.function == Function::signin) return "100-002";
  return "0";
}

Reply signed_in(Visit const& visit, Agent& agent, json::object const& body) {
  auto& world = visit.world;
  auto const status = text_in(body, "status");
  auto const& session =
      world.agents.sign_in(agent, text_in(body, "phonenum"), status.empty() || status == "4");
  if (world.options.service_events)
    world.agents.emit(agent.id, "AgentOther_InService", nullptr, "");
  auto reply = vendor_reply("0", {{"result", json::object{{"workno", agent.name()}}}});
  reply.guid = session.guid;
  reply.cookie = "JSESSIONID=" + session.cookie + "; Path=/agentgateway; HttpOnly";
  if (world.options.tls()) reply.cookie += "; Secure";
  return reply;
}

Reply finish_sign_in(Visit const& visit, Agent& agent, json::object const& body) {
  auto const retcode = sign_in_retcode(visit, agent, body);
  visit.world.journal.write(Journal::About::call, "sign_in",
                            {{"agent", agent.id},
                             {"phonenum", text_in(body, "phonenum")},
                             {"forced", visit.function == Function::forcelogin},
                             {"replaced", retcode == "0" && agent.session.has_value()},
                             {"retcode", retcode}});
  return end_signing(agent, retcode == "0" ? signed_in(visit, agent, body) : vendor_reply(retcode));
}

// The session may have gone while signing out took its time.
Reply finish_sign_out(Visit const& visit, Agent& agent, std::int64_t serial) {
  bool const still = agent.session && agent.session->serial == serial;
  auto const retcode = still ? "0" : "100-006";
  visit.world.journal.write(Journal::About::call, "sign_out",
                            {{"agent", agent.id},
                             {"retcode", retcode},
                             {"queued", agent.queue.size()},
                             {"inCall", agent.call != nullptr}});
  if (still) visit.world.agents.sign_out(agent, "");
  return end_signing(agent, vendor_reply(retcode));
}

std::optional<json::object> sign_in_body(Visit const& visit) {
  return visit.body({{"password", "text"},
                     {"phonenum", "digits"},
                     {"status", "status"},
                     {"releasephone", "flag"},
                     {"agenttype", "digits"},
                     {"autoanswer", "flag"},
                     {"autoenteridle", "flag"}});
}

// {"message","retcode":"0","event":…}: null, or absent, by turns.
Reply empty_answer(Agent& agent) {
  agent.turn = !agent.turn;
  if (agent.turn) return vendor_reply("0", {{"event", nullptr}});
  return vendor_reply("0");
}

Reply event_answer(Visit const& visit, Agent& agent, Event const& event) {
  auto const& options = visit.world.options;
  json::object shown{
      {"eventType", event.type}, {"workNo", agent.name()}, {"content", event.content}};
  if (options.event_time) shown["eventGenTime"] = event.ready_at;
  if (options.stamp) {
    shown["simReady"] = event.ready_at;
    shown["simSeq"] = event.seq;
  }
  agent.turn = !agent.turn;
  if (options.shape == Shape::array || (options.shape == Shape::mixed && agent.turn))
    return vendor_reply("0", {{"event", json::array{std::move(shown)}}});
  return vendor_reply("0", {{"event", std::move(shown)}});
}

void check_gap(Visit const& visit, Session const& session) {
  if (!session.answered) return;
  auto const gap = whole_ms(Steady::now() - *session.answered);
  if (gap < visit.world.options.poll_gap_ms)
    visit.violation(
        "poll_too_soon",
        {{"gapMs", gap}, {"sameConnection", session.answered_link == visit.link.number}});
}

void begin_poll(Visit const& visit, Agent& agent) {
  auto& world = visit.world;
  ++world.agents.polls;
  agent.session->alive = Steady::now();
  if (!agent.poll) {
    check_gap(visit, *agent.session);
    return;
  }
  if (world.journal.wants(Journal::About::event))
    world.journal.write(Journal::About::event, "double_poll", {{"agent", agent.id}});
  std::exchange(agent.poll, nullptr)->finish(Poll::End::superseded);
}

Reply finish_poll(Visit const& visit, Agent& agent, Poll::End end, std::int64_t serial) {
  auto& world = visit.world;
  if (end == Poll::End::signed_out) return vendor_reply("100-006");
  if (end == Poll::End::replaced) return vendor_reply("000-003");
  Reply reply;
  reply.fate = Reply::Fate::drop;
  if (end == Poll::End::dropped) return reply;
  // Until the answer is written the agent counts as polling.
  auto over = [&agent, serial, link = visit.link.number](Written written) {
    if (!agent.session || agent.session->serial != serial) return;
    agent.session->alive = Steady::now();
    agent.session->answered = written.begun;
    agent.session->answered_link = link;
  };
  if (end == Poll::End::superseded || agent.queue.empty()) {
    reply = empty_answer(agent);
    reply.afterwards = over;
    return reply;
  }
  Event event = world.agents.take_first(agent);
  reply = event_answer(visit, agent, event);
  reply.afterwards = [&world, event = std::move(event), over](Written written) {
    if (written.ok)
      world.agents.handed_out(event, written.peer_gone);
    else
      world.agents.lost(event, "write_failed");
    over(written);
  };
  return reply;
}

}  // namespace

asio::awaitable<Reply> sign_in(Visit const& visit) {
  auto& world = visit.world;
  auto const body = sign_in_body(visit);
  if (!body) co_return vendor_reply("000-001");
  if (!world.agents.valid(visit.agent_id)) co_return vendor_reply("100-001");
  auto& agent = world.agents.at(visit.agent_id);
  co_await begin_signing(visit, agent);
  co_return finish_sign_in(visit, agent, *body);
}

asio::awaitable<Reply> sign_out(Visit const& visit, Agent& agent) {
  auto const serial = agent.session->serial;
  co_await begin_signing(visit, agent);
  co_return finish_sign_out(visit, agent, serial);
}

asio::awaitable<Reply> poll(Visit const& visit, Agent& agent) {
  begin_poll(visit, agent);
  auto const serial = agent.session->serial;
  Poll mine(visit.world.executor, visit.world.options.poll_ms);
  if (agent.queue.empty()) {
    agent.poll = &mine;
    boost::system::error_code ignored;
    co_await mine.timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (agent.poll == &mine) agent.poll = nullptr;
  }
  co_return finish_poll(visit, agent, mine.end, serial);
}

}  // namespace gateway
