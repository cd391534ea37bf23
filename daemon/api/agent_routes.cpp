// /v1/agents: the lines of channels, and how they are. For operators: scope admin.
#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "agent/agent_check.hpp"
#include "json_body.hpp"
#include "log.hpp"
#include "phone.hpp"
#include "reveal.hpp"
#include "router.hpp"
#include "text.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t most_agents = 1000;  // of a page
constexpr std::int64_t default_agents = 100;
constexpr std::array<std::string_view, 5> states{"connecting", "online", "failing", "refused",
                                                 "offline"};

template <class T>
json::value or_null(const std::optional<T>& value) {
  if (!value) return nullptr;
  return json::value(*value);
}

/// Agents' own numbers are no customers': whoever may set them sees them.
json::object to_object(const Agent& agent) {
  json::object object;
  object["channel"] = agent.channel;
  object["agent"] = agent.agent;
  object["handset"] = or_null(agent.handset);
  object["hasPassword"] = agent.has_password;
  object["desired"] = nullptr;  // of a line that nobody made known
  if (!agent.desired.empty()) object["desired"] = agent.desired;
  object["actual"] = or_null(agent.actual);
  object["reason"] = nullptr;  // may repeat what a channel said
  if (agent.reason) object["reason"] = mask_numbers_in(*agent.reason);
  object["since"] = or_null(agent.since);
  object["updated"] = nullptr;
  if (agent.updated > 0) object["updated"] = agent.updated;
  object["call"] = nullptr;
  if (agent.call) object["call"] = std::to_string(*agent.call);
  return object;
}

Response document_of(unsigned status, const Agent& agent) {
  Response response;
  response.status = status;
  response.body = json::serialize(to_object(agent));
  return response;
}

Response no_such_agent(const Exchange& exchange) {
  Problem problem;
  problem.type = ProblemType::agent_not_found;
  problem.detail = "No agent of yours is on this line.";
  return exchange.refuse(problem);
}

Response refuse(const Exchange& exchange, const AgentRefusal& refusal) {
  Problem problem;
  const bool in_path = refusal.field == "agent" || refusal.field == "channel";
  const std::string name = in_path ? "path " + refusal.field : refusal.field;
  switch (refusal.code) {
    case AgentRefusal::Code::invalid:
      problem.type = ProblemType::invalid_request;
      problem.detail = name + " " + refusal.detail + ".";
      problem.invalid_params.push_back({name, refusal.detail});
      break;
    case AgentRefusal::Code::unknown_channel:
      problem.type = ProblemType::unknown_channel;
      problem.detail = name + " " + refusal.detail + ".";
      problem.invalid_params.push_back({name, refusal.detail});
      break;
    case AgentRefusal::Code::not_found:
      return no_such_agent(exchange);
    case AgentRefusal::Code::line_busy:
      problem.type = ProblemType::line_busy;
      problem.detail = refusal.detail + ".";
      problem.call = refusal.busy_call;
      break;
    case AgentRefusal::Code::no_key:
      problem.type = ProblemType::no_agents_key;
      problem.detail = name + " " + refusal.detail + ".";
      break;
  }
  return exchange.refuse(problem);
}

/// Who did what to which line. Numbers masked.
void audit(const Exchange& exchange, std::string_view what, const std::string& more = {}) {
  log().info("audit request={} tenant={} key={} {}=agent/{}{}", exchange.request.id,
             exchange.key.tenant->name, exchange.key.key, what,
             shown_line(exchange.parameters[0], exchange.parameters[1]), more);
}

/// What is no UTF-8 can't be asked for.
bool may_exist(const Exchange& exchange) {
  return std::all_of(exchange.parameters.begin(), exchange.parameters.end(),
                     [](const std::string& text) { return repair_utf8(text) == text; });
}

/// Reads the members into `wish`; null counts as absent. Returns what is wrong with them.
std::vector<InvalidParam> read_members(const json::object& object, AgentWish& wish) {
  std::vector<InvalidParam> wrong;
  for (const auto& member : object) {
    const std::string_view name = member.key();
    const bool known = name == "handset" || name == "password" || name == "desired";
    if (!known) {
      wrong.push_back({shown_name(name), "unknown field"});
      continue;
    }
    if (member.value().is_null()) continue;
    const json::string* text = member.value().if_string();
    if (text == nullptr) {
      wrong.push_back({std::string(name), "must be text"});
    } else if (name == "handset") {
      wish.handset = std::string(*text);
    } else if (name == "password") {
      wish.password = std::string(*text);
    } else if (*text == "online" || *text == "offline") {
      wish.online = *text == "online";
    } else {
      wrong.push_back({"desired", "must be online or offline"});
    }
  }
  return wrong;
}

std::optional<Problem> read_wish(const Request& request, AgentWish& wish) {
  auto body = read_object(request);
  if (Problem* problem = std::get_if<Problem>(&body)) return std::move(*problem);
  Problem problem;
  problem.type = ProblemType::invalid_request;
  problem.invalid_params = read_members(std::get<json::object>(body), wish);
  if (problem.invalid_params.empty()) return std::nullopt;
  problem.detail = "The body is wrong; invalidParams names what.";
  return problem;
}

/// What a PUT asked for, for the audit: no password, the handset masked.
std::string summary(const AgentWish& wish, const Agent& agent) {
  std::string text;
  if (wish.handset && agent.handset) text += " handset=" + mask_number(*agent.handset);
  if (wish.password) text += " password=set";
  if (wish.online) text += " desired=" + agent.desired;
  return text;
}

asio::awaitable<Response> put_agent(Exchange& exchange) {
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  AgentWish wish;
  wish.tenant = exchange.key.tenant->name;
  wish.channel = exchange.parameters[0];
  wish.agent = exchange.parameters[1];
  if (auto problem = read_wish(exchange.request, wish)) co_return exchange.refuse(*problem);
  auto putting = exchange.parts.nouns.agents->put(wish);
  const std::variant<Agents::Put, AgentRefusal> result = co_await std::move(putting);
  if (const AgentRefusal* refusal = std::get_if<AgentRefusal>(&result)) {
    co_return refuse(exchange, *refusal);
  }
  const Agents::Put& put = std::get<Agents::Put>(result);
  audit(exchange, put.created ? "creates" : "sets", summary(wish, put.agent));
  Response response = document_of(put.created ? 201 : 200, put.agent);
  if (put.created) {
    response.headers.emplace_back("Location", "/v1/agents/" + percent_encode(put.agent.channel) +
                                                  "/" + percent_encode(put.agent.agent));
  }
  co_return response;
}

asio::awaitable<Response> get_agent(Exchange& exchange) {
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  if (!may_exist(exchange)) co_return no_such_agent(exchange);
  auto getting = exchange.parts.nouns.agents->get(exchange.key.tenant->name, exchange.parameters[0],
                                                  exchange.parameters[1]);
  const std::optional<Agent> agent = co_await std::move(getting);
  co_return agent ? document_of(200, *agent) : no_such_agent(exchange);
}

/// "hw/291" in hex: a page goes on behind it.
void read_cursor(QueryReader& query, AgentFilter& filter) {
  const auto cursor = query.text("cursor", 160);
  if (!cursor) return;
  const auto line = from_hex(*cursor);
  const std::size_t slash = line ? line->find('/') : std::string::npos;
  if (slash == std::string::npos || repair_utf8(*line) != *line) {
    query.refuse("cursor", "must be the `next` of the page before");
    return;
  }
  filter.after_channel = line->substr(0, slash);
  filter.after_agent = line->substr(slash + 1);
}

asio::awaitable<Response> list_agents(Exchange& exchange) {
  QueryReader query(exchange.target);
  AgentFilter filter;
  filter.channel = query.text("channel", 8);
  filter.actual = query.text("actual", 16);
  if (filter.actual && std::find(states.begin(), states.end(), *filter.actual) == states.end()) {
    query.refuse("actual", "must be connecting, online, failing, refused or offline");
  }
  read_cursor(query, filter);
  const std::int64_t limit = query.integer("limit", 1, most_agents).value_or(default_agents);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  filter.limit = static_cast<int>(limit) + 1;  // one more tells whether there is a next page
  auto listing = exchange.parts.nouns.agents->list(exchange.key.tenant->name, std::move(filter));
  std::vector<Agent> agents = co_await std::move(listing);
  const bool more = agents.size() > static_cast<std::size_t>(limit);
  if (more) agents.pop_back();
  json::object document;
  json::array& items = document["items"].emplace_array();
  for (const Agent& agent : agents) items.push_back(to_object(agent));
  document["next"] = nullptr;
  if (more) document["next"] = to_hex(agents.back().channel + "/" + agents.back().agent);
  Response response;
  response.body = json::serialize(document);
  co_return response;
}

asio::awaitable<Response> delete_agent(Exchange& exchange) {
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  if (!may_exist(exchange)) co_return no_such_agent(exchange);
  auto removing = exchange.parts.nouns.agents->remove(
      exchange.key.tenant->name, exchange.parameters[0], exchange.parameters[1]);
  const std::optional<AgentRefusal> refusal = co_await std::move(removing);
  if (refusal) co_return refuse(exchange, *refusal);
  audit(exchange, "deletes");
  Response response;
  response.status = 204;
  co_return response;
}

asio::awaitable<Response> retry_agent(Exchange& exchange) {
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  if (!may_exist(exchange)) co_return no_such_agent(exchange);
  auto retrying = exchange.parts.nouns.agents->retry(
      exchange.key.tenant->name, exchange.parameters[0], exchange.parameters[1]);
  const std::variant<Agent, AgentRefusal> result = co_await std::move(retrying);
  if (const AgentRefusal* refusal = std::get_if<AgentRefusal>(&result)) {
    co_return refuse(exchange, *refusal);
  }
  audit(exchange, "retries");
  co_return document_of(202, std::get<Agent>(result));
}

constexpr std::size_t longest_reason = 256;  // bytes

bool is_reason(std::string_view text) {
  return !text.empty() && text.size() <= longest_reason &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// The reason in a body that may be left out.
std::optional<Problem> read_reason(const Request& request, OptText& reason) {
  if (request.body.empty()) return std::nullopt;
  auto body = read_object(request);
  if (Problem* problem = std::get_if<Problem>(&body)) return std::move(*problem);
  Problem problem;
  problem.type = ProblemType::invalid_request;
  for (const auto& member : std::get<json::object>(body)) {
    const json::string* text = member.value().if_string();
    if (member.key() != "reason") {
      problem.invalid_params.push_back({shown_name(member.key()), "unknown field"});
    } else if (text != nullptr && is_reason(*text)) {
      reason = std::string(*text);
    } else if (!member.value().is_null()) {
      problem.invalid_params.push_back(
          {"reason", "must be text of 1 to 256 bytes, without control characters"});
    }
  }
  if (problem.invalid_params.empty()) return std::nullopt;
  problem.detail = "The body is wrong; invalidParams names what.";
  return problem;
}

/// For the audit trail.
std::string detail_of(const ReleaseOrder& order) {
  json::object detail{{"channel", order.channel}, {"agent", order.agent}, {"reason", nullptr}};
  if (order.reason) detail["reason"] = mask_numbers_in(*order.reason);
  return json::serialize(detail);
}

asio::awaitable<Response> release_agent(Exchange& exchange) {
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  ReleaseOrder order;
  if (auto problem = read_reason(exchange.request, order.reason)) {
    co_return exchange.refuse(*problem);
  }
  if (!may_exist(exchange)) co_return no_such_agent(exchange);
  order.tenant = exchange.key.tenant->name;
  order.channel = exchange.parameters[0];
  order.agent = exchange.parameters[1];
  order.request_id = exchange.request.id;
  const std::string reason = order.reason ? " reason=" + mask_numbers_in(*order.reason) : "";
  std::string detail = detail_of(order);
  auto releasing = exchange.parts.nouns.agents->release(std::move(order));
  const std::variant<Release, AgentRefusal> result = co_await std::move(releasing);
  if (const AgentRefusal* refusal = std::get_if<AgentRefusal>(&result)) {
    co_return refuse(exchange, *refusal);
  }
  const Release& release = std::get<Release>(result);
  const std::string call = release.call ? std::to_string(*release.call) : "none";
  audit(exchange, "releases", " call=" + call + reason);
  std::vector<std::int64_t> calls;
  if (release.call) calls.push_back(*release.call);
  auto ending = tell_afterwards(exchange, "line.released", std::move(calls), std::move(detail));
  co_await std::move(ending);
  if (release.call) exchange.trace.call = call;
  json::object document = to_object(release.agent);
  document["released"] = nullptr;
  if (release.call) document["released"] = call;
  Response response;
  response.body = json::serialize(document);
  co_return response;
}

constexpr std::array routes{
    Route{"GET", "/v1/agents", Scope::admin, list_agents},
    Route{"PUT", "/v1/agents/{channel}/{agent}", Scope::admin, put_agent},
    Route{"GET", "/v1/agents/{channel}/{agent}", Scope::admin, get_agent},
    Route{"DELETE", "/v1/agents/{channel}/{agent}", Scope::admin, delete_agent},
    Route{"POST", "/v1/agents/{channel}/{agent}/retry", Scope::admin, retry_agent},
    Route{"POST", "/v1/agents/{channel}/{agent}/release", Scope::admin, release_agent},
};

}  // namespace

std::span<const Route> agent_routes() noexcept {
  return routes;
}

}  // namespace cc::api
