// What happened, counted in shared memory over all workers. Each worker writes to its own slot
// only, so no two ever contend; a reader adds them up. A slot outlives its worker: the next one
// that gets it counts on.
#pragma once

#include "ngx.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "trouble.hpp"

namespace cc {

using Counter = std::atomic<std::uint64_t>;
static_assert(Counter::is_always_lock_free);

/// Only the slot's own worker adds, so no locked instruction is needed.
inline void add(Counter& counter, std::uint64_t n = 1) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

inline void set(Counter& gauge, std::uint64_t value) noexcept {
  gauge.store(value, std::memory_order_relaxed);
}

enum class LinkState : std::uint64_t { down, connecting, up };

struct alignas(64) Slot {
  // Cumulative.
  Counter accepted;           // answered 2xx, after it was stored
  Counter stored_unanswered;  // stored, but the sender had gone
  Counter rejected_method;
  Counter rejected_token;
  Counter rejected_address;
  Counter rejected_signature;
  Counter rejected_app;
  Counter rejected_size;
  std::array<Counter, trouble_names.size()> spooled;  // by why Redis did not take it
  std::array<Counter, trouble_names.size()> failed;   // answered 503, by the same
  Counter failed_internal;
  Counter unfinished;  // the sender left, or was too slow, before the whole body was there
  Counter rejects_unrecorded;
  Counter reconnects;
  Counter replayed;
  Counter replay_refused;
  Counter spool_errors;
  Counter spool_damaged;
  // Gauges of the living worker.
  Counter pid;  // 0: no worker
  Counter link;
  Counter pending;
  Counter pending_bytes;
  Counter oldest_pending_ms;  // wall clock of the oldest pending's arrival; 0 if none
  Counter longest_stream;     // entries, as of the last look
};

/// A described cumulative counter.
struct CounterInfo {
  const char* group;  // JSON: an object of that name; null: at top level
  const char* name;
  const char* metric;
  const char* help;  // null: the metric was described just before
  const Counter& (*value)(const Slot&);
};

/// Those of a group stand together.
std::span<const CounterInfo> counter_infos() noexcept;

struct Counters {
  // One for each process that a master can have at a time, old generations included.
  std::array<Slot, NGX_MAX_PROCESSES> slots;
};

/// Declares the zone while the configuration is read; it is kept over reloads. Null on failure
/// (logged).
ngx_shm_zone_t* declare_counters(ngx_conf_t* cf);

/// Of a zone that has been initialised.
Counters& counters_in(const ngx_shm_zone_t& zone) noexcept;

}  // namespace cc
