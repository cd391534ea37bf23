#include "problem.hpp"

#include <array>

#include <boost/json.hpp>

namespace cc::api {
namespace {

namespace json = boost::json;

constexpr std::array catalogue{
    ProblemEntry{ProblemType::malformed_request, "malformed-request", 400,
                 "The request can't be read", "请求无法解析", false, 0},
    ProblemEntry{ProblemType::invalid_request, "invalid-request", 400,
                 "The request holds something that is not allowed", "请求参数不正确", false, 0},
    ProblemEntry{ProblemType::no_line, "no-line", 400, "Nothing says which line shall call",
                 "无法确定使用哪条坐席线路", false, 0},
    ProblemEntry{ProblemType::unknown_channel, "unknown-channel", 400,
                 "The channel does not exist or is not yours", "渠道不存在或未授权", false, 0},
    ProblemEntry{ProblemType::channel_unable, "channel-unable", 400,
                 "No channel that you may use can do what the call needs",
                 "可用渠道均不具备本次呼叫所需的能力", false, 0},
    ProblemEntry{ProblemType::unauthorized, "unauthorized", 401, "A valid key is needed",
                 "需要有效的密钥", false, 0},
    ProblemEntry{ProblemType::missing_scope, "missing-scope", 403,
                 "The key does not have the scope that this needs", "密钥没有所需的权限", false, 0},
    ProblemEntry{ProblemType::address_not_allowed, "address-not-allowed", 403,
                 "The key may not be used from this address", "该密钥不允许从此地址使用", false, 0},
    ProblemEntry{ProblemType::tenant_disabled, "tenant-disabled", 403, "The tenant is disabled",
                 "租户已停用", false, 0},
    ProblemEntry{ProblemType::not_found, "not-found", 404, "There is nothing at this path",
                 "路径不存在", false, 0},
    ProblemEntry{ProblemType::call_not_found, "call-not-found", 404, "There is no such call",
                 "通话不存在", false, 0},
    ProblemEntry{ProblemType::letter_not_found, "dead-letter-not-found", 404,
                 "There is no such dead letter", "死信不存在", false, 0},
    ProblemEntry{ProblemType::agent_not_found, "agent-not-found", 404, "There is no such agent",
                 "坐席不存在", false, 0},
    ProblemEntry{ProblemType::binding_not_found, "binding-not-found", 404,
                 "There is no such binding", "绑定关系不存在", false, 0},
    ProblemEntry{ProblemType::channel_not_found, "channel-not-found", 404,
                 "There is no such channel", "渠道不存在", false, 0},
    ProblemEntry{ProblemType::method_not_allowed, "method-not-allowed", 405,
                 "The path does not know this method", "该路径不支持此方法", false, 0},
    ProblemEntry{ProblemType::request_timeout, "request-timeout", 408,
                 "The request did not arrive in time", "请求未能及时到达", true, 0},
    ProblemEntry{ProblemType::line_busy, "line-busy", 409, "The line is in a call",
                 "坐席线路正在通话中", true, 5},
    ProblemEntry{ProblemType::line_offline, "line-offline", 409, "The line is not signed in",
                 "坐席尚未签入", true, 5},
    ProblemEntry{ProblemType::body_too_large, "body-too-large", 413, "The body is too large",
                 "请求体过大", false, 0},
    ProblemEntry{ProblemType::target_too_long, "target-too-long", 414,
                 "The request line is too long", "请求行过长", false, 0},
    ProblemEntry{ProblemType::unsupported_media_type, "unsupported-media-type", 415,
                 "The body must be JSON", "请求体必须是 JSON", false, 0},
    ProblemEntry{ProblemType::expectation_failed, "expectation-failed", 417,
                 "The expectation can't be met", "无法满足 Expect 要求", false, 0},
    ProblemEntry{ProblemType::idempotency_key_reused, "idempotency-key-reused", 422,
                 "The idempotency key was used with another body", "幂等键已用于内容不同的请求",
                 false, 0},
    ProblemEntry{ProblemType::too_fast, "too-fast", 429, "Too many calls are asked for a second",
                 "呼叫请求频率超过限制", true, 1},
    ProblemEntry{ProblemType::too_many_calls, "too-many-calls", 429,
                 "Too many calls are under way at the same time", "并发呼叫数超过限制", true, 5},
    ProblemEntry{ProblemType::header_too_large, "header-too-large", 431,
                 "The request line and headers are too large", "请求头过大", false, 0},
    ProblemEntry{ProblemType::internal_error, "internal-error", 500, "CC made a mistake",
                 "系统内部错误", false, 0},
    ProblemEntry{ProblemType::channel_refused, "channel-refused", 502,
                 "The channel refused the call", "渠道拒绝了呼叫", false, 0},
    ProblemEntry{ProblemType::storage_unavailable, "storage-unavailable", 503,
                 "CC can't store or read calls at the moment", "存储暂时不可用", true, 2},
    ProblemEntry{ProblemType::no_channel, "no-channel", 503,
                 "No channel can take the call at the moment", "当前没有可用渠道", true, 15},
    ProblemEntry{ProblemType::not_ready, "not-ready", 503, "CC is not ready", "系统尚未就绪", true,
                 2},
    ProblemEntry{ProblemType::no_agents_key, "no-agents-key", 503,
                 "Passwords can't be kept: agents.key must be configured first",
                 "无法保存密码：请先配置 agents.key", false, 0},
    ProblemEntry{ProblemType::overloaded, "overloaded", 503, "Too many connections", "连接数过多",
                 true, 1},
    ProblemEntry{ProblemType::outcome_unknown, "outcome-unknown", 504,
                 "It is not known whether the channel placed the call", "渠道是否已发起呼叫未知",
                 false, 0},
};

}  // namespace

const ProblemEntry& entry_of(ProblemType type) noexcept {
  for (const ProblemEntry& entry : catalogue) {
    if (entry.type == type) return entry;
  }
  return catalogue.front();  // every type has its entry: a test says so
}

std::span<const ProblemEntry> problem_catalogue() noexcept {
  return catalogue;
}

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
  for (const auto& [name, value] : problem.members) document[name] = value;
  return json::serialize(document);
}

Response to_response(const Problem& problem, std::string_view request_id) {
  const ProblemEntry& entry = entry_of(problem.type);
  Response response;
  response.status = entry.status;
  response.content_type = "application/problem+json";
  response.body = to_json(problem, request_id);
  const unsigned retry_after = problem.retry_after.value_or(entry.retry_after);
  if (retry_after != 0 && problem.retryable.value_or(entry.retryable)) {
    response.headers.emplace_back("Retry-After", std::to_string(retry_after));
  }
  return response;
}

}  // namespace cc::api
