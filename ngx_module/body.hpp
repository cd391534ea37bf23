// A request's body as one view.
#pragma once

#include "ngx.hpp"

#include <optional>
#include <string_view>

namespace cc {

/// After ngx_http_read_client_request_body: memory, file or both. Valid as long as the request.
/// Nothing where memory is out or the file cannot be read (logged).
std::optional<std::string_view> body_of(ngx_http_request_t* r) noexcept;

}  // namespace cc
