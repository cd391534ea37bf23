#include "problem.hpp"

#include <boost/json.hpp>

namespace cc::api {

namespace json = boost::json;

std::string to_json(const Problem& problem, std::string_view request_id) {
  const ProblemEntry& entry = entry_of(problem.type);
  json::object document;
  document["type"] = "/problems/" + std::string(entry.name);
  document["title"] = entry.title;
  document["titleZh"] = entry.title_zh;
  document["status"] = entry.status;
  document["detail"] = problem.detail;
  document["instance"] = request_id;
  document["retryable"] = problem.retryable.value_or(entry.retryable);
  if (entry.status == 400 || !problem.invalid_params.empty()) {
    json::array& params = document["invalidParams"].emplace_array();
    for (const InvalidParam& param : problem.invalid_params) {
      json::object item;
      item["name"] = param.name;
      item["reason"] = param.reason;
      params.push_back(std::move(item));
    }
  }
  if (problem.call) document["callId"] = std::to_string(*problem.call);
  if (problem.expected_at) document["expectedAt"] = *problem.expected_at;
  for (const auto& [name, value] : problem.members) document[name] = value;
  return json::serialize(document);
}

Response to_response(const Problem& problem, std::string_view request_id) {
  const ProblemEntry& entry = entry_of(problem.type);
  Response response;
  response.status = entry.status;
  response.content_type = "application/problem+json";
  response.problem = entry.name;
  response.body = to_json(problem, request_id);
  const unsigned retry_after = problem.retry_after.value_or(entry.retry_after);
  if (retry_after != 0 && problem.retryable.value_or(entry.retryable)) {
    response.headers.emplace_back("Retry-After", std::to_string(retry_after));
  }
  return response;
}

}  // namespace cc::api
