// What the directives say. Settings live on the configuration's pool, so as long as their cycle;
// a worker reads them and never changes them.
#pragma once

#include "ngx.hpp"

#include <new>
#include <string>
#include <utility>
#include <vector>

#include "channel.hpp"
#include "counters.hpp"

namespace cc {

/// cc_redis. Names are resolved when the configuration is read, so that no worker ever waits for
/// DNS.
struct RedisSettings {
  std::string unix_path;  // empty: TCP
  std::string host;       // a numeric address
  int port = 0;
  std::string shown;  // as it stands in the configuration, for messages
  std::string password;
  ngx_msec_t timeout = 200;  // for an entry's answer, from its append
};

/// cc_limits: what one worker may have waiting for Redis.
struct Limits {
  std::size_t pending = 8192;
  std::size_t bytes = 64 * 1024 * 1024;
};

/// cc_spool.
struct SpoolSettings {
  std::string directory;                                             // empty: no spool
  std::uint64_t most_bytes = std::uint64_t{4} * 1024 * 1024 * 1024;  // of all workers' files
  unsigned replay_per_second = 2000;                                 // entries, by one worker
};

/// cc_rejects.
struct RejectsSettings {
  std::string key = "cc:rejects";
  unsigned most = 10'000;  // entries kept, about; 0: none
};

/// http{}.
struct MainSettings {
  bool redis_given = false;
  bool stream_given = false;
  bool limits_given = false;
  bool spool_given = false;
  bool rejects_given = false;
  bool needs_counters = false;  // a cc_channel or a cc_status exists
  bool has_channel = false;
  bool hides_requests = false;  // a cc_hide_requests is on
  RedisSettings redis;
  Limits limits;
  SpoolSettings spool;
  RejectsSettings rejects;
  std::string prefix = "cc:events:";
  unsigned partitions = 1;
  std::uint64_t high_water = 1'000'000;  // entries, over all partitions
  // Per partition, in Redis' protocol: XADD up to the field's name, and XLEN.
  std::vector<std::string> add_commands;
  std::vector<std::string> length_commands;
  ngx_shm_zone_t* counters = nullptr;
};

/// One cc_channel.
struct ChannelSettings {
  std::string code;
  const Channel* channel = nullptr;
  Trust trust;
  Answer answer;
  std::string field;  // the code as one argument of Redis' protocol
};

/// A location. Plain, as NGINX makes and merges many of them.
struct LocationSettings {
  ChannelSettings* channel;   // null where cc_channel isn't used
  bool prometheus;            // cc_status prometheus
  ngx_flag_t hides_requests;  // cc_hide_requests
};

/// A C++ object that lives exactly as long as `pool`. Null where memory is out.
template <class T, class... Args>
T* make_in_pool(ngx_pool_t* pool, Args&&... args) {
  // The cleanup first: after the object there must be nothing left that can fail.
  ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(pool, sizeof(T));
  if (cleanup == nullptr) return nullptr;
  T* object = new (cleanup->data) T(std::forward<Args>(args)...);
  cleanup->handler = [](void* data) { static_cast<T*>(data)->~T(); };
  return object;
}

inline MainSettings* main_settings(ngx_conf_t* cf) {
  return static_cast<MainSettings*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_cc_module));
}

inline const MainSettings& main_settings(ngx_http_request_t* r) {
  return *static_cast<MainSettings*>(ngx_http_get_module_main_conf(r, ngx_http_cc_module));
}

inline const LocationSettings& location_settings(ngx_http_request_t* r) {
  return *static_cast<LocationSettings*>(ngx_http_get_module_loc_conf(r, ngx_http_cc_module));
}

}  // namespace cc
