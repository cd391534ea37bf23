// What NGINX knows of us: directives, configuration objects, hooks. In the order of NGINX's own
// modules.
#include "ngx.hpp"

#include <cstddef>

#include "callback.hpp"
#include "directives.hpp"
#include "redact.hpp"
#include "settings.hpp"
#include "worker.hpp"

namespace cc {
namespace {

ngx_int_t add_variables(ngx_conf_t* cf) noexcept;
ngx_int_t add_handlers(ngx_conf_t* cf) noexcept;
void* create_main_settings(ngx_conf_t* cf) noexcept;
void* create_location_settings(ngx_conf_t* cf) noexcept;
char* merge_location_settings(ngx_conf_t* cf, void* parent, void* child) noexcept;

ngx_command_t commands[] = {
    {ngx_string("cc_redis"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, set_cc_redis,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},
    {ngx_string("cc_stream"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, set_cc_stream,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},
    {ngx_string("cc_limits"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, set_cc_limits,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},
    {ngx_string("cc_spool"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, set_cc_spool,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},
    {ngx_string("cc_rejects"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, set_cc_rejects,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},
    {ngx_string("cc_channel"), NGX_HTTP_LOC_CONF | NGX_CONF_1MORE, set_cc_channel,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("cc_status"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS | NGX_CONF_TAKE1, set_cc_status,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("cc_hide_requests"),
     NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_FLAG,
     set_cc_hide_requests, NGX_HTTP_LOC_CONF_OFFSET, offsetof(LocationSettings, hides_requests),
     nullptr},
    ngx_null_command,
};

ngx_http_module_t context = {
    add_variables,             // preconfiguration
    add_handlers,              // postconfiguration
    create_main_settings,      // create main configuration
    nullptr,                   // init main configuration
    nullptr,                   // create server configuration
    nullptr,                   // merge server configuration
    create_location_settings,  // create location configuration
    merge_location_settings,   // merge location configuration
};

ngx_int_t add_variables(ngx_conf_t* cf) noexcept {
  ngx_str_t name = ngx_string("cc_verdict");
  ngx_http_variable_t* variable = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
  if (variable == nullptr) return NGX_ERROR;
  variable->get_handler = verdict_variable;
  return NGX_OK;
}

bool add_phase_handler(ngx_conf_t* cf, ngx_http_phases phase,
                       ngx_http_handler_pt handler) noexcept {
  auto* core = static_cast<ngx_http_core_main_conf_t*>(
      ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
  auto* place = static_cast<ngx_http_handler_pt*>(ngx_array_push(&core->phases[phase].handlers));
  if (place == nullptr) return false;
  *place = handler;
  return true;
}

ngx_int_t add_handlers(ngx_conf_t* cf) noexcept {
  if (complete_settings(cf) != NGX_OK) return NGX_ERROR;
  const MainSettings& main = *main_settings(cf);
  if ((main.has_channel || main.hides_requests) &&
      !add_phase_handler(cf, NGX_HTTP_POST_READ_PHASE, watch_log)) {
    return NGX_ERROR;
  }
  if (main.has_channel && !add_phase_handler(cf, NGX_HTTP_LOG_PHASE, count_unfinished)) {
    return NGX_ERROR;
  }
  return NGX_OK;
}

void* create_main_settings(ngx_conf_t* cf) noexcept {
  return make_in_pool<MainSettings>(cf->pool);
}

void* create_location_settings(ngx_conf_t* cf) noexcept {
  auto* location = static_cast<LocationSettings*>(ngx_pcalloc(cf->pool, sizeof(LocationSettings)));
  if (location != nullptr) location->hides_requests = NGX_CONF_UNSET;
  return location;
}

/// A location inside another does not inherit what answers it, but the blocks of "if" and
/// "limit_except" are the same location.
char* merge_location_settings(ngx_conf_t* cf, void* parent, void* child) noexcept {
  auto* outer = static_cast<LocationSettings*>(parent);
  auto* inner = static_cast<LocationSettings*>(child);
  ngx_conf_merge_value(inner->hides_requests, outer->hides_requests, 0);
  auto* core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
  if ((core->noname || core->lmt_excpt) && inner->channel == nullptr && core->handler == nullptr &&
      outer->channel != nullptr) {
    inner->channel = outer->channel;
    core->handler = handle_callback;
  }
  return NGX_CONF_OK;
}

}  // namespace
}  // namespace cc

ngx_module_t ngx_http_cc_module = {
    // extern "C" by ngx.hpp
    NGX_MODULE_V1,
    &cc::context,      // module context
    cc::commands,      // module directives
    NGX_HTTP_MODULE,   // module type
    nullptr,           // init master
    nullptr,           // init module
    cc::start_worker,  // init process
    nullptr,           // init thread
    nullptr,           // exit thread
    cc::stop_worker,   // exit process
    nullptr,           // exit master
    NGX_MODULE_V1_PADDING,
};
