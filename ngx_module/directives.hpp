// The directives' arguments: read, checked, and complained about.
#pragma once

#include "ngx.hpp"

namespace cc {

char* set_cc_redis(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_cc_stream(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_cc_limits(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_cc_spool(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_cc_rejects(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_cc_channel(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
char* set_cc_status(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;
/// cc_hide_requests on | off: error.log says nothing of requests but server and location.
char* set_cc_hide_requests(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;

/// After the whole http{} has been read: what is missing, and what follows from it.
ngx_int_t complete_settings(ngx_conf_t* cf) noexcept;

}  // namespace cc
