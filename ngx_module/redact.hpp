// Keeps paths, arguments and headers of callbacks out of error.log: the path ends in a secret, and
// arguments may hold phone numbers; and those of the API, where cc_hide_requests says so.
//
// NGINX ends a line about a request with what the request's log_handler writes. Until the location
// is known, any request may be a callback, so its request line is left out; from then on only
// callbacks' are.
#pragma once

#include "ngx.hpp"

namespace cc {

/// In a worker, before it accepts: lines about requests whose headers are not read yet. Those NGINX
/// writes at level `info` only, such as for a malformed header or a sender that leaves.
void watch_connections(ngx_cycle_t* cycle) noexcept;

/// Post-read phase, for every request: from here on a line is redacted if, when it is written, the
/// location has a cc_channel or hides its requests. So early, because NGINX itself logs an
/// oversized body before any handler of the location runs.
ngx_int_t watch_log(ngx_http_request_t* r) noexcept;

/// For the rest of this request, whatever location an error_page takes it to.
void redact_log(ngx_http_request_t* r) noexcept;

}  // namespace cc
