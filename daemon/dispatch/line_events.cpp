#include "dispatch/line_events.hpp"

#include <algorithm>
#include <iterator>

#include "dispatch/batch.hpp"

namespace cc {
namespace {

// A phone is on its hook soon after a call's end; what else it does then is no part of that call.
constexpr std::int64_t aftermath_ms = 60'000;

// For each line: the two attempts before its first event, and all up to its last one; none that
// never began.
constexpr std::string_view find_sql =
    "SELECT x.channel, x.agent, a.call, a.attempt, a.sent, a.state, coalesce(a.channel_call_id, "
    "'') AS channel_call_id, a.heard, a.ended "
    "FROM unnest($1::varchar[], $2::varchar[], $3::bigint[], $4::bigint[]) AS x (channel, agent, "
    "first, last) CROSS JOIN LATERAL ("
    "(SELECT b.* FROM call_attempt b WHERE b.channel = x.channel AND b.agent = x.agent "
    "AND b.sent <= x.first AND b.state IN ('sending', 'unknown', 'accepted') "
    "ORDER BY b.sent DESC LIMIT 2) UNION ALL "
    "(SELECT b.* FROM call_attempt b WHERE b.channel = x.channel AND b.agent = x.agent "
    "AND b.sent > x.first AND b.sent <= x.last AND b.state IN ('sending', 'unknown', 'accepted') "
    "ORDER BY b.sent LIMIT 500)) AS a";

bool is_line_event(const FoundEvent& item) noexcept {
  return item.found.event.source == Source::poll && !item.found.subject.empty();
}

LineName line_of(const FoundEvent& item) {
  return {item.channel, item.found.subject};
}

bool may_have_begun(const LineAttempt& attempt) noexcept {
  return attempt.state == "sending" || attempt.state == "unknown" || attempt.state == "accepted";
}

void keep_least(std::optional<std::int64_t>& least, std::int64_t value) {
  least = std::min(least.value_or(value), value);
}

}  // namespace

LineAttempts::LineAttempts(const pg::Rows& rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    LineAttempt attempt;
    attempt.call = rows.integer(row, "call");
    attempt.attempt = static_cast<int>(rows.integer(row, "attempt"));
    attempt.sent = rows.integer(row, "sent");
    attempt.state = rows.text(row, "state");
    attempt.channel_call_id = rows.text(row, "channel_call_id");
    attempt.heard = rows.opt_integer(row, "heard");
    attempt.ended = rows.opt_integer(row, "ended");
    attempts_[{std::string(rows.text(row, "channel")), std::string(rows.text(row, "agent"))}]
        .push_back(std::move(attempt));
  }
  for (auto& [line, attempts] : attempts_) {
    std::sort(attempts.begin(), attempts.end(),
              [](const LineAttempt& a, const LineAttempt& b) { return a.sent > b.sent; });
  }
}

/// Null where it is nobody's.
LineAttempt* LineAttempts::owner_of(const FoundEvent& item,
                                    std::vector<LineAttempt>& attempts) const {
  const Event& event = item.found.event;
  const std::string& id = item.found.channel_call_id;
  const std::int64_t received = event.received_ms;
  const auto begun_before = [received](const LineAttempt& attempt) {
    return attempt.sent <= received && may_have_begun(attempt);
  };
  auto at = std::find_if(attempts.begin(), attempts.end(), begun_before);
  if (at == attempts.end()) return nullptr;
  if (is_trailing(event) && (!at->heard || *at->heard > received)) {
    at = std::find_if(std::next(at), attempts.end(), begun_before);
    if (at == attempts.end()) return nullptr;
  }
  if (id.empty()) {
    if (!at->ended || received <= *at->ended) return &*at;
    return is_trailing(event) && received <= *at->ended + aftermath_ms ? &*at : nullptr;
  }
  if (id == at->channel_call_id) return &*at;
  const bool over = at->ended && received > *at->ended;
  const bool takes_it = at->channel_call_id.empty() && !over && !event.facts.inbound;
  return takes_it ? &*at : nullptr;
}

void LineAttempts::assign(FoundEvent& item) {
  if (!is_line_event(item) || item.found.call) return;
  const auto line = attempts_.find(line_of(item));
  if (line == attempts_.end()) return;
  LineAttempt* const owner = owner_of(item, line->second);
  if (owner == nullptr) return;
  item.found.call = owner->call;
  item.found.event.attempt = owner->attempt;
  if (owner->channel_call_id.empty()) owner->channel_call_id = item.found.channel_call_id;
  hear(item, owner->call, owner->attempt);
}

void LineAttempts::hear(const FoundEvent& item, std::int64_t call, int attempt) {
  if (!is_line_event(item)) return;
  const auto line = attempts_.find(line_of(item));
  if (line == attempts_.end()) return;
  const Event& event = item.found.event;
  for (LineAttempt& known : line->second) {
    if (known.call != call || known.attempt != attempt) continue;
    if (!is_trailing(event)) keep_least(known.heard, event.received_ms);
    if (event.name == EventName::closed) keep_least(known.ended, event.received_ms);
  }
}

bool has_line_events(const std::vector<FoundEvent>& events) noexcept {
  return std::any_of(events.begin(), events.end(), is_line_event);
}

pg::Statement find_line_attempts(const std::vector<FoundEvent>& events) {
  std::map<LineName, std::pair<std::int64_t, std::int64_t>> lines;  // first and last received-ms
  for (const FoundEvent& item : events) {
    if (!is_line_event(item)) continue;
    const std::int64_t received = item.found.event.received_ms;
    const auto [at, fresh] = lines.try_emplace(line_of(item), received, received);
    at->second.first = std::min(at->second.first, received);
    at->second.second = std::max(at->second.second, received);
  }
  std::vector<std::string> channel, agent;
  std::vector<std::int64_t> first, last;
  for (const auto& [line, times] : lines) {
    channel.push_back(line.first);
    agent.push_back(line.second);
    first.push_back(times.first);
    last.push_back(times.second);
  }
  return {find_sql,
          pg::params(pg::array(channel), pg::array(agent), pg::array(first), pg::array(last))};
}

}  // namespace cc
