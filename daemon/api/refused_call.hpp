// Refused requests for calls are kept, so that somebody can say later why a phone did not ring.
#pragma once

#include <cstdint>
#include <optional>

#include "problem.hpp"
#include "router.hpp"

namespace cc::api {

/// What is answered where a call was not made.
Problem problem_of(const Refusal& refusal, const Principal& key);

/// Keeps the refusal of a POST /v1/calls, with what can be read of its body, and answers it.
/// `in_the_way`: the call that is.
asio::awaitable<Response> refuse_call(const Exchange& exchange, Problem problem,
                                      std::optional<std::int64_t> in_the_way);

}  // namespace cc::api
