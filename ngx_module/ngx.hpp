// NGINX's headers for C++. Included first wherever an ngx_* name is used.
#pragma once

extern "C" {
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
}

#include <string_view>

extern "C" ngx_module_t ngx_http_cc_module;

namespace cc {

inline std::string_view view(const ngx_str_t& text) noexcept {
  return {reinterpret_cast<const char*>(text.data), text.len};
}

/// For NGINX's many non-const parameters; what it points to is not written to.
inline ngx_str_t ngx_text(std::string_view text) noexcept {
  return {text.size(), reinterpret_cast<u_char*>(const_cast<char*>(text.data()))};
}

}  // namespace cc
