// The life of a callback: read whole, verified, recorded, answered once it is stored.
#pragma once

#include "ngx.hpp"

#include "recorder.hpp"

namespace cc {

/// Content handler of a location with cc_channel.
ngx_int_t handle_callback(ngx_http_request_t* r) noexcept;

/// The recorder's word on a delivery: answers the request and finishes it.
void finish_callback(ngx_http_request_t* r, const Fate& fate) noexcept;

/// Log phase: counts what never came to a verdict (too large, sender gone).
ngx_int_t count_unfinished(ngx_http_request_t* r) noexcept;

/// $cc_verdict: "stored" (in Redis), "spooled" (on disk), or why neither. "-" outside of a
/// callback.
ngx_int_t verdict_variable(ngx_http_request_t* r, ngx_http_variable_value_t* value,
                           uintptr_t data) noexcept;

}  // namespace cc
