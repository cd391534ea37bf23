#include "store/history.hpp"

#include <algorithm>

namespace cc {
namespace {

constexpr std::string_view owner_sql =
    "SELECT direction, merged_into, recording_state, recording_reason, recording_expected_at FROM "
    "call_record WHERE id = $1 AND tenant = $2";

constexpr std::string_view attempts_sql =
    "SELECT attempt, channel, agent, state, superseded, channel_call_id, reason, code, message, "
    "created, sent, answered, request_id FROM call_attempt WHERE call = $1 ORDER BY attempt";

constexpr std::string_view events_sql =
    "SELECT event_key, attempt, source, name, received, channel_time, facts, raw FROM call_event "
    "WHERE call = $1";

}  // namespace

Event event_from_row(const pg::Rows& rows, std::size_t row) {
  Event event;
  const std::string key = rows.bytes(row, "event_key");
  std::copy_n(key.begin(), std::min(key.size(), event.key.bytes.size()), event.key.bytes.begin());
  event.attempt = static_cast<int>(rows.integer(row, "attempt"));
  if (const auto source = source_from_text(rows.text(row, "source"))) event.source = *source;
  event.name = event_name_from_text(rows.text(row, "name")).value_or(EventName::other);
  event.received_ms = rows.integer(row, "received");
  event.channel_ms = rows.opt_integer(row, "channel_time");
  if (auto facts = facts_from_json(rows.text(row, "facts"))) event.facts = *std::move(facts);
  return event;
}

asio::awaitable<std::optional<Timeline>> read_timeline(pg::Pool& pool, std::string tenant,
                                                       std::int64_t call) {
  pg::Rows known = co_await pool.query(owner_sql, pg::params(call, tenant));
  if (!known.empty() && !known.is_null(0, "merged_into")) {
    call = known.integer(0, "merged_into");
    known = co_await pool.query(owner_sql, pg::params(call, tenant));
  }
  if (known.empty()) co_return std::nullopt;
  Timeline timeline;
  timeline.call = call;
  timeline.direction = known.text(0, "direction");
  timeline.recording_state = known.opt_text(0, "recording_state");
  timeline.recording_reason = known.opt_text(0, "recording_reason");
  timeline.recording_expected_at = known.opt_integer(0, "recording_expected_at");
  const pg::Rows attempts = co_await pool.query(attempts_sql, pg::params(call));
  for (std::size_t row = 0; row < attempts.size(); ++row) {
    TimelineAttempt attempt;
    attempt.attempt = static_cast<int>(attempts.integer(row, "attempt"));
    attempt.channel = attempts.text(row, "channel");
    attempt.agent = attempts.text(row, "agent");
    attempt.state = attempts.text(row, "state");
    attempt.superseded = attempts.boolean(row, "superseded");
    attempt.channel_call_id = attempts.opt_text(row, "channel_call_id");
    attempt.reason = attempts.opt_text(row, "reason");
    attempt.code = attempts.opt_text(row, "code");
    attempt.message = attempts.opt_text(row, "message");
    attempt.created = attempts.opt_integer(row, "created");
    attempt.sent = attempts.opt_integer(row, "sent");
    attempt.answered = attempts.opt_integer(row, "answered");
    attempt.request_id = attempts.opt_text(row, "request_id");
    timeline.attempts.push_back(std::move(attempt));
  }
  const pg::Rows events = co_await pool.query(events_sql, pg::params(call));
  for (std::size_t row = 0; row < events.size(); ++row) {
    TimelineEvent item;
    item.event = event_from_row(events, row);
    if (!events.is_null(row, "raw")) item.raw = events.bytes(row, "raw");
    timeline.events.push_back(std::move(item));
  }
  std::sort(timeline.events.begin(), timeline.events.end(),
            [](const TimelineEvent& a, const TimelineEvent& b) {
              if (a.event.received_ms != b.event.received_ms)
                return a.event.received_ms < b.event.received_ms;
              // Within a millisecond: what CC did comes before what the channel says of it.
              if ((a.event.source == Source::cc) != (b.event.source == Source::cc))
                return a.event.source == Source::cc;
              // An attempt's end and the next one's beginning are one transaction's.
              if (a.event.source == Source::cc && a.event.attempt != b.event.attempt)
                return a.event.attempt < b.event.attempt;
              if (a.event.name != b.event.name) return a.event.name < b.event.name;
              return a.event.key < b.event.key;
            });
  co_return timeline;
}

}  // namespace cc
