// What can go wrong, once and for all: the fixed part of every problem document. The OpenAPI
// document, /problems and docs/errors.md are made from it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

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
  link_invalid,
  link_expired,
  not_found,
  call_not_found,
  letter_not_found,
  agent_not_found,
  binding_not_found,
  channel_not_found,
  recording_not_ready,
  recording_none,
  problem_not_found,
  method_not_allowed,
  request_timeout,
  line_busy,
  line_offline,
  recording_gone,
  body_too_large,
  target_too_long,
  unsupported_media_type,
  range_not_satisfiable,
  expectation_failed,
  idempotency_key_reused,
  header_too_large,
  too_fast,
  too_many_calls,
  too_many_exports,
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
  std::string_view advice, advice_zh;  // what whoever gets it should do
};

const ProblemEntry& entry_of(ProblemType type) noexcept;

/// By status.
std::span<const ProblemEntry> problem_catalogue() noexcept;

/// Null where there is none of this name.
const ProblemEntry* find_problem(std::string_view name) noexcept;

}  // namespace cc::api
