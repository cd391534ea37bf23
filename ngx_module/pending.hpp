// A delivery that waits for Redis' answer.
#pragma once

#include "ngx.hpp"

#include <cstdint>
#include <type_traits>

namespace cc {

/// How an append ended.
enum class Outcome : std::uint8_t {
  stored,    // Redis has answered with the entry's id
  refused,   // Redis answered an error: not stored
  lost,      // the connection ended before the answer; may be stored
  too_late,  // the deadline passed before the answer; may be stored
};

/// Owned by the link, from the append until its outcome has been delivered: never on the request's
/// pool, because a request can end first (its cleanup then sets `request` to null).
struct Pending {
  ngx_queue_t queue;            // in the link's `waiting_`, `done_` or `unused_`
  ngx_http_request_t* request;  // null: the request has ended, only count
  ngx_http_cleanup_t* cleanup;  // of the request; disarmed before the outcome is delivered
  ngx_msec_t deadline;          // in ngx_current_msec
  std::int64_t since_ms;        // wall clock, for the status page
  std::size_t bytes;            // of the command
  Outcome outcome;
};

static_assert(std::is_trivial_v<Pending>);

inline Pending* pending_at(ngx_queue_t* place) noexcept {
  return (ngx_queue_data(place, Pending, queue));
}

// NGINX's macros are several statements each.
inline void append_to(ngx_queue_t& list, Pending& pending) noexcept {
  ngx_queue_insert_tail(&list, &pending.queue);
}

inline void put_first(ngx_queue_t& list, Pending& pending) noexcept {
  ngx_queue_insert_head(&list, &pending.queue);
}

}  // namespace cc
