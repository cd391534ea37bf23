// How well callbacks find their way into the records: figures in, grades and words out. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "health.hpp"
#include "result.hpp"

namespace cc {

struct Judgement {
  Grade grade = Grade::ok;
  std::string says;
};

/// What an NGINX's cc_status says.
struct NginxState {
  std::size_t workers = 0;
  std::size_t linked = 0;              // of them, with a link to Redis that takes entries
  std::int64_t pending = 0;            // callbacks that wait for Redis
  std::int64_t oldest_pending_ms = 0;  // how long the oldest has waited
  std::int64_t failed = 0;             // callbacks that neither Redis nor the spool took, ever
  bool spooling = true;                // cc_spool is configured
  bool spool_readable = true;          // the rest means nothing where it isn't
  std::int64_t spool_bytes = 0;
  std::int64_t spool_oldest_ms = 0;  // received-ms of the oldest spooled delivery; 0 = none
  std::int64_t spool_damaged = 0;    // files
};

/// Errors: not the answer of cc_status; names what is wrong.
Result<NginxState> read_nginx_state(const std::string& status_json);

/// `failed_ago_ms`: when `failed` grew last, where that is known.
Judgement judge_nginx(const NginxState& state, std::optional<std::int64_t> failed_ago_ms,
                      std::int64_t now_ms);

/// Redis as this daemon sees it.
struct RedisState {
  std::string problem;  // not empty: no answer, and why
  std::int64_t took_ms = 0;
  std::int64_t used_bytes = 0;
  std::int64_t most_bytes = 0;  // maxmemory; 0 = no limit
  bool append_failed = false;   // the last write of its append-only file
};
Judgement judge_redis(const RedisState& state);

/// What a spool of ccd holds.
Judgement judge_spool(std::int64_t oldest_ms, std::int64_t bytes, std::int64_t now_ms);

/// A stream beyond its cursor.
struct StreamBacklog {
  std::string stream;
  std::int64_t oldest_ms = 0;           // when the oldest unread entry came in; 0 = all is read
  std::optional<std::int64_t> entries;  // unread, where that is known
};
Judgement judge_backlog(const std::vector<StreamBacklog>& streams, std::int64_t now_ms);

/// `drained_ms`: up to which all deliveries of all streams are in the records; 0 = unknown.
Judgement judge_drained(std::int64_t drained_ms, std::int64_t now_ms);

Judgement judge_pool(bool reachable, std::size_t open, std::size_t waiting, std::size_t most,
                     const std::string& last_error);

/// Days for which partitions are made; `least`: that there should be.
Judgement judge_partitions(std::int64_t days, std::int64_t least);

/// What is known of the canary of a location. Times by PostgreSQL's clock, as of one moment.
struct CanaryState {
  std::string channel;
  bool sent = false;
  std::int64_t sent_ago_ms = 0;
  std::string problem;  // of the last one that was answered; empty = it was taken
  std::optional<std::int64_t> arrived_ago_ms;
  std::int64_t delay_ms = 0;    // of the last one that arrived
  std::int64_t watched_ms = 0;  // for how long this daemon has looked
};
Judgement judge_canary(const CanaryState& state, std::int64_t every_ms);

/// Why a callback location did not take a canary, with the remedy; empty = it did. `status` 0:
/// there was no answer, `problem` says why.
std::string canary_problem(unsigned status, std::string_view problem, std::string_view channel);

Grade worst(const std::vector<PartHealth>& parts) noexcept;

/// One sentence for a person.
std::string summary(const std::vector<PartHealth>& parts, bool draining);

/// "850 ms", "12 s", "3 min", "5 h", "2 days"; "1.5 MB".
std::string span_text(std::int64_t ms);
std::string bytes_text(std::int64_t bytes);

}  // namespace cc
