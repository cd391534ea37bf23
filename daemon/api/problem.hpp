// The errors that the API answers: RFC 9457 problem documents, all from one catalogue.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "message.hpp"

namespace cc::api {

enum class ProblemType : std::uint8_t {
  malformed_request,
  invalid_request,
  no_line,
  unknown_channel,
  channel_unable,
  unauthorized,
  missing_scope,
  address_not_allowed,
  tenant_disabled,
  not_found,
  call_not_found,
  letter_not_found,
  agent_not_found,
  binding_not_found,
  channel_not_found,
  method_not_allowed,
  request_timeout,
  line_busy,
  line_offline,
  body_too_large,
  target_too_long,
  unsupported_media_type,
  expectation_failed,
  idempotency_key_reused,
  header_too_large,
  too_fast,
  too_many_calls,
  internal_error,
  channel_refused,
  storage_unavailable,
  no_channel,
  not_ready,
  no_agents_key,
  overloaded,
  outcome_unknown,
};

/// What is fixed of a problem.
struct ProblemEntry {
  ProblemType type;
  std::string_view name;  // its `type` is "/problems/<name>"
  unsigned status;
  std::string_view title, title_zh;
  bool retryable;        // whether the same request may succeed later, and does no harm
  unsigned retry_after;  // seconds; 0 = none
  std::string_view advice{}, advice_zh{};  // what whoever gets it should do
};

const ProblemEntry& entry_of(ProblemType type) noexcept;
std::span<const ProblemEntry> problem_catalogue() noexcept;

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
  std::optional<bool> retryable{};        // where this occurrence differs from its entry
  std::optional<unsigned> retry_after{};  // likewise, seconds
};

/// The document; `request_id` becomes its `instance`.
std::string to_json(const Problem& problem, std::string_view request_id);

Response to_response(const Problem& problem, std::string_view request_id);

}  // namespace cc::api
