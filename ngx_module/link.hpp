// One worker's connection to Redis on NGINX's event loop.
//
// Ownership. hiredis owns the socket, the link owns everything else: NGINX's connection around the
// socket, the timers, the pendings. Who frees the context: hiredis when it meets an error (even
// before the connect callback's caller returns), we by redisAsyncFree on a deadline, a failed
// greeting or at the end; both ways lead through on_cleanup(), which sets `redis_` to null. So
// after any call into hiredis the context is asked for again, never kept.
//
// Invariant: while anything is pending, the deadline timer is armed and not cancelable; otherwise
// no timer of ours keeps a worker that wants to leave.
#pragma once

#include "ngx.hpp"

#include <memory>
#include <string_view>
#include <vector>

#include "counters.hpp"
#include "pending.hpp"
#include "settings.hpp"

struct redisAsyncContext;

namespace cc {

class Link {
 public:
  enum class Append { taken, down, full };

  /// Called once for each append that was taken and whose request still lives, outside of hiredis.
  using Deliver = void (*)(ngx_http_request_t* request, Outcome outcome);

  /// Settings and slot must outlive the link; a cycle's settings outlive its worker.
  Link(const RedisSettings& settings, Limits limits, Slot& slot, Deliver deliver);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link();

  void start();

  /// For exit_process: closes without delivering anything, as the requests' connections go too.
  void stop();

  /// One command whose only answer tells whether it is stored. Leaves with all others of this tick
  /// of the loop in one write. Throws std::bad_alloc.
  Append append(std::string_view command, ngx_http_request_t* request);

 private:
  enum class State { down, connecting, greeting, up, closed };

  void connect();
  bool attach();
  void greet();
  void connected(int status);
  void greeted(const char* error);
  void on_cleanup();
  void readable();
  void writable();
  void want_read(bool wanted);
  void want_write();
  void unwant_write();
  void retry_timer_fired();
  void deadline_fired();
  void retry_later();
  void drop(Outcome reason);
  void settle();
  void answered(Pending* pending, Outcome outcome);
  void complain(const char* what, std::string_view why);
  void enter(State state);
  void note_oldest();
  Pending* take_unused();
  void release(Pending* pending);

  static Link* of(void* event_data);

  const RedisSettings& settings_;
  const Limits limits_;
  Slot& slot_;
  const Deliver deliver_;

  State state_ = State::down;
  redisAsyncContext* redis_ = nullptr;
  ngx_connection_t* connection_ = nullptr;  // null whenever redis_ is
  unsigned failures_ = 0;                   // in a row, for the backoff
  bool give_up_ = false;                    // the greeting failed: free the context in settle()
  char last_complaint_[128] = "";
  Outcome losing_ = Outcome::lost;  // what answers that never came mean just now

  ngx_connection_t timer_identity_{};  // NGINX's debug log asks a timer's data for an fd
  ngx_event_t retry_timer_{};     // to connect again; while connecting and greeting its deadline
  ngx_event_t deadline_timer_{};  // of the oldest pending

  ngx_queue_t waiting_;  // in the order of their commands, which is that of the answers
  ngx_queue_t done_;     // outcome known, to be delivered by settle()
  ngx_queue_t unused_;
  std::size_t pending_count_ = 0;
  std::size_t pending_bytes_ = 0;
  std::vector<std::unique_ptr<Pending[]>> blocks_;
};

}  // namespace cc
