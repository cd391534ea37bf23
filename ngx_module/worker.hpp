// What one worker process owns: made in init_process, gone in exit_process.
#pragma once

#include "ngx.hpp"

#include "envelope.hpp"
#include "recorder.hpp"
#include "rejects.hpp"

namespace cc {

struct Worker {
  Worker(const MainSettings& settings, Slot& own_slot);
  ~Worker();

  Slot& slot;
  Recorder recorder;
  Rejects rejects;
  // Scratch of a callback, kept so that its memory is.
  Delivery delivery;
  std::string header;
};

/// Null in the master, in helper processes and where no cc_channel is used.
Worker* this_worker() noexcept;

/// For NGINX's hooks of the same names.
ngx_int_t start_worker(ngx_cycle_t* cycle) noexcept;
void stop_worker(ngx_cycle_t* cycle) noexcept;

}  // namespace cc
