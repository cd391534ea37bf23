#include "callback.hpp"

#include <exception>
#include <type_traits>

#include "body.hpp"
#include "keys.hpp"
#include "redact.hpp"
#include "reply.hpp"
#include "settings.hpp"
#include "wall_clock.hpp"
#include "worker.hpp"

namespace cc {
namespace {

constexpr std::string_view plain = "text/plain";

/// Of one request, on its pool.
struct Context {
  std::string_view verdict;  // static storage; empty until there is one
};
static_assert(std::is_trivially_destructible_v<Context>);

Context* context_of(ngx_http_request_t* r) noexcept {
  return static_cast<Context*>(ngx_http_get_module_ctx(r, ngx_http_cc_module));
}

std::string_view last_segment(const ngx_str_t& uri) noexcept {
  auto path = view(uri);
  return path.substr(path.rfind('/') + 1);  // npos + 1 = 0
}

Counter& rejected_counter(Slot& slot, Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::bad_method:
      return slot.rejected_method;
    case Verdict::bad_token:
      return slot.rejected_token;
    case Verdict::bad_address:
      return slot.rejected_address;
    case Verdict::bad_signature:
      return slot.rejected_signature;
    case Verdict::foreign_app:
      return slot.rejected_app;
    case Verdict::too_large:
      return slot.rejected_size;
    case Verdict::accepted:
      break;
  }
  return slot.failed_internal;
}

void note_reject(ngx_http_request_t* r, const ChannelSettings& settings, std::string_view reason,
                 std::string_view body) noexcept {
  Reject reject{.reason = reason,
                .channel = settings.code,
                .address = view(r->connection->addr_text),
                .method = view(r->method_name),
                .content_type = {},
                .bytes = body.size(),
                .body = body};
  if (r->headers_in.content_type != nullptr)
    reject.content_type = view(r->headers_in.content_type->value);
  this_worker()->rejects.note(reject);
}

/// 403, 405, 413: for the sender's fault.
void reject(ngx_http_request_t* r, const ChannelSettings& settings, Verdict verdict,
            std::string_view body) noexcept {
  add(rejected_counter(this_worker()->slot, verdict));
  auto reason = to_text(verdict);
  context_of(r)->verdict = reason;
  note_reject(r, settings, reason, body);
  auto text = ngx_text(reason);
  auto code = ngx_text(settings.code);
  ngx_log_error(NGX_LOG_WARN, r->connection->log, 0, "cc: a callback of channel %V is refused: %V",
                &code, &text);
  auto status = http_status(verdict);
  if (verdict == Verdict::bad_method && !add_header(r, "Allow", "POST")) {
    return ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
  }
  ngx_http_finalize_request(r, send_reply(r, status, plain, "refused\n"));
}

/// 503: ours. `why` has static storage.
void fail(ngx_http_request_t* r, Counter& counter, std::string_view why) noexcept {
  add(counter);
  if (Context* context = context_of(r)) context->verdict = why;
  auto text = ngx_text(why);
  ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "cc: a callback could not be stored: %V",
                &text);
  if (!add_header(r, "Retry-After", "1"))
    return ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
  ngx_http_finalize_request(r, send_reply(r, NGX_HTTP_SERVICE_UNAVAILABLE, plain, "not stored\n"));
}

void fail(ngx_http_request_t* r, const Fate& fate) noexcept {
  const std::size_t trouble = index_of(fate.trouble);
  fail(r, this_worker()->slot.failed[trouble], trouble_names[trouble]);
}

/// The body is there.
void take(ngx_http_request_t* r) {
  Worker& worker = *this_worker();
  const ChannelSettings& settings = *location_settings(r).channel;
  auto body = body_of(r);
  if (!body) return fail(r, worker.slot.failed_internal, "body_unreadable_here");

  Inbound inbound;
  inbound.method = view(r->method_name);
  inbound.token = last_segment(r->uri);
  inbound.query_string = view(r->args);
  if (r->headers_in.content_type != nullptr)
    inbound.content_type = view(r->headers_in.content_type->value);
  inbound.address = view(r->connection->addr_text);
  inbound.body = *body;

  Verified verified = settings.channel->verify(inbound, settings.trust);
  if (verified.verdict != Verdict::accepted) return reject(r, settings, verified.verdict, *body);

  Delivery& delivery = worker.delivery;
  delivery.received_ms = wall_clock_ms();
  delivery.address = inbound.address;
  delivery.query_string = inbound.query_string;
  delivery.content_type = inbound.content_type;
  auto hash = partition_hash({}, verified.channel_call_id, *body);
  worker.header.clear();
  append_envelope_header(worker.header, delivery);
  auto taken =
      worker.recorder.record(r, settings, delivery.received_ms, hash, worker.header, *body);
  if (!taken.taken) return fail(r, taken.fate);
  context_of(r)->verdict = "unanswered";  // finish_callback() is next, or the request's end
}

void on_body(ngx_http_request_t* r) noexcept {
  try {
    take(r);
  } catch (const std::exception& e) {
    // Nothing has been answered yet: whatever throws does so before the request is finished.
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "cc: %s", e.what());
    fail(r, this_worker()->slot.failed_internal, "internal");
  }
}

}  // namespace

ngx_int_t handle_callback(ngx_http_request_t* r) noexcept {
  redact_log(r);
  void* memory = ngx_palloc(r->pool, sizeof(Context));
  if (memory == nullptr || this_worker() == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  ngx_http_set_ctx(r, new (memory) Context{}, ngx_http_cc_module);
  r->request_body_in_single_buf = 1;
  ngx_int_t rc = ngx_http_read_client_request_body(r, on_body);
  return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}

void finish_callback(ngx_http_request_t* r, const Fate& fate) noexcept {
  ngx_connection_t* connection = r->connection;
  if (fate.stored) {
    add(this_worker()->slot.accepted);
    context_of(r)->verdict = fate.trouble == Trouble::none ? "stored" : "spooled";
    const Answer& answer = location_settings(r).channel->answer;
    ngx_http_finalize_request(r, send_reply(r, NGX_HTTP_OK, answer.content_type, answer.body));
  } else {
    fail(r, fate);
  }
  // We are not inside an event of this connection, so nobody else does.
  ngx_http_run_posted_requests(connection);
}

ngx_int_t count_unfinished(ngx_http_request_t* r) noexcept {
  if (location_settings(r).channel == nullptr || this_worker() == nullptr) return NGX_OK;
  Context* context = context_of(r);
  if (context != nullptr && !context->verdict.empty()) return NGX_OK;
  ngx_uint_t status = r->err_status != 0 ? r->err_status : r->headers_out.status;
  Slot& slot = this_worker()->slot;
  if (status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
    add(slot.rejected_size);
    note_reject(r, *location_settings(r).channel, to_text(Verdict::too_large), {});
  } else {
    add(slot.unfinished);
  }
  return NGX_OK;
}

ngx_int_t verdict_variable(ngx_http_request_t* r, ngx_http_variable_value_t* value,
                           uintptr_t) noexcept {
  Context* context = context_of(r);
  std::string_view text = "-";
  if (context != nullptr && !context->verdict.empty()) {
    text = context->verdict;
  } else if (location_settings(r).channel != nullptr) {
    ngx_uint_t status = r->err_status != 0 ? r->err_status : r->headers_out.status;
    text = status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE ? to_text(Verdict::too_large) : "unfinished";
  }
  value->data = ngx_text(text).data;
  value->len = static_cast<unsigned>(text.size()) & 0xfffffffU;
  value->valid = 1;
  value->no_cacheable = 1;
  value->not_found = 0;
  return NGX_OK;
}

}  // namespace cc
