// An NGINX timer as a member of what it calls.
#pragma once

#include "ngx.hpp"

namespace cc {

class Timer {
 public:
  /// Names what it calls. Cancelable: does not keep a worker that wants to leave.
  template <auto method, class T>
  void call(T* object) {
    identity_.fd = -1;
    identity_.data = object;
    event_.data = &identity_;
    event_.log = ngx_cycle->log;
    event_.cancelable = 1;
    event_.handler = [](ngx_event_t* event) noexcept {
      auto* self = static_cast<T*>(static_cast<ngx_connection_t*>(event->data)->data);
      (self->*method)();
    };
  }

  Timer() = default;
  Timer(const Timer&) = delete;
  ~Timer() { stop(); }

  /// Fires once, `delay` ms from now; set again if it is set already.
  void start(ngx_msec_t delay) noexcept {
    stop();
    ngx_add_timer(&event_, delay);
  }
  /// So that it fires `delay` ms from now at the latest.
  void start_by(ngx_msec_t delay) noexcept {
    if (!running() ||
        static_cast<ngx_msec_int_t>(event_.timer.key - (ngx_current_msec + delay)) > 0) {
      start(delay);
    }
  }
  void stop() noexcept {
    if (event_.timer_set) ngx_del_timer(&event_);
  }
  bool running() const noexcept { return event_.timer_set != 0; }
  void keeps_worker(bool keeps) noexcept { event_.cancelable = keeps ? 0 : 1; }

 private:
  ngx_connection_t identity_{};  // NGINX's debug log asks a timer's data for an fd
  ngx_event_t event_{};
};

}  // namespace cc
