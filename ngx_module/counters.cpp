#include "counters.hpp"

#include <new>

namespace cc {

const std::array<CounterInfo, 16> counter_infos{{
    {nullptr, "accepted", "cc_callbacks_accepted_total",
     "Callbacks answered 2xx after they were stored.", &Slot::accepted},
    {nullptr, "stored_unanswered", "cc_callbacks_stored_unanswered_total",
     "Callbacks stored whose sender had gone before the answer.", &Slot::stored_unanswered},
    {"rejected", "method", "cc_callbacks_rejected_total", "Callbacks refused, by reason.",
     &Slot::rejected_method},
    {"rejected", "token", "cc_callbacks_rejected_total", nullptr, &Slot::rejected_token},
    {"rejected", "address", "cc_callbacks_rejected_total", nullptr, &Slot::rejected_address},
    {"rejected", "signature", "cc_callbacks_rejected_total", nullptr, &Slot::rejected_signature},
    {"rejected", "app", "cc_callbacks_rejected_total", nullptr, &Slot::rejected_app},
    {"rejected", "size", "cc_callbacks_rejected_total", nullptr, &Slot::rejected_size},
    {"failed", "redis_down", "cc_callbacks_failed_total",
     "Callbacks answered 503 because they could not be stored, by reason.",
     &Slot::failed_redis_down},
    {"failed", "redis_error", "cc_callbacks_failed_total", nullptr, &Slot::failed_redis_error},
    {"failed", "redis_lost", "cc_callbacks_failed_total", nullptr, &Slot::failed_redis_lost},
    {"failed", "redis_timeout", "cc_callbacks_failed_total", nullptr, &Slot::failed_redis_timeout},
    {"failed", "full", "cc_callbacks_failed_total", nullptr, &Slot::failed_full},
    {"failed", "internal", "cc_callbacks_failed_total", nullptr, &Slot::failed_internal},
    {nullptr, "unfinished", "cc_callbacks_unfinished_total",
     "Callbacks whose sender left before the whole body had arrived.", &Slot::unfinished},
    {nullptr, "reconnects", "cc_redis_reconnects_total",
     "Connections to Redis that were made after the first one of a worker.", &Slot::reconnects},
}};

namespace {

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
