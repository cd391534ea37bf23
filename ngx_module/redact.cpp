#include "redact.hpp"

#include <span>

#include "settings.hpp"

namespace cc {
namespace {

// NGINX's own handlers, the same for all; learned from the first one met, as their symbols are
// static.
ngx_log_handler_pt connection_context = nullptr;
ngx_http_log_handler_pt whole_context = nullptr;

/// In place of `, request: "POST /callback/e9/<token> HTTP/1.1", host: …`.
u_char* redacted_context(ngx_http_request_t* r, ngx_http_request_t*, u_char* buffer,
                         std::size_t length) {
  u_char* last = buffer + length;
  auto* server =
      static_cast<ngx_http_core_srv_conf_t*>(ngx_http_get_module_srv_conf(r, ngx_http_core_module));
  auto* location =
      static_cast<ngx_http_core_loc_conf_t*>(ngx_http_get_module_loc_conf(r, ngx_http_core_module));
  return ngx_slprintf(buffer, last, ", server: %V, location: \"%V\"", &server->server_name,
                      &location->name);
}

/// While headers are read.
u_char* early_context(ngx_http_request_t* r, ngx_http_request_t*, u_char* buffer,
                      std::size_t length) {
  auto* server =
      static_cast<ngx_http_core_srv_conf_t*>(ngx_http_get_module_srv_conf(r, ngx_http_core_module));
  return ngx_slprintf(buffer, buffer + length, ", server: %V", &server->server_name);
}

/// Once phases run.
u_char* watched_context(ngx_http_request_t* r, ngx_http_request_t* sub, u_char* buffer,
                        std::size_t length) {
  const LocationSettings& location = location_settings(r);
  if (location.channel == nullptr && location.hides_requests != 1) {
    return whole_context(r, sub, buffer, length);
  }
  r->log_handler = redacted_context;
  return redacted_context(r, sub, buffer, length);
}

bool is_ours(ngx_http_log_handler_pt handler) noexcept {
  return handler == redacted_context || handler == early_context || handler == watched_context;
}

/// NGINX's own, but for the handler of a request that has not come to its phases.
u_char* watched_connection_context(ngx_log_t* log, u_char* buffer, std::size_t length) {
  auto* context = static_cast<ngx_http_log_ctx_t*>(log->data);
  if (ngx_http_request_t* r = context->request; r != nullptr && !is_ours(r->log_handler)) {
    whole_context = r->log_handler;
    r->log_handler = early_context;
  }
  return connection_context(log, buffer, length);
}

void init_connection(ngx_connection_t* connection) {
  ngx_http_init_connection(connection);
  // It may have been served and closed in there, and its log with it.
  if (connection->destroyed || connection->fd == static_cast<ngx_socket_t>(-1)) return;
  ngx_log_t* log = connection->log;
  if (log->handler == nullptr || log->handler == watched_connection_context) return;
  connection_context = log->handler;
  log->handler = watched_connection_context;
}

}  // namespace

void watch_connections(ngx_cycle_t* cycle) noexcept {
  std::span listening(static_cast<ngx_listening_t*>(cycle->listening.elts), cycle->listening.nelts);
  for (ngx_listening_t& socket : listening) {
    if (socket.handler == ngx_http_init_connection) socket.handler = init_connection;
  }
}

ngx_int_t watch_log(ngx_http_request_t* r) noexcept {
  if (r != r->main || r->log_handler == redacted_context) return NGX_DECLINED;
  if (!is_ours(r->log_handler)) whole_context = r->log_handler;
  r->log_handler = watched_context;
  return NGX_DECLINED;
}

void redact_log(ngx_http_request_t* r) noexcept {
  r->main->log_handler = redacted_context;
}

}  // namespace cc
