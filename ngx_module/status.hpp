// cc_status: what the counters say, as JSON or as Prometheus' text.
#pragma once

#include "ngx.hpp"

namespace cc {

/// Content handler.
ngx_int_t handle_status(ngx_http_request_t* r) noexcept;

}  // namespace cc
