#include "status.hpp"

#include <cerrno>
#include <exception>
#include <signal.h>
#include <string>

#include "counters.hpp"
#include "envelope.hpp"
#include "reply.hpp"
#include "settings.hpp"
#include "spool_file.hpp"

#ifndef CC_BUILD
#define CC_BUILD "unknown"
#endif

namespace cc {
namespace {

std::uint64_t read(const Counter& counter) noexcept {
  return counter.load(std::memory_order_relaxed);
}

std::uint64_t total(const Counters& counters, const CounterInfo& info) noexcept {
  std::uint64_t sum = 0;
  for (const Slot& slot : counters.slots) sum += read(info.value(slot));
  return sum;
}

/// A worker that crashed leaves its gauges behind until another takes its slot.
bool lives(const Slot& slot) noexcept {
  auto pid = static_cast<pid_t>(read(slot.pid));
  return pid != 0 && (::kill(pid, 0) == 0 || errno != ESRCH);
}

std::uint64_t oldest_age_ms(const Slot& slot) noexcept {
  const ngx_time_t* now = ngx_timeofday();
  auto now_ms = static_cast<std::uint64_t>(now->sec) * 1000 + now->msec;
  std::uint64_t since = read(slot.oldest_pending_ms);
  return since == 0 || since > now_ms ? 0 : now_ms - since;
}

const char* link_text(const Slot& slot) noexcept {
  switch (static_cast<LinkState>(read(slot.link))) {
    case LinkState::down:
      return "down";
    case LinkState::connecting:
      return "connecting";
    case LinkState::up:
      return "up";
  }
  return "down";
}

std::string member(std::string_view name, std::uint64_t value) {
  return "\"" + std::string(name) + "\":" + std::to_string(value);
}

std::string worker_json(const Slot& slot) {
  return "{" + member("pid", read(slot.pid)) + ",\"link\":\"" + link_text(slot) + "\"," +
         member("pending", read(slot.pending)) + "," +
         member("pending_bytes", read(slot.pending_bytes)) + "," +
         member("oldest_pending_ms", oldest_age_ms(slot)) + "," +
         member("longest_stream", read(slot.longest_stream)) + ",\"build\":\"" CC_BUILD "\"" +
         ",\"envelope\":\"" + std::string(envelope_version) + "\"}";
}

/// What lies on disk, whoever wrote it: also what a dead worker left and nobody has adopted yet.
struct SpoolState {
  bool configured = false;
  bool readable = false;
  SpoolListing listing;

  std::int64_t oldest_ms() const {
    return listing.files.empty() ? 0 : listing.files.front().created_ms;
  }
};

SpoolState spool_state(const SpoolSettings& settings) {
  SpoolState state;
  state.configured = !settings.directory.empty();
  if (!state.configured) return state;
  if (auto listing = list_spool(settings.directory)) {
    state.readable = true;
    state.listing = *std::move(listing);
  }
  return state;
}

std::string spool_json(const SpoolState& spool) {
  if (!spool.configured) return "null";
  if (!spool.readable) return "{\"readable\":false}";
  return "{\"readable\":true," + member("files", spool.listing.files.size()) + "," +
         member("bytes", spool.listing.bytes) + "," +
         member("oldest_received_ms", static_cast<std::uint64_t>(spool.oldest_ms())) + "," +
         member("damaged_files", spool.listing.damaged) + "}";
}

std::string json(const Counters& counters, const SpoolState& spool) {
  std::string text = "{";
  const char* group = nullptr;  // counters of one group stand together
  for (const auto& info : counter_infos()) {
    bool same = group != nullptr && info.group != nullptr && std::string_view(group) == info.group;
    if (!same && group != nullptr) text += "}";
    if (text.size() > 1) text += ",";
    if (!same && info.group != nullptr) text += "\"" + std::string(info.group) + "\":{";
    group = info.group;
    text += member(info.name, total(counters, info));
  }
  if (group != nullptr) text += "}";

  std::uint64_t pending = 0;
  std::string workers;
  for (const Slot& slot : counters.slots) {
    if (!lives(slot)) continue;
    pending += read(slot.pending);
    workers += (workers.empty() ? "" : ",") + worker_json(slot);
  }
  text += "," + member("pending", pending) + ",\"spool\":" + spool_json(spool) +
          ",\"build\":\"" CC_BUILD "\",\"workers\":[" + workers + "]}\n";
  // An object opened for a first group has begun with a comma that does not belong there.
  for (auto at = text.find("{,"); at != std::string::npos; at = text.find("{,"))
    text.erase(at + 1, 1);
  return text;
}

void describe(std::string& text, std::string_view metric, std::string_view type,
              std::string_view help) {
  text += "# HELP " + std::string(metric) + " " + std::string(help) + "\n# TYPE " +
          std::string(metric) + " " + std::string(type) + "\n";
}

struct WorkerGauge {
  const char* metric;
  const char* help;
  std::uint64_t (*value)(const Slot&);
};

constexpr WorkerGauge worker_gauges[] = {
    {"cc_redis_link_up", "1 where the worker's connection to Redis takes entries.",
     [](const Slot& slot) -> std::uint64_t {
       return read(slot.link) == static_cast<std::uint64_t>(LinkState::up);
     }},
    {"cc_callbacks_pending", "Callbacks that wait for Redis' answer.",
     [](const Slot& slot) { return read(slot.pending); }},
    {"cc_callbacks_pending_bytes", "Bytes of the commands that wait for Redis' answer.",
     [](const Slot& slot) { return read(slot.pending_bytes); }},
    {"cc_callbacks_oldest_pending_milliseconds", "Age of the oldest of them.",
     [](const Slot& slot) { return oldest_age_ms(slot); }},
    {"cc_stream_entries", "Entries of the longest stream, as the worker last saw it.",
     [](const Slot& slot) { return read(slot.longest_stream); }},
};

void gauge_line(std::string& text, std::string_view metric, std::string_view help,
                std::uint64_t value) {
  describe(text, metric, "gauge", help);
  text += std::string(metric) + " " + std::to_string(value) + "\n";
}

void add_spool(std::string& text, const SpoolState& spool) {
  if (!spool.configured) return;
  gauge_line(text, "cc_spool_readable", "0 where the spool's directory cannot be read.",
             spool.readable ? 1 : 0);
  gauge_line(text, "cc_spool_files", "Files of the spool, those being written included.",
             spool.listing.files.size());
  gauge_line(text, "cc_spool_bytes", "Bytes of these files.", spool.listing.bytes);
  gauge_line(text, "cc_spool_oldest_received_milliseconds",
             "When the oldest spooled callback came in, epoch; 0 if there is none.",
             static_cast<std::uint64_t>(spool.oldest_ms()));
  gauge_line(text, "cc_spool_damaged_files", "Files kept because a part of them was unreadable.",
             spool.listing.damaged);
}

std::string prometheus(const Counters& counters, const SpoolState& spool) {
  std::string text;
  for (const auto& info : counter_infos()) {
    if (info.help != nullptr) describe(text, info.metric, "counter", info.help);
    text += info.metric;
    if (info.group != nullptr) text += "{reason=\"" + std::string(info.name) + "\"}";
    text += " " + std::to_string(total(counters, info)) + "\n";
  }
  for (const auto& gauge : worker_gauges) {
    describe(text, gauge.metric, "gauge", gauge.help);
    for (const Slot& slot : counters.slots) {
      if (!lives(slot)) continue;
      text += std::string(gauge.metric) + "{worker=\"" + std::to_string(read(slot.pid)) + "\"} " +
              std::to_string(gauge.value(slot)) + "\n";
    }
  }
  add_spool(text, spool);
  describe(text, "cc_module_info", "gauge", "Build and envelope version of the module.");
  text += "cc_module_info{build=\"" CC_BUILD "\",envelope=\"" + std::string(envelope_version) +
          "\"} 1\n";
  return text;
}

}  // namespace

ngx_int_t handle_status(ngx_http_request_t* r) noexcept {
  if ((r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD)) == 0) return NGX_HTTP_NOT_ALLOWED;
  if (ngx_int_t rc = ngx_http_discard_request_body(r); rc != NGX_OK) return rc;
  try {
    const auto& counters = counters_in(*main_settings(r).counters);
    bool as_prometheus = location_settings(r).prometheus;
    auto spool = spool_state(main_settings(r).spool);
    std::string text = as_prometheus ? prometheus(counters, spool) : json(counters, spool);
    auto* copy = static_cast<char*>(ngx_pnalloc(r->pool, text.size()));
    if (copy == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    text.copy(copy, text.size());
    if (!add_header(r, "Cache-Control", "no-store")) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    return send_reply(r, NGX_HTTP_OK,
                      as_prometheus ? "text/plain; version=0.0.4" : "application/json",
                      {copy, text.size()});
  } catch (const std::exception& e) {
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "cc_status: %s", e.what());
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
}

}  // namespace cc
