// The call that a path names: /v1/calls/{callId}….
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "router.hpp"

namespace cc::api {

/// By the path's first parameter; the trace learns of it.
std::optional<std::int64_t> call_of(Exchange& exchange);

/// Whether a text is a call's id that logs may show: what is shorter could be a number.
bool is_call_id(std::string_view text) noexcept;

Response no_such_call(const Exchange& exchange);

}  // namespace cc::api
