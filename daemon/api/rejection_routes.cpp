// /v1/rejections: refused requests for calls.
#include <array>

#include <boost/json.hpp>

#include "router.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t most_rejections = 200;  // of a page
constexpr std::int64_t default_rejections = 50;

json::object to_object(const Rejection& rejection) {
  json::object object;
  const auto add = [&](std::string_view name, const OptText& value) {
    object[name] = nullptr;
    if (value) object[name] = *value;
  };
  object["id"] = std::to_string(rejection.id);
  object["at"] = rejection.at;
  object["status"] = nullptr;
  if (rejection.status > 0) object["status"] = rejection.status;
  object["code"] = rejection.code;
  object["detail"] = rejection.detail;
  object["requestId"] = rejection.request_id;
  object["key"] = rejection.key;
  add("caller", rejection.caller);
  add("called", rejection.called);
  add("agent", rejection.agent);
  add("user", rejection.user);
  add("channel", rejection.channel);
  add("business", rejection.business);
  add("bizType", rejection.biz_type);
  add("bizId", rejection.biz_id);
  object["callId"] = nullptr;
  if (rejection.call) object["callId"] = std::to_string(*rejection.call);
  return object;
}

asio::awaitable<Response> list_rejections(Exchange& exchange) {
  QueryReader query(exchange.target);
  RejectionFilter filter;
  filter.tenant = exchange.key.tenant->name;
  filter.code = query.text("code", 32);
  filter.agent = query.line("agent");
  filter.user = query.text("user", 256);
  filter.channel = query.text("channel", 8);
  filter.biz_type = query.text("bizType", 128);
  filter.biz_id = query.text("bizId", 256);
  filter.request_id = query.text("requestId", 64);
  filter.from_ms = query.time("from").value_or(0);
  filter.to_ms = query.time("to").value_or(INT64_MAX);
  if (filter.from_ms >= filter.to_ms) query.refuse("from", "must be before `to`");
  const auto below = query.integer("cursor", 1, INT64_MAX);
  const auto limit = query.integer("limit", 1, most_rejections).value_or(default_rejections);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  auto listing = exchange.parts.nouns.rejections->page(std::move(filter), below.value_or(INT64_MAX),
                                                       static_cast<std::size_t>(limit));
  const RejectionPage page = co_await std::move(listing);
  json::object document;
  json::array& items = document["items"].emplace_array();
  for (const Rejection& rejection : page.rejections) items.push_back(to_object(rejection));
  document["next"] = nullptr;
  if (page.next) document["next"] = std::to_string(*page.next);
  Response response;
  response.body = json::serialize(document);
  co_return response;
}

constexpr std::array routes{
    Route{"GET", "/v1/rejections", Scope::read, list_rejections},
};

}  // namespace

std::span<const Route> rejection_routes() noexcept {
  return routes;
}

}  // namespace cc::api
