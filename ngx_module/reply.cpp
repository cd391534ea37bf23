#include "reply.hpp"

namespace cc {

bool add_header(ngx_http_request_t* r, std::string_view name, std::string_view value) noexcept {
  auto* header = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers));
  if (header == nullptr) return false;
  *header = ngx_table_elt_t{};
  header->hash = 1;
  header->key = ngx_text(name);
  header->value = ngx_text(value);
  return true;
}

ngx_int_t send_reply(ngx_http_request_t* r, ngx_uint_t status, std::string_view content_type,
                     std::string_view body) noexcept {
  auto* buffer = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
  if (buffer == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  r->headers_out.status = status;
  r->headers_out.content_type = ngx_text(content_type);
  r->headers_out.content_type_len = content_type.size();
  r->headers_out.content_length_n = static_cast<off_t>(body.size());

  ngx_int_t rc = ngx_http_send_header(r);
  if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) return rc;

  buffer->pos = ngx_text(body).data;
  buffer->last = buffer->pos + body.size();
  buffer->memory = !body.empty();
  buffer->last_buf = r == r->main;
  buffer->last_in_chain = 1;
  ngx_chain_t out{buffer, nullptr};
  return ngx_http_output_filter(r, &out);
}

}  // namespace cc
