#include "health/log_health.hpp"

#include <algorithm>

#include <boost/json.hpp>

namespace cc {
namespace {

namespace json = boost::json;

// What is younger is no delay worth a word: replays, batches and reloads take their moments.
constexpr std::int64_t late_ms = 5'000;
constexpr std::int64_t far_behind_ms = 60'000;
// A spool that is still not empty then is not being replayed.
constexpr std::int64_t stuck_ms = 3'600'000;
constexpr std::int64_t slow_redis_ms = 200;  // from there on NGINX spools
constexpr std::int64_t remembered_ms = 60'000;
constexpr int much_memory = 80, most_memory = 95;  // per cent

/// The member as a count; 0 where it is none.
std::int64_t count_of(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  if (value == nullptr || !value->is_int64()) return 0;
  return std::max<std::int64_t>(value->get_int64(), 0);
}

std::int64_t sum_of(const json::object& object, std::string_view group) {
  const json::value* const value = object.if_contains(group);
  const json::object* const counts = value == nullptr ? nullptr : value->if_object();
  if (counts == nullptr) return 0;
  std::int64_t sum = 0;
  for (const auto& item : *counts) sum += count_of(*counts, item.key());
  return sum;
}

void read_workers(const json::object& status, NginxState& state) {
  const json::value* const value = status.if_contains("workers");
  const json::array* const workers = value == nullptr ? nullptr : value->if_array();
  if (workers == nullptr) return;
  for (const json::value& item : *workers) {
    const json::object* const worker = item.if_object();
    if (worker == nullptr) continue;
    ++state.workers;
    const json::value* const link = worker->if_contains("link");
    if (link != nullptr && link->is_string() && link->get_string() == "up") ++state.linked;
    state.oldest_pending_ms =
        std::max(state.oldest_pending_ms, count_of(*worker, "oldest_pending_ms"));
  }
}

/// Empty, or what is wrong.
std::string read_spool(const json::object& status, NginxState& state) {
  const std::string stranger = "its answer is not that of cc_status";
  const json::value* const spool = status.if_contains("spool");
  if (spool == nullptr) return stranger + "; does nginx.conf say cc_status there?";
  state.spooling = !spool->is_null();
  if (!state.spooling) return {};
  const json::object* const object = spool->if_object();
  const json::value* const readable = object == nullptr ? nullptr : object->if_contains("readable");
  if (readable == nullptr || !readable->is_bool()) {
    return stranger + ": \"spool\" is of another kind";
  }
  state.spool_readable = readable->get_bool();
  if (!state.spool_readable) return {};
  const json::value* const oldest = object->if_contains("oldest_received_ms");
  if (oldest == nullptr || !oldest->is_int64() || oldest->get_int64() < 0) {
    return stranger + ": no oldest_received_ms";
  }
  state.spool_oldest_ms = oldest->get_int64();
  state.spool_bytes = count_of(*object, "bytes");
  state.spool_damaged = count_of(*object, "damaged_files");
  return {};
}

std::int64_t age(std::int64_t since_ms, std::int64_t now_ms) {
  return std::max<std::int64_t>(now_ms - since_ms, 0);
}

/// Words joined by "; ", and the worst grade of them.
class Findings {
 public:
  void add(Grade grade, const std::string& says) {
    judgement_.grade = std::max(judgement_.grade, grade);
    judgement_.says += (judgement_.says.empty() ? "" : "; ") + says;
  }
  Judgement take() && { return std::move(judgement_); }

 private:
  Judgement judgement_;
};

Grade by_age(std::int64_t ms, std::int64_t degraded, std::int64_t failing) {
  return ms > failing ? Grade::failing : ms > degraded ? Grade::degraded : Grade::ok;
}

std::string spool_text(std::int64_t bytes, std::int64_t oldest_age_ms) {
  return "its spool holds " + bytes_text(bytes) + ", the oldest of " + span_text(oldest_age_ms) +
         " ago";
}

}  // namespace

std::string span_text(std::int64_t ms) {
  if (ms < 1000) return std::to_string(ms) + " ms";
  const std::int64_t seconds = ms / 1000;
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 2 * 3600) return std::to_string(seconds / 60) + " min";
  if (seconds < 2 * 86'400) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86'400) + " days";
}

std::string bytes_text(std::int64_t bytes) {
  const auto in = [&](std::int64_t unit, const char* name) {
    const std::int64_t tenths = bytes * 10 / unit;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " " + name;
  };
  if (bytes < 1000) return std::to_string(bytes) + " bytes";
  if (bytes < 1'000'000) return in(1000, "kB");
  if (bytes < 1'000'000'000) return in(1'000'000, "MB");
  return in(1'000'000'000, "GB");
}

Result<NginxState> read_nginx_state(const std::string& status_json) {
  json::error_code error;
  const json::value value = json::parse(status_json, error);
  const json::object* const status = error ? nullptr : value.if_object();
  if (status == nullptr) {
    return Error{"its answer is not that of cc_status; does nginx.conf say cc_status there?"};
  }
  NginxState state;
  if (std::string problem = read_spool(*status, state); !problem.empty()) {
    return Error{std::move(problem)};
  }
  read_workers(*status, state);
  state.pending = count_of(*status, "pending");
  state.failed = sum_of(*status, "failed");
  return state;
}

Judgement judge_nginx(const NginxState& state, std::optional<std::int64_t> failed_ago_ms,
                      std::int64_t now_ms) {
  Findings findings;
  const std::string workers =
      std::to_string(state.workers) + (state.workers == 1 ? " worker" : " workers");
  if (state.workers == 0) {
    findings.add(Grade::failing, "it has no worker with the module's state");
  } else if (state.linked < state.workers) {
    findings.add(Grade::degraded, std::to_string(state.workers - state.linked) + " of " + workers +
                                      " have no link to Redis" +
                                      (state.spooling ? ": they spool" : " and there is no spool"));
    if (!state.spooling) findings.add(Grade::failing, "callbacks are refused");
  } else {
    findings.add(Grade::ok, workers + ", linked to Redis");
  }
  if (failed_ago_ms && *failed_ago_ms < remembered_ms) {
    findings.add(Grade::failing, "callbacks were refused " + span_text(*failed_ago_ms) +
                                     " ago because neither Redis nor the spool took them");
  }
  if (state.oldest_pending_ms > 1000) {
    findings.add(Grade::degraded, std::to_string(state.pending) +
                                      " callbacks wait for Redis, for " +
                                      span_text(state.oldest_pending_ms));
  }
  if (!state.spool_readable) {
    findings.add(Grade::failing, "it cannot read its spool directory: look at cc_spool's rights");
  } else if (state.spool_oldest_ms > 0) {
    const std::int64_t old = age(state.spool_oldest_ms, now_ms);
    findings.add(by_age(old, late_ms, stuck_ms), spool_text(state.spool_bytes, old));
  }
  if (state.spool_damaged > 0) {
    findings.add(Grade::degraded, std::to_string(state.spool_damaged) +
                                      " files of its spool are partly unreadable and kept");
  }
  return std::move(findings).take();
}

Judgement judge_redis(const RedisState& state) {
  if (!state.problem.empty()) return {Grade::failing, state.problem};
  Findings findings;
  findings.add(
      state.took_ms > slow_redis_ms ? Grade::degraded : Grade::ok,
      "answers within " + std::to_string(std::max<std::int64_t>(state.took_ms, 1)) + " ms");
  if (state.most_bytes > 0) {
    const std::int64_t share = state.used_bytes * 100 / state.most_bytes;
    findings.add(
        by_age(share, much_memory, most_memory),
        bytes_text(state.used_bytes) + " of its " + bytes_text(state.most_bytes) + " are in use");
  } else {
    findings.add(Grade::ok, bytes_text(state.used_bytes) + " in use");
  }
  if (state.append_failed) {
    findings.add(Grade::failing, "it cannot write its append-only file: is its disk full?");
  }
  return std::move(findings).take();
}

Judgement judge_spool(std::int64_t oldest_ms, std::int64_t bytes, std::int64_t now_ms) {
  if (oldest_ms == 0) return {Grade::ok, "empty"};
  if (oldest_ms == 1) return {Grade::degraded, "its directory cannot be read"};
  const std::int64_t old = age(oldest_ms, now_ms);
  return {by_age(old, late_ms, stuck_ms),
          "holds " + bytes_text(bytes) + ", the oldest of " + span_text(old) + " ago"};
}

Judgement judge_backlog(const std::vector<StreamBacklog>& streams, std::int64_t now_ms) {
  Findings findings;
  for (const StreamBacklog& backlog : streams) {
    if (backlog.oldest_ms == 0) continue;
    const std::int64_t old = age(backlog.oldest_ms, now_ms);
    const std::string count =
        backlog.entries ? std::to_string(*backlog.entries) + " entries" : "entries";
    findings.add(by_age(old, late_ms, far_behind_ms), backlog.stream + ": " + count +
                                                          " not drained yet, the oldest of " +
                                                          span_text(old) + " ago");
  }
  Judgement judgement = std::move(findings).take();
  if (judgement.says.empty()) {
    judgement.says = std::to_string(streams.size()) +
                     (streams.size() == 1 ? " stream" : " streams") + ", all read to the end";
  }
  return judgement;
}

Judgement judge_drained(std::int64_t drained_ms, std::int64_t now_ms) {
  if (drained_ms == 0) return {Grade::degraded, "nothing has been drained yet"};
  const std::int64_t behind = age(drained_ms, now_ms);
  return {by_age(behind, late_ms, far_behind_ms), span_text(behind) + " behind"};
}

Judgement judge_pool(bool reachable, std::size_t open, std::size_t waiting, std::size_t most,
                     const std::string& last_error) {
  if (!reachable) return {Grade::failing, last_error};
  const std::string connections = std::to_string(open) + " connections";
  if (waiting <= most) return {Grade::ok, connections};
  return {Grade::degraded, connections + ", and " + std::to_string(waiting) +
                               " statements wait for one: raise postgres.pool, or PostgreSQL is "
                               "slow"};
}

Judgement judge_partitions(std::int64_t days, std::int64_t least) {
  const std::string ahead = std::to_string(days) + " days ahead";
  if (days <= 0) return {Grade::failing, ahead + ": no call can be stored"};
  if (days < least) return {Grade::degraded, ahead + ": fewer than a month"};
  return {Grade::ok, ahead};
}

Judgement judge_canary(const CanaryState& state, std::int64_t every_ms) {
  const std::int64_t patience = every_ms + late_ms;
  if (!state.sent) {
    return {state.watched_ms > patience ? Grade::degraded : Grade::ok, "none has been sent yet"};
  }
  if (!state.problem.empty()) return {Grade::failing, state.problem};
  if (state.sent_ago_ms > 3 * every_ms + late_ms) {
    return {Grade::degraded,
            "no daemon has sent one for " + span_text(state.sent_ago_ms) + ": are all stopping?"};
  }
  const bool overdue = !state.arrived_ago_ms || *state.arrived_ago_ms > patience;
  if (overdue && state.watched_ms > patience) {
    const std::string since =
        state.arrived_ago_ms ? " for " + span_text(*state.arrived_ago_ms) : " ever";
    return {Grade::failing,
            "NGINX takes it, but none has come out of the streams" + since +
                ": look at redis, nginx, stream and dispatcher; if those are well, the location's "
                "cc_channel is not \"" +
                state.channel + "\", or another Redis is behind it"};
  }
  if (!state.arrived_ago_ms) return {Grade::ok, "the first is under way"};
  const std::string last =
      "came after " + span_text(state.delay_ms) + ", " + span_text(*state.arrived_ago_ms) + " ago";
  return {state.delay_ms > late_ms ? Grade::degraded : Grade::ok, last};
}

std::string canary_problem(unsigned status, std::string_view problem, std::string_view channel) {
  const std::string answer = " (" + std::to_string(status) + ")";
  switch (status) {
    case 200:
      return {};
    case 0:
      return "cannot be reached (" + std::string(problem) +
             "): is NGINX running, and is that its address?";
    case 403:
      return "refused" + answer +
             ": the URL's token is none of the location's tokens=, or this machine's address is "
             "not on its addresses=, or channel " +
             std::string(channel) + "'s account is none of its app_ids";
    case 404:
      return "there is no such location" + answer + ": does nginx.conf have it with cc_channel " +
             std::string(channel) + ", and does the URL end in a token only?";
    case 503:
      return "refused" + answer +
             ": neither Redis nor the spool takes callbacks there; its error.log says why";
    default:
      return "answered " + std::to_string(status) + ": is this a location with cc_channel " +
             std::string(channel) + "?";
  }
}

Grade worst(const std::vector<PartHealth>& parts) noexcept {
  Grade grade = Grade::ok;
  for (const PartHealth& part : parts) {
    grade = std::max(grade, part.ok ? part.grade : Grade::failing);
  }
  return grade;
}

std::string summary(const std::vector<PartHealth>& parts, bool draining) {
  const std::string stopping = draining ? "This daemon is shutting down. " : "";
  std::string failing, degraded;
  const PartHealth* first = nullptr;
  for (const PartHealth& part : parts) {
    const Grade grade = part.ok ? part.grade : Grade::failing;
    if (grade == Grade::ok) continue;
    std::string& list = grade == Grade::failing ? failing : degraded;
    list += (list.empty() ? "" : ", ") + part.part;
    const bool worse = first == nullptr ||
                       (grade == Grade::failing && first->ok && first->grade != Grade::failing);
    if (worse) first = &part;
  }
  if (first == nullptr) return stopping + "Everything works.";
  std::string text = stopping;
  if (!failing.empty()) text += "Failing: " + failing;
  if (!degraded.empty()) text += (failing.empty() ? "Degraded: " : "; degraded: ") + degraded;
  return text + ". " + first->part + " says: " + first->says;
}

}  // namespace cc
