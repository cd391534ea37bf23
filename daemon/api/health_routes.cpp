// /v1/health: one verdict, and what each part says of itself.
#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "health/log_health.hpp"
#include "router.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

asio::awaitable<Response> read_health(Exchange& exchange) {
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  const std::vector<PartHealth> parts = exchange.parts.health.parts();
  json::array list;
  for (const PartHealth& part : parts) {
    json::object item;
    item["part"] = part.part;
    item["grade"] = cc::to_text(part.ok ? part.grade : Grade::failing);
    item["says"] = part.says;
    item["since"] = part.since_ms;
    list.push_back(std::move(item));
  }
  json::object document;
  document["status"] = cc::to_text(worst(parts));
  document["at"] = exchange.parts.clock.epoch_ms();
  document["summary"] = summary(parts, exchange.parts.health.draining());
  document["parts"] = std::move(list);
  Response response;
  response.body = json::serialize(document);
  co_return response;
}

constexpr std::array routes{
    Route{"GET", "/v1/health", Scope::read, read_health},
};

}  // namespace

std::span<const Route> health_routes() noexcept {
  return routes;
}

}  // namespace cc::api
