#include "counters.hpp"

#include <new>

namespace cc {

namespace {

template <Counter Slot::*member>
const Counter& one(const Slot& slot) noexcept {
  return slot.*member;
}

template <Trouble trouble>
const Counter& spooled(const Slot& slot) noexcept {
  return slot.spooled[index_of(trouble)];
}

template <Trouble trouble>
const Counter& failed(const Slot& slot) noexcept {
  return slot.failed[index_of(trouble)];
}

constexpr const char* rejected_metric = "cc_callbacks_rejected_total";
constexpr const char* spooled_metric = "cc_callbacks_spooled_total";
constexpr const char* failed_metric = "cc_callbacks_failed_total";

constexpr CounterInfo infos[] = {
    {nullptr, "accepted", "cc_callbacks_accepted_total",
     "Callbacks answered 2xx after they were stored, in Redis or in the spool.",
     one<&Slot::accepted>},
    {nullptr, "stored_unanswered", "cc_callbacks_stored_unanswered_total",
     "Callbacks stored whose sender had gone before the answer.", one<&Slot::stored_unanswered>},
    {"rejected", "method", rejected_metric, "Callbacks refused, by reason.",
     one<&Slot::rejected_method>},
    {"rejected", "token", rejected_metric, nullptr, one<&Slot::rejected_token>},
    {"rejected", "address", rejected_metric, nullptr, one<&Slot::rejected_address>},
    {"rejected", "signature", rejected_metric, nullptr, one<&Slot::rejected_signature>},
    {"rejected", "app", rejected_metric, nullptr, one<&Slot::rejected_app>},
    {"rejected", "size", rejected_metric, nullptr, one<&Slot::rejected_size>},
    {"spooled", "redis_down", spooled_metric,
     "Callbacks written to the spool, by why Redis did not take them.",
     spooled<Trouble::redis_down>},
    {"spooled", "redis_error", spooled_metric, nullptr, spooled<Trouble::redis_error>},
    {"spooled", "redis_lost", spooled_metric, nullptr, spooled<Trouble::redis_lost>},
    {"spooled", "redis_timeout", spooled_metric, nullptr, spooled<Trouble::redis_timeout>},
    {"spooled", "full", spooled_metric, nullptr, spooled<Trouble::full>},
    {"spooled", "stream_full", spooled_metric, nullptr, spooled<Trouble::stream_full>},
    {"failed", "redis_down", failed_metric,
     "Callbacks answered 503 because neither Redis nor the spool took them, by Redis' reason.",
     failed<Trouble::redis_down>},
    {"failed", "redis_error", failed_metric, nullptr, failed<Trouble::redis_error>},
    {"failed", "redis_lost", failed_metric, nullptr, failed<Trouble::redis_lost>},
    {"failed", "redis_timeout", failed_metric, nullptr, failed<Trouble::redis_timeout>},
    {"failed", "full", failed_metric, nullptr, failed<Trouble::full>},
    {"failed", "stream_full", failed_metric, nullptr, failed<Trouble::stream_full>},
    {"failed", "internal", failed_metric, nullptr, one<&Slot::failed_internal>},
    {nullptr, "unfinished", "cc_callbacks_unfinished_total",
     "Callbacks whose sender left before the whole body had arrived.", one<&Slot::unfinished>},
    {nullptr, "rejects_unrecorded", "cc_rejects_unrecorded_total",
     "Refused callbacks that the stream of rejects does not hold: too many at once, or no Redis.",
     one<&Slot::rejects_unrecorded>},
    {nullptr, "reconnects", "cc_redis_reconnects_total",
     "Connections to Redis that were made after the first one of a worker.",
     one<&Slot::reconnects>},
    {nullptr, "replayed", "cc_spool_replayed_total",
     "Spooled callbacks that Redis has taken since.", one<&Slot::replayed>},
    {nullptr, "replay_refused", "cc_spool_replay_refused_total",
     "Batches of spooled callbacks that Redis did not take; they are sent again.",
     one<&Slot::replay_refused>},
    {nullptr, "spool_errors", "cc_spool_errors_total",
     "Writes to the spool that failed: disk full, read-only, fdatasync.", one<&Slot::spool_errors>},
    {nullptr, "spool_damaged", "cc_spool_damaged_total",
     "Damaged or torn entries, and unreadable files, that replaying has met.",
     one<&Slot::spool_damaged>},
};

/// After the zone is mapped, in the master; `previous` is the table of the cycle before, if any.
ngx_int_t init_zone(ngx_shm_zone_t* zone, void* previous) noexcept {
  if (previous != nullptr) {
    zone->data = previous;
    return NGX_OK;
  }
  auto* pool = reinterpret_cast<ngx_slab_pool_t*>(zone->shm.addr);
  if (zone->shm.exists) {
    zone->data = pool->data;
    return NGX_OK;
  }
  void* memory = ngx_slab_calloc(pool, sizeof(Counters));
  if (memory == nullptr) return NGX_ERROR;
  zone->data = pool->data = new (memory) Counters{};
  return NGX_OK;
}

}  // namespace

std::span<const CounterInfo> counter_infos() noexcept {
  return infos;
}

ngx_shm_zone_t* declare_counters(ngx_conf_t* cf) {
  ngx_str_t name = ngx_string("cc_counters");
  // The slab's own book-keeping takes a few pages of it.
  std::size_t size = sizeof(Counters) + 32 * ngx_pagesize;
  ngx_shm_zone_t* zone = ngx_shared_memory_add(cf, &name, size, &ngx_http_cc_module);
  if (zone != nullptr) zone->init = init_zone;
  return zone;
}

Counters& counters_in(const ngx_shm_zone_t& zone) noexcept {
  return *static_cast<Counters*>(zone.data);
}

}  // namespace cc
