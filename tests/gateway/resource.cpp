#include "resource.hpp"

#include <charconv>
#include <vector>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "fields.hpp"
#include "files.hpp"
#include "session.hpp"
#include "visit.hpp"
#include "voice.hpp"
#include "world.hpp"

namespace gateway {

namespace asio = boost::asio;
namespace json = boost::json;
namespace http = boost::beast::http;

namespace {

constexpr std::string_view prefix = "/agentgateway/resource/";

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> parts;
  while (true) {
    auto const slash = path.find('/');
    parts.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    path.remove_prefix(slash + 1);
  }
}

// * is the agent, + the call.
constexpr struct {
  Function function;
  http::verb method;
  std::string_view path;
} functions[] = {
    {Function::signin, http::verb::put, "onlineagent/*"},
    {Function::forcelogin, http::verb::put, "onlineagent/*/forcelogin"},
    {Function::resetskill, http::verb::post, "onlineagent/*/resetskill/true"},
    {Function::signout, http::verb::delete_, "onlineagent/*/logout"},
    {Function::poll, http::verb::get, "agentevent/*"},
    {Function::callout, http::verb::put, "voicecall/*/callout"},
    {Function::dropcall, http::verb::post, "voicecall/*/dropcall/+"},
    {Function::release, http::verb::delete_, "voicecall/*/release"},
    {Function::query, http::verb::get, "calldata/*/callinfobycallid/+"},
};

// Fills in the agent and the call if the path is of that pattern.
bool matches(std::string_view pattern, std::vector<std::string_view> const& parts, Visit& visit) {
  auto const wanted = segments(pattern);
  if (wanted.size() != parts.size()) return false;
  std::uint32_t agent = 0;
  std::string call;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (wanted[i] == "*") {
      auto const end = parts[i].data() + parts[i].size();
      if (parts[i].size() > 9 || !is_digits(parts[i]) ||
          std::from_chars(parts[i].data(), end, agent).ptr != end)
        return false;
    } else if (wanted[i] == "+") {
      call = parts[i];
    } else if (wanted[i] != parts[i]) {
      return false;
    }
  }
  visit.agent_id = agent;
  visit.call_id = std::move(call);
  return true;
}

Reply nowhere(Visit const& visit, unsigned int status) {
  json::object about{{"method", visit.request.method_string()},
                     {"path", printable(visit.target.path, 200)}};
  visit.world.journal.violation(status == 404 ? "unknown_path" : "wrong_method", about);
  auto reply = json_reply(
      {{"message", status == 404 ? "there is no such resource" : "the method is not allowed"},
       {"retcode", "000-002"}},
      status);
  return reply;
}

Reply dropped() {
  Reply reply;
  reply.fate = Reply::Fate::drop;
  return reply;
}

std::optional<Reply> struck(World const& world, std::string_view function) {
  auto const& outage = world.outage;
  if (!outage.hits(std::string(function))) return std::nullopt;
  Reply reply;
  switch (outage.kind) {
    case Outage::Kind::http:
      return html_reply(outage.status);
    case Outage::Kind::retcode:
      return vendor_reply(outage.code);
    case Outage::Kind::hang:
      reply.fate = Reply::Fate::hang;
      return reply;
    case Outage::Kind::drop:
      return dropped();
    case Outage::Kind::none:
      break;
  }
  return std::nullopt;
}

// The header that every request but a sign-in needs. Nothing if it is right.
std::optional<Reply> refused(Visit const& visit, Agent* agent) {
  auto const guid = visit.request["Guid"];
  if (guid.empty()) visit.violation("guid_missing");
  if (!agent || !agent->session) return vendor_reply("100-006");
  if (!agent->session->admits(guid)) return vendor_reply("000-003");
  visit.check_cookie(agent->session->cookie);
  return std::nullopt;
}

// Every Nth answer brings a new guid, but never a third one: the client must use the second first.
void renew_guid(World& world, Agent& agent, std::int64_t serial, Reply& reply) {
  if (reply.fate != Reply::Fate::send || world.options.guid_renew == 0) return;
  if (!agent.session || agent.session->serial != serial) return;
  auto& session = *agent.session;
  if (++session.answers < world.options.guid_renew || !session.old_guid.empty()) return;
  if (session.guid.empty()) return;  // expired by the control API
  session.answers = 0;
  session.old_guid = std::exchange(session.guid, world.agents.new_guid());
  session.guid_at = Steady::now();
  reply.guid = session.guid;
}

asio::awaitable<void> rest(World& world, std::int64_t ms) {
  if (ms == 0) co_return;
  asio::steady_timer timer(world.executor, Steady::now() + milliseconds(ms));
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

asio::awaitable<Reply> act(Visit const& visit, Agent& agent) {
  switch (visit.function) {
    case Function::resetskill:
      agent.session->skills_reset = true;
      co_return vendor_reply("0");
    case Function::signout: {
      Reply reply = co_await sign_out(visit, agent);
      co_return reply;
    }
    case Function::poll: {
      Reply reply = co_await poll(visit, agent);
      co_return reply;
    }
    case Function::callout: {
      Reply reply = co_await call_out(visit, agent);
      co_return reply;
    }
    case Function::dropcall:
    case Function::release:
      co_return hang_up(visit, agent);
    case Function::query:
      co_return query(visit);
    default:
      co_return vendor_reply("000-001");
  }
}

}  // namespace

asio::awaitable<Reply> resource(World& world, Request const& request, Target const& target,
                                Link const& link) {
  Visit visit{world, request, target, link};
  if (Steady::now() < world.down_until) co_return dropped();
  if (is_for_files(target) && !world.options.file_access_key.empty()) {
    if (auto fault = struck(world, "files")) co_return *std::move(fault);
    co_return download_record(world, request, target);
  }
  if (!target.path.starts_with(prefix)) co_return nowhere(visit, 404);
  auto const parts = segments(std::string_view(target.path).substr(prefix.size()));
  bool path_known = false;
  bool found = false;
  for (auto const& one : functions)
    if (!found && matches(one.path, parts, visit)) {
      path_known = true;
      found = one.method == request.method();
      visit.function = one.function;
    }
  if (!found) co_return nowhere(visit, path_known ? 405 : 404);
  visit.check_form();
  if (auto fault = struck(world, visit.name())) {
    if (visit.function == Function::callout) co_await rest(world, world.outage.callout_delay_ms);
    co_return *std::move(fault);
  }

  if (visit.function == Function::signin || visit.function == Function::forcelogin) {
    Reply reply = co_await sign_in(visit);
    co_return reply;
  }
  auto const agent = world.agents.find(visit.agent_id);
  if (auto refusal = refused(visit, agent)) {
    if (visit.function == Function::signout || visit.function == Function::callout)
      note_refused(visit, *refusal);
    co_return *std::move(refusal);
  }
  auto const serial = agent->session->serial;
  Reply reply = co_await act(visit, *agent);
  renew_guid(world, *agent, serial, reply);
  co_return reply;
}

}  // namespace gateway
