#include "body.hpp"

namespace cc {
namespace {

std::string_view in_memory(const ngx_buf_t* buffer) noexcept {
  return {reinterpret_cast<const char*>(buffer->pos),
          static_cast<std::size_t>(buffer->last - buffer->pos)};
}

/// Copies a buffer to `to`; its file is one that we have just written, so in the page cache.
bool copy(ngx_buf_t* buffer, u_char* to) noexcept {
  if (ngx_buf_in_memory(buffer)) {
    auto bytes = in_memory(buffer);
    ngx_memcpy(to, bytes.data(), bytes.size());
    return true;
  }
  off_t at = buffer->file_pos;
  while (at < buffer->file_last) {
    ssize_t n =
        ngx_read_file(buffer->file, to, static_cast<std::size_t>(buffer->file_last - at), at);
    if (n <= 0) return false;
    at += n;
    to += n;
  }
  return true;
}

}  // namespace

std::optional<std::string_view> body_of(ngx_http_request_t* r) noexcept {
  if (r->request_body == nullptr || r->request_body->bufs == nullptr) return std::string_view{};
  ngx_chain_t* first = r->request_body->bufs;
  if (first->next == nullptr && ngx_buf_in_memory(first->buf)) return in_memory(first->buf);

  std::size_t total = 0;
  for (ngx_chain_t* link = first; link != nullptr; link = link->next) {
    total += static_cast<std::size_t>(ngx_buf_size(link->buf));
  }
  if (total == 0) return std::string_view{};
  auto* whole = static_cast<u_char*>(ngx_pnalloc(r->pool, total));
  if (whole == nullptr) return std::nullopt;
  u_char* to = whole;
  for (ngx_chain_t* link = first; link != nullptr; link = link->next) {
    if (!copy(link->buf, to)) return std::nullopt;
    to += ngx_buf_size(link->buf);
  }
  return std::string_view{reinterpret_cast<const char*>(whole), total};
}

}  // namespace cc
