// A delivery on its way to Redis or to the spool.
#pragma once

#include "ngx.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "trouble.hpp"

namespace cc {

/// Owned by a PendingPool, from the delivery's arrival until its fate is known: never on the
/// request's pool, because a request can end first (its cleanup then sets `request` to null) and
/// what had arrived whole is stored all the same.
struct Pending {
  ngx_queue_t queue{};                    // in a list of whoever has it just now
  ngx_http_request_t* request = nullptr;  // null: the sender has gone, or it is being replayed
  ngx_http_cleanup_t* cleanup = nullptr;  // of the request; disarmed before it is answered
  ngx_msec_t deadline = 0;                // in ngx_current_msec, of Redis' answer
  std::int64_t received_ms = 0;
  std::uint32_t partition_hash = 0;
  unsigned partition = 0;
  Trouble trouble = Trouble::none;  // Redis' last
  bool stored = false;              // in Redis or in the spool
  bool replayed = false;            // it is in a spool file already
  bool spool_failed = false;        // no further try there
  std::string_view channel;         // its code; lives as long as the cycle. Not set for a replay
  std::string command;          // XADD …, in Redis' protocol; its memory is kept for the next one
  std::size_t envelope_at = 0;  // in `command`
  std::size_t envelope_size = 0;

  std::string_view envelope() const noexcept {
    return std::string_view(command).substr(envelope_at, envelope_size);
  }
};

/// One worker's pendings.
class PendingPool {
 public:
  PendingPool() { ngx_queue_init(&unused_); }
  PendingPool(const PendingPool&) = delete;

  /// As good as new but for the command's memory. Throws std::bad_alloc.
  Pending& take();
  /// Not in any list any more.
  void give_back(Pending& pending) noexcept;

 private:
  ngx_queue_t unused_;
  std::vector<std::unique_ptr<Pending[]>> blocks_;
};

/// A list of pendings; does not own them.
class PendingList {
 public:
  PendingList() { ngx_queue_init(&head_); }
  PendingList(const PendingList&) = delete;

  bool empty() const noexcept { return ngx_queue_empty(&head_); }
  Pending& front() noexcept { return at(ngx_queue_head(&head_)); }
  void push_back(Pending& pending) noexcept;
  Pending& pop_front() noexcept;
  void remove(Pending& pending) noexcept { ngx_queue_remove(&pending.queue); }
  /// All of `other`, which is empty afterwards, behind ours.
  void append(PendingList& other) noexcept;
  /// The first that `matches`, or null.
  template <class Matches>
  Pending* first(Matches matches) noexcept {
    for (ngx_queue_t* q = ngx_queue_head(&head_); q != &head_; q = ngx_queue_next(q)) {
      if (matches(at(q))) return &at(q);
    }
    return nullptr;
  }

 private:
  static Pending& at(ngx_queue_t* place) noexcept {
    return *(ngx_queue_data(place, Pending, queue));
  }
  ngx_queue_t head_;
};

}  // namespace cc
