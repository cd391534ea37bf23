#include "router.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <variant>

#include "authenticate.hpp"
#include "io/pg.hpp"
#include "log.hpp"
#include "phone.hpp"
#include "query/scan_gate.hpp"

namespace cc::api {
namespace {

std::vector<std::string_view> segments_of(std::string_view pattern) {
  std::vector<std::string_view> segments;
  pattern.remove_prefix(1);
  while (true) {
    const auto slash = pattern.find('/');
    segments.push_back(pattern.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    pattern.remove_prefix(slash + 1);
  }
}

/// The values of the pattern's braces, or nothing where the path is another.
std::optional<std::vector<std::string>> fit(std::string_view pattern,
                                            const std::vector<std::string>& path) {
  const auto segments = segments_of(pattern);
  if (segments.size() != path.size()) return std::nullopt;
  std::vector<std::string> parameters;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (segments[i].starts_with('{')) {
      if (path[i].empty()) return std::nullopt;
      parameters.push_back(path[i]);
    } else if (segments[i] != path[i]) {
      return std::nullopt;
    }
  }
  return parameters;
}

void add_once(std::vector<std::string_view>& list, std::string_view item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

std::string join(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

/// What OPTIONS is answered.
Response allowed(std::string methods) {
  Response response;
  response.status = 204;
  response.headers.emplace_back("Allow", std::move(methods));
  return response;
}

}  // namespace

struct Router::Match {
  const Route* route = nullptr;
  std::vector<std::string> parameters;
  std::string_view pattern;               // of the path, even where the method is wrong
  std::vector<std::string_view> methods;  // that the path knows
};

Router::Router(Calls& calls, const Health& health, Metrics& metrics, const Clock& clock,
               const std::map<std::string, Tenant>& tenants, Nouns nouns)
    : parts_{calls,
             health,
             metrics,
             clock,
             nouns,
             exports_,
             file_gate_,
             [this](const Request& request, Scope scope) { return opens(request, scope); }},
      keys_(std::make_shared<const KeyRing>(tenants)) {
  for (const auto& table : {calls_routes(), document_routes(), health_routes(), status_routes()}) {
    routes_.insert(routes_.end(), table.begin(), table.end());
  }
  const auto add = [this](std::span<const Route> table) {
    routes_.insert(routes_.end(), table.begin(), table.end());
  };
  if (nouns.letters != nullptr) add(letter_routes());
  if (nouns.reconciliation != nullptr) add(reconciliation_routes());
  if (nouns.agents != nullptr) add(agent_routes());
  if (nouns.bindings != nullptr) add(binding_routes());
  if (nouns.channels != nullptr) add(channel_routes());
  if (nouns.query != nullptr) add(query_routes());
  if (nouns.rejections != nullptr) add(rejection_routes());
  if (nouns.audit != nullptr) add(audit_routes());
  if (nouns.recordings != nullptr) add(recording_routes());
  if (nouns.recordings != nullptr || nouns.files != nullptr) add(file_routes());
}

void Router::reconfigure(const std::map<std::string, Tenant>& tenants) {
  keys_ = std::make_shared<const KeyRing>(tenants);
}

bool Router::opens(const Request& request, Scope scope) const {
  const KeyRing::Known* key = nullptr;
  const auto who = authenticate(*keys_, request, scope, parts_.clock.epoch_ms(), key);
  return std::holds_alternative<Principal>(who);
}

Router::Match Router::match(const Request& request, const Target& target) const {
  Match match;
  std::string_view wanted = request.method;
  if (wanted == "HEAD") wanted = "GET";
  for (const Route& route : routes_) {
    auto parameters = fit(route.pattern, target.path);
    if (!parameters) continue;
    match.pattern = route.pattern;
    add_once(match.methods, route.method);
    if (route.method == "GET") add_once(match.methods, "HEAD");
    if (route.method != wanted || match.route != nullptr) continue;
    match.route = &route;
    match.parameters = *std::move(parameters);
  }
  if (!match.methods.empty()) add_once(match.methods, "OPTIONS");
  return match;
}

asio::awaitable<Response> Router::guarded(Handler handler, Exchange& exchange) {
  std::optional<Response> response;
  Problem problem;
  try {
    auto handling = handler(exchange);
    response = co_await std::move(handling);
  } catch (const pg::Failure& failure) {
    log().warn("request {}: {}: PostgreSQL: {}", exchange.request.id, exchange.trace.route,
               mask_numbers_in(failure.what()));
    problem.type = ProblemType::storage_unavailable;
    problem.detail = failure.sqlstate == busy_state
                         ? "Too many requests look through calls; this one's turn did not come. "
                           "Ask for a shorter window, or by a filter that has an index."
                         : "PostgreSQL is away, or has no time. The request can be repeated.";
  } catch (const std::exception& error) {
    log().error("request {}: {}: {}", exchange.request.id, exchange.trace.route,
                mask_numbers_in(error.what()));
    problem.detail = "The log has more under this request's id.";
  }
  if (!response) response = exchange.refuse(problem);
  co_return *std::move(response);
}

asio::awaitable<Response> Router::dispatch(const Request& request, Trace& trace) {
  if (request.method == "OPTIONS" && request.target == "*") {
    trace.method = "OPTIONS";
    co_return allowed("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  }
  const auto target = parse_target(request.target);
  if (!target) {
    Problem problem;
    problem.type = ProblemType::malformed_request;
    problem.detail = "The request's target is no path that can be decoded.";
    problem.invalid_params.push_back({"path", "must be /… with valid percent escapes"});
    co_return to_response(problem, request.id);
  }
  Match found = match(request, *target);
  if (found.methods.empty()) {
    Problem problem;
    problem.type = ProblemType::not_found;
    problem.detail = "No such path.";
    co_return to_response(problem, request.id);
  }
  trace.route = found.pattern;
  if (request.method == "OPTIONS") {
    trace.method = "OPTIONS";
    co_return allowed(join(found.methods));
  }
  if (found.route == nullptr) {
    Problem problem;
    problem.type = ProblemType::method_not_allowed;
    problem.detail = "Use " + join(found.methods) + ".";
    Response response = to_response(problem, request.id);
    response.headers.emplace_back("Allow", join(found.methods));
    co_return response;
  }
  trace.method = request.method == "HEAD" ? "HEAD" : found.route->method;
  Exchange exchange{parts_, request, *target, std::move(found.parameters), {}, trace};
  if (found.route->scope != Scope::none) {
    const std::int64_t now_ms = parts_.clock.epoch_ms();
    const std::shared_ptr<const KeyRing> keys = keys_;
    const KeyRing::Known* key = nullptr;
    auto who = authenticate(*keys, request, found.route->scope, now_ms, key);
    if (key != nullptr) {
      trace.tenant = key->principal.tenant->name;
      trace.key = key->principal.key;
    }
    if (Problem* problem = std::get_if<Problem>(&who)) {
      Response response = to_response(*problem, request.id);
      if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
      co_return response;
    }
    exchange.key = std::get<Principal>(std::move(who));
    if (key->stored && parts_.nouns.key_use != nullptr) {
      parts_.nouns.key_use->note({key->digest.data(), key->digest.size()}, now_ms);
    }
  }
  auto handling = guarded(found.route->handler, exchange);
  Response response = co_await std::move(handling);
  if (found.route->scope != Scope::none) response.headers.emplace_back("Cache-Control", "no-store");
  co_return response;
}

asio::awaitable<Answer> Router::answer(const Request& request) {
  Answer answer;
  auto dispatching = dispatch(request, answer.trace);
  answer.response = co_await std::move(dispatching);
  answer.trace.problem = answer.response.problem;
  co_return answer;
}

}  // namespace cc::api
