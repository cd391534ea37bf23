// /v1/calls, /v1/calls/search, /v1/export.csv: finding calls.
#include <array>

#include <boost/json.hpp>

#include "call_export.hpp"
#include "call_filter.hpp"
#include "cursor.hpp"
#include "json_body.hpp"
#include "record_json.hpp"
#include "reveal.hpp"
#include "router.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

asio::awaitable<Response> answer_page(Exchange& exchange, CallWish wish) {
  auto reading = exchange.parts.nouns.query->page(std::move(wish.filter), wish.cursor, wish.limit);
  const CallPage page = co_await std::move(reading);
  const Sight sight = sight_of(exchange.key);
  json::object document;
  json::array& items = document["items"].emplace_array();
  std::vector<std::int64_t> shown;
  for (const StoredRecord& record : page.calls) {
    items.push_back(to_object(record, sight));
    shown.push_back(record.constants.id);
  }
  document["next"] = nullptr;
  if (page.next) document["next"] = to_text(*page.next);
  auto telling = tell_shown(exchange, std::move(shown));
  co_await std::move(telling);
  Response response;
  response.body = json::serialize(document);
  co_return response;
}

asio::awaitable<Response> list_calls(Exchange& exchange) {
  QueryReader query(exchange.target);
  CallWish wish = read_call_filter(query, exchange.target, exchange.key.tenant->name,
                                   exchange.parts.clock.epoch_ms());
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  auto answering = answer_page(exchange, std::move(wish));
  co_return co_await std::move(answering);
}

/// Numbers can be guessed where they can be asked for, so that needs the scope that sees them.
asio::awaitable<Response> search_calls(Exchange& exchange) {
  if (!exchange.key.may(Scope::numbers)) {
    Problem problem;
    problem.type = ProblemType::missing_scope;
    problem.detail = "The key \"" + exchange.key.key +
                     "\" lacks the scope \"numbers\". Without numbers, GET /v1/calls has the same "
                     "filters.";
    problem.members.emplace_back("scope", "numbers");
    co_return exchange.refuse(problem);
  }
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  auto body = read_object(exchange.request);
  if (Problem* problem = std::get_if<Problem>(&body)) co_return exchange.refuse(*problem);
  auto wish = read_call_search(std::get<json::object>(body), exchange.key.tenant->name,
                               exchange.parts.clock.epoch_ms());
  if (Problem* problem = std::get_if<Problem>(&wish)) co_return exchange.refuse(*problem);
  auto answering = answer_page(exchange, std::get<CallWish>(std::move(wish)));
  co_return co_await std::move(answering);
}

AuditEntry entry_of(const Exchange& exchange) {
  AuditEntry entry;
  entry.tenant = exchange.key.tenant->name;
  entry.key = exchange.key.key;
  entry.action = "calls.exported";
  entry.request_id = exchange.request.id;
  entry.address = exchange.request.peer;
  return entry;
}

asio::awaitable<Response> export_csv(Exchange& exchange) {
  QueryReader query(exchange.target);
  CallWish wish = read_call_filter(query, exchange.target, exchange.key.tenant->name,
                                   exchange.parts.clock.epoch_ms(), false);
  const bool bom = query.boolean("bom").value_or(false);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  Response response;
  response.content_type = "text/csv; charset=utf-8; header=present";
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"calls.csv\"");
  CallExport run;
  run.query = exchange.parts.nouns.query;
  run.sight = sight_of(exchange.key);
  run.bom = bom;
  if (exchange.request.method == "HEAD") {  // nothing is taken out, so nobody is told
    response.more = export_calls(std::move(run));
    co_return response;
  }
  run.pass = exchange.parts.exports.enter(exchange.key.tenant->name);
  if (run.pass == nullptr) {
    Problem problem;
    problem.type = ProblemType::too_many_exports;
    problem.detail = "At most " + std::to_string(ExportGate::most_of_tenant) +
                     " exports of a tenant and " + std::to_string(ExportGate::most) +
                     " in all run at a time.";
    co_return exchange.refuse(problem);
  }
  run.still_open = [opens = exchange.parts.opens, request = exchange.request] {
    return opens(request, Scope::read);
  };
  run.audit = exchange.parts.nouns.audit;
  run.entry = entry_of(exchange);
  json::object detail = describe(wish.filter);
  detail["numbers"] = run.sight.numbers;
  detail["event"] = "begin";
  auto telling = tell_done(exchange, "calls.exported", {}, 0, json::serialize(detail));
  co_await std::move(telling);
  detail["event"] = "end";
  run.entry.detail = json::serialize(detail);
  run.filter = std::move(wish.filter);
  response.more = export_calls(std::move(run));
  co_return response;
}

constexpr std::array routes{
    Route{"GET", "/v1/calls", Scope::read, list_calls},
    Route{"POST", "/v1/calls/search", Scope::read, search_calls},
    Route{"GET", "/v1/export.csv", Scope::read, export_csv},
};

}  // namespace

std::span<const Route> query_routes() noexcept {
  return routes;
}

}  // namespace cc::api
