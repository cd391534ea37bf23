// The body of POST /v1/calls: from JSON to a request that the rest of CC can rely on. Pure.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "call/calls.hpp"
#include "config.hpp"
#include "problem.hpp"

namespace cc::api {

/// Everything of NewCall that the body says (tenant, key and request id are the caller's), or all
/// that is wrong with it, at once. An absent mainNum becomes the tenant's.
std::variant<NewCall, Problem> read_new_call(std::string_view body, const Tenant& tenant);

}  // namespace cc::api
