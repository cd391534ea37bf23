#include "call_path.hpp"

namespace cc::api {
namespace {

constexpr std::int64_t first_call_id = 10'000'000'000'000'000;  // 17 digits: ours have no fewer

}  // namespace

bool is_call_id(std::string_view text) noexcept {
  const auto call = parse_call_id(text);
  return call && *call >= first_call_id;
}

std::optional<std::int64_t> call_of(Exchange& exchange) {
  const std::string& text = exchange.parameters.front();
  if (is_call_id(text)) exchange.trace.call = text;
  return parse_call_id(text);
}

Response no_such_call(const Exchange& exchange) {
  Problem problem;
  problem.type = ProblemType::call_not_found;
  problem.detail = "No call of yours has this id.";
  return exchange.refuse(problem);
}

}  // namespace cc::api
