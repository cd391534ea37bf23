// /v1/audit: who was shown which customers' numbers, and who did what only operators do. Scope
// admin.
#include <array>

#include <boost/json.hpp>

#include "router.hpp"
#include "time_text.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t most_entries = 200;  // of a page
constexpr std::int64_t default_entries = 50;
constexpr std::int64_t default_window_ms = std::int64_t{31} * 86'400'000;

json::value text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return json::value(text);
}

json::object to_object(const AuditEntry& entry) {
  json::object object;
  object["id"] = std::to_string(entry.id);
  object["at"] = entry.at;
  object["key"] = entry.key;
  object["action"] = entry.action;
  object["requestId"] = text_or_null(entry.request_id);
  object["address"] = text_or_null(entry.address);
  json::array& calls = object["callIds"].emplace_array();
  for (const std::int64_t call : entry.calls) calls.push_back(json::value(std::to_string(call)));
  object["count"] = entry.count;
  object["detail"] = nullptr;
  if (!entry.detail.empty()) object["detail"] = json::parse(entry.detail);
  return object;
}

AuditFilter read_filter(QueryReader& query, const Exchange& exchange) {
  AuditFilter filter;
  filter.tenant = exchange.key.tenant->name;
  filter.key = query.text("key", 96);
  filter.action = query.text("action", 32);
  filter.request_id = query.text("requestId", 64);
  if (const auto text = query.text("callId", 19)) {
    filter.call = parse_call_id(*text);
    if (!filter.call) query.refuse("callId", "must be a call's id");
  }
  const auto from = query.time("from"), to = query.time("to");
  filter.to_ms = to.value_or(INT64_MAX);
  const bool named = filter.call || filter.request_id;
  const std::int64_t end = to.value_or(exchange.parts.clock.epoch_ms());
  filter.from_ms = from.value_or(named ? 0 : end - default_window_ms);
  if (from && to && *from >= *to) query.refuse("to", "must be after from");
  return filter;
}

asio::awaitable<Response> list_audit(Exchange& exchange) {
  QueryReader query(exchange.target);
  AuditFilter filter = read_filter(query, exchange);
  const std::int64_t below = query.integer("cursor", 1, INT64_MAX).value_or(INT64_MAX);
  const std::int64_t limit = query.integer("limit", 1, most_entries).value_or(default_entries);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  auto reading =
      exchange.parts.nouns.audit->page(std::move(filter), below, static_cast<std::size_t>(limit));
  const AuditPage page = co_await std::move(reading);
  json::object document;
  json::array& items = document["items"].emplace_array();
  for (const AuditEntry& entry : page.entries) items.push_back(to_object(entry));
  document["next"] = nullptr;
  if (page.next) document["next"] = std::to_string(*page.next);
  Response response;
  response.body = json::serialize(document);
  co_return response;
}

constexpr std::array routes{Route{"GET", "/v1/audit", Scope::admin, list_audit}};

}  // namespace

std::span<const Route> audit_routes() noexcept {
  return routes;
}

}  // namespace cc::api
