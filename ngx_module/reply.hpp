// Sending a short answer of our own.
#pragma once

#include "ngx.hpp"

#include <string_view>

namespace cc {

/// Adds a header; both must outlive the request.
bool add_header(ngx_http_request_t* r, std::string_view name, std::string_view value) noexcept;

/// Header and body; the result is for ngx_http_finalize_request. The texts must outlive the
/// request.
ngx_int_t send_reply(ngx_http_request_t* r, ngx_uint_t status, std::string_view content_type,
                     std::string_view body) noexcept;

}  // namespace cc
