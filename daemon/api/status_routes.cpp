// Live, ready, figures: for supervisors and Prometheus, without a key. NGINX passes only /v1 on.
#include <algorithm>
#include <array>

#include <boost/json.hpp>
#include <prometheus/text_serializer.h>

#include "router.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

asio::awaitable<Response> healthz(Exchange&) {
  Response response;
  response.body = R"({"status":"alive"})";
  co_return response;
}

asio::awaitable<Response> readyz(Exchange& exchange) {
  const auto parts = exchange.parts.health.parts();
  const bool draining = exchange.parts.health.draining();
  json::array list;
  std::string missing;
  for (const PartHealth& part : parts) {
    json::object item;
    item["part"] = part.part;
    item["ok"] = part.ok;
    item["grade"] = to_text(part.ok ? part.grade : Grade::failing);
    item["says"] = part.says;
    list.push_back(std::move(item));
    if (!part.ok) missing += (missing.empty() ? "" : "; ") + part.part + ": " + part.says;
  }
  if (draining || !missing.empty()) {
    Problem problem;
    problem.type = ProblemType::not_ready;
    problem.detail = draining ? "The daemon is shutting down." : missing;
    co_return exchange.refuse(problem);
  }
  json::object document;
  document["status"] = "ready";
  document["parts"] = std::move(list);
  Response response;
  response.body = json::serialize(document);
  co_return response;
}

asio::awaitable<Response> metrics(Exchange& exchange) {
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body =
      prometheus::TextSerializer{}.Serialize(exchange.parts.metrics.registry->Collect());
  co_return response;
}

constexpr std::array routes{
    Route{"GET", "/healthz", Scope::none, healthz},
    Route{"GET", "/readyz", Scope::none, readyz},
    Route{"GET", "/metrics", Scope::none, metrics},
};

}  // namespace

std::span<const Route> status_routes() noexcept {
  return routes;
}

}  // namespace cc::api
