#include "worker.hpp"

#include <exception>

#include "callback.hpp"
#include "redact.hpp"

namespace cc {
namespace {

// A raw pointer: a static with a constructor would be built in the master and survive its reloads.
Worker* the_worker = nullptr;

}  // namespace

Worker::Worker(const MainSettings& settings, Slot& own_slot)
    : slot(own_slot),
      recorder(settings, own_slot, finish_callback),
      rejects(settings.rejects, own_slot, recorder.link()) {
  set(slot.pid, static_cast<std::uint64_t>(ngx_pid));
  set(slot.pending, 0);
  set(slot.pending_bytes, 0);
  set(slot.oldest_pending_ms, 0);
  set(slot.longest_stream, 0);
  delivery.source = Source::callback;
  recorder.start();
}

Worker::~Worker() {
  recorder.stop();
  set(slot.pid, 0);
}

Worker* this_worker() noexcept {
  return the_worker;
}

ngx_int_t start_worker(ngx_cycle_t* cycle) noexcept {
  if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE) return NGX_OK;
  // Null without an http{} block.
  auto* settings =
      static_cast<MainSettings*>(ngx_http_cycle_get_module_main_conf(cycle, ngx_http_cc_module));
  if (settings == nullptr) return NGX_OK;
  if (settings->has_channel || settings->hides_requests) watch_connections(cycle);
  if (!settings->has_channel) return NGX_OK;
  try {
    auto& slots = counters_in(*settings->counters).slots;
    the_worker = new Worker(*settings, slots[static_cast<std::size_t>(ngx_process_slot)]);
    return NGX_OK;
  } catch (const std::exception& e) {
    ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "cc: a worker could not start: %s", e.what());
    return NGX_ERROR;
  }
}

void stop_worker(ngx_cycle_t*) noexcept {
  delete the_worker;
  the_worker = nullptr;
}

}  // namespace cc
