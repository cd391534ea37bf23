// The errors that the API answers: RFC 9457 problem documents, all from one catalogue.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "message.hpp"
#include "problem_catalogue.hpp"

namespace cc::api {

struct InvalidParam {
  std::string name;    // "maxDuration", "called.callId", "header Idempotency-Key", …
  std::string reason;  // never repeats the value
};

/// One occurrence. `detail` holds no whole number of a customer and no secret.
struct Problem {
  ProblemType type = ProblemType::internal_error;
  std::string detail;
  std::vector<InvalidParam> invalid_params;                    // always shown with status 400
  std::optional<std::int64_t> call;                            // the call that it is about
  std::vector<std::pair<std::string, std::string>> members{};  // further members, texts
  std::optional<bool> retryable{};            // where this occurrence differs from its entry
  std::optional<unsigned> retry_after{};      // likewise, seconds
  std::optional<std::int64_t> expected_at{};  // when there should be something; epoch ms
};

/// The document; `request_id` becomes its `instance`.
std::string to_json(const Problem& problem, std::string_view request_id);

Response to_response(const Problem& problem, std::string_view request_id);

}  // namespace cc::api
