#include "refused_call.hpp"

#include <string_view>
#include <utility>

#include <boost/json.hpp>

#include "fields.hpp"
#include "phone.hpp"
#include "strict_json.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

OptText text_of(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  if (text == nullptr || text->empty()) return std::nullopt;
  return std::string(*text);
}

OptText masked_of(const json::object& body, std::string_view name) {
  const OptText text = text_of(body, name);
  if (!text) return std::nullopt;
  return mask_number(canonical_number(*text).value_or(*text));
}

/// What can be read, whatever is wrong with the rest; the store cuts what is too long.
void read_body(std::string_view text, Rejection& rejection) {
  const auto parsed = parse_strictly(text);
  const json::object* body = parsed ? parsed->if_object() : nullptr;
  if (body == nullptr) return;
  rejection.caller = masked_of(*body, "caller");
  rejection.called = masked_of(*body, "called");
  if (const OptText agent = text_of(*body, "agent")) rejection.agent = plain_agent(*agent);
  rejection.user = text_of(*body, "user");
  rejection.channel = text_of(*body, "channel");
  rejection.business = text_of(*body, "business");
  rejection.biz_type = text_of(*body, "bizType");
  rejection.biz_id = text_of(*body, "bizId");
}

void add_limit(Problem& problem, const Refusal& refusal, const char* name) {
  problem.members.emplace_back("limit", name);
  if (refusal.limit) problem.members.emplace_back("limitValue", std::to_string(*refusal.limit));
  if (refusal.retry_after.count() > 0) {
    problem.retry_after = static_cast<unsigned>((refusal.retry_after.count() + 999) / 1000);
  }
}

}  // namespace

Problem problem_of(const Refusal& refusal, const Principal& key) {
  Problem problem;
  problem.detail = refusal.detail;
  switch (refusal.code) {
    case Refusal::Code::no_line:
      problem.type = ProblemType::no_line;
      problem.invalid_params.push_back({"agent", refusal.detail});
      break;
    case Refusal::Code::unknown_channel:
      problem.type = ProblemType::unknown_channel;
      problem.invalid_params.push_back({"channel", refusal.detail});
      break;
    case Refusal::Code::no_channel:
      problem.type = ProblemType::no_channel;
      break;
    case Refusal::Code::line_offline:
      problem.type = ProblemType::line_offline;
      break;
    case Refusal::Code::line_busy:
      problem.type = ProblemType::line_busy;
      if (key.may(Scope::read)) problem.call = refusal.busy_call;
      break;
    case Refusal::Code::unable:
      problem.type = ProblemType::channel_unable;
      break;
    case Refusal::Code::no_main_number:
      problem.type = ProblemType::invalid_request;
      problem.invalid_params.push_back({"mainNum", refusal.detail});
      problem.detail = "mainNum " + refusal.detail + ".";
      break;
    case Refusal::Code::unknown_call:
      problem.type = ProblemType::invalid_request;
      problem.invalid_params.push_back(
          {"called.callId", "must be the id of a call of yours that has a customer's number"});
      break;
    case Refusal::Code::own_number:
      problem.type = ProblemType::invalid_request;
      problem.invalid_params.push_back({"called", refusal.detail});
      problem.detail = "called " + refusal.detail + ".";
      break;
    case Refusal::Code::key_reused:
      problem.type = ProblemType::idempotency_key_reused;
      break;
    case Refusal::Code::too_fast:
      problem.type = ProblemType::too_fast;
      add_limit(problem, refusal, "callsPerSecond");
      break;
    case Refusal::Code::too_many:
      problem.type = ProblemType::too_many_calls;
      add_limit(problem, refusal, "concurrentCalls");
      break;
  }
  return problem;
}

asio::awaitable<Response> refuse_call(const Exchange& exchange, Problem problem,
                                      std::optional<std::int64_t> in_the_way) {
  Response response = exchange.refuse(problem);
  Rejections* const rejections = exchange.parts.nouns.rejections;
  if (rejections == nullptr) co_return response;
  Rejection rejection;
  rejection.tenant = exchange.key.tenant->name;
  rejection.key = exchange.key.key;
  rejection.at = exchange.parts.clock.epoch_ms();
  rejection.status = static_cast<int>(response.status);
  rejection.code = entry_of(problem.type).name;
  rejection.detail = mask_numbers_in(problem.detail);
  // "3 fields are wrong" helps nobody later.
  if (problem.invalid_params.size() > 1) {
    rejection.detail.clear();
    for (const InvalidParam& wrong : problem.invalid_params) {
      rejection.detail.append(rejection.detail.empty() ? "" : "; ")
          .append(wrong.name)
          .append(" ")
          .append(wrong.reason);
    }
  }
  rejection.request_id = exchange.request.id;
  rejection.call = in_the_way;
  read_body(exchange.request.body, rejection);
  auto keeping = rejections->keep(std::move(rejection));
  co_await std::move(keeping);
  co_return response;
}

}  // namespace cc::api
