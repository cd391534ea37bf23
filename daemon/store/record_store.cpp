#include "store/record_store.hpp"

#include <algorithm>
#include <utility>

#include "fold.hpp"
#include "store/columns.hpp"
#include "store/history.hpp"
#include "store/record_judgement.hpp"
#include "store/recording_rows.hpp"

namespace cc {
namespace {

using Ints = std::vector<std::int64_t>;
using OptInts = std::vector<std::optional<std::int64_t>>;
using Texts = std::vector<std::string>;
using OptTexts = std::vector<std::optional<std::string>>;

std::string lock_sql() {
  return "SELECT " + record_columns() +
         ", merged_into FROM call_record WHERE id = ANY($1::bigint[]) AND id BETWEEN $2 AND $3 "
         "ORDER BY id FOR "
         "UPDATE";
}

// Only calls that have a record take events: the join leaves the others out, and what was locked by
// the statement before cannot vanish.
constexpr std::string_view add_sql =
    "INSERT INTO call_event AS e (call, event_key, attempt, source, name, received, channel_time, "
    "facts, raw) "
    "SELECT x.* FROM unnest($1::bigint[], $2::bytea[], $3::smallint[], $4::varchar[], "
    "$5::varchar[], "
    "$6::bigint[], $7::bigint[], $8::jsonb[], $9::bytea[]) "
    "AS x (call, event_key, attempt, source, name, received, channel_time, facts, raw) "
    "WHERE EXISTS (SELECT 1 FROM call_record r WHERE r.id = x.call AND r.id BETWEEN $10 AND $11) "
    "ON CONFLICT (call, event_key) DO UPDATE SET received = excluded.received "
    "WHERE excluded.received < e.received";

constexpr std::string_view history_sql =
    "SELECT call, event_key, attempt, source, name, received, channel_time, facts FROM call_event "
    "WHERE call = ANY($1::bigint[]) AND call BETWEEN $2 AND $3";

std::string write_sql() {
  std::string set, names, types;
  int parameter = 7;
  for (const FoldedColumn& column : folded_columns()) {
    set += std::string(", ") + column.name + " = x." + column.name;
    names += std::string(", ") + column.name;
    types += ", $" + std::to_string(parameter++) + "::" + column.type + "[]";
  }
  return "WITH written AS (UPDATE call_record r SET updated = $4, version = x.version" + set +
         " FROM unnest($1::bigint[], $5::int[]" + types + ") AS x (id, version" + names +
         ") WHERE r.id = x.id AND r.id BETWEEN $2 AND $3 RETURNING r.id, r.tenant, r.version) "
         "INSERT INTO change (tenant, call, version, kind, at) "
         "SELECT w.tenant, w.id, w.version, k.kind, $4 FROM written w "
         "JOIN unnest($1::bigint[], $6::varchar[]) AS k (id, kind) ON k.id = w.id ORDER BY w.id";
}

// An event that carries our id or the channel's is the channel's word that it took the call.
constexpr std::string_view attempts_sql =
    "UPDATE call_attempt a SET channel_call_id = coalesce(a.channel_call_id, x.channel_call_id), "
    "state = CASE WHEN a.state IN ('sending', 'unknown') THEN 'accepted' ELSE a.state END "
    "FROM unnest($1::bigint[], $2::smallint[], $3::varchar[]) AS x (call, attempt, "
    "channel_call_id) "
    "WHERE a.call = x.call AND a.attempt = x.attempt "
    "AND (a.channel_call_id IS NULL OR a.state IN ('sending', 'unknown')) "
    "AND NOT EXISTS (SELECT 1 FROM call_attempt other WHERE other.channel = a.channel "
    "AND other.channel_call_id = x.channel_call_id AND (other.call, other.attempt) <> (a.call, "
    "a.attempt))";

// Of lines that are polled: what tells whose an event is that names no call (dispatch/line_events).
constexpr std::string_view heard_sql =
    "UPDATE call_attempt a SET heard = least(a.heard, x.heard), ended = least(a.ended, x.ended) "
    "FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[]) "
    "AS x (call, attempt, heard, ended) WHERE a.call = x.call AND a.attempt = x.attempt "
    "AND (a.heard IS DISTINCT FROM least(a.heard, x.heard) "
    "OR a.ended IS DISTINCT FROM least(a.ended, x.ended))";

// A line that stays engaged for a moment after its call's end (rules.md, "Claims").
constexpr std::string_view linger_claims_sql =
    "UPDATE claim SET release_at = least(release_at, $2::bigint) WHERE call = ANY($1::bigint[]) "
    "AND "
    "released IS NULL";

constexpr std::string_view hold_claims_sql =
    "UPDATE claim c SET release_at = greatest($2::bigint, coalesce(a.sent, 0) + $3::bigint) FROM "
    "call_attempt a "
    "WHERE c.call = ANY($1::bigint[]) AND c.released IS NULL AND c.release_at IS NULL "
    "AND a.call = c.call AND a.attempt = c.attempt";

// A call that lives although our own clock had closed it, or that was not refused after all: its
// phone is engaged, so it holds line and handset again if nobody else does by now.
constexpr std::string_view keep_claims_sql =
    "UPDATE claim SET release_at = NULL WHERE call = ANY($1::bigint[]) AND released IS NULL";
constexpr std::string_view retake_claims_sql =
    "INSERT INTO claim (kind, resource, call, attempt, taken) "
    "SELECT k.kind, CASE k.kind WHEN 'line' THEN a.channel || '/' || a.agent ELSE a.handset END, "
    "a.call, "
    "a.attempt, $2::bigint FROM call_attempt a CROSS JOIN (VALUES ('handset'), ('line')) AS k "
    "(kind) "
    "WHERE a.call = ANY($1::bigint[]) AND NOT a.superseded AND a.handset IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.call = a.call AND c.kind = k.kind AND "
    "c.released IS NULL) "
    "ON CONFLICT (kind, resource) WHERE released IS NULL DO NOTHING";

// Its end may be lost for good, and then nobody but the channel can say when they are free.
constexpr std::string_view ask_again_sql =
    "UPDATE call_attempt SET query_due = coalesce(query_due, $2::bigint), query_problem = NULL "
    "WHERE call = ANY($1::bigint[]) AND NOT superseded AND channel_call_id IS NOT NULL";

constexpr std::int64_t longest_unpolled_ms = 120'000;  // channels.md, hw

// An attempt that was given up lives all the same: two phones may ring for one call, so that one is
// hung up (rules.md, "Ends that nobody reports").
constexpr std::string_view hang_up_abandoned_sql =
    "UPDATE call_attempt a SET hangup_asked = coalesce(a.hangup_asked, $3::bigint) FROM "
    "unnest($1::bigint[], $2::smallint[]) AS x (call, attempt) WHERE a.call = x.call AND a.attempt "
    "= x.attempt AND a.superseded AND a.hangup_accepted IS NULL";

struct Range {
  std::int64_t low = 0, high = 0;
};

Range range_of(const Ints& calls) {
  const auto [low, high] = std::minmax_element(calls.begin(), calls.end());
  return {*low, *high};
}

pg::Params add_params(const NewEvents& events, Range range) {
  Ints call, attempt, received;
  OptInts channel_time;
  Texts key, source, name, facts;
  OptTexts raw;
  for (const auto& [id, list] : events) {
    for (const NewEvent& item : list) {
      call.push_back(id);
      key.emplace_back(item.event.key.view());
      attempt.push_back(item.event.attempt);
      source.emplace_back(to_text(item.event.source));
      name.emplace_back(to_text(item.event.name));
      received.push_back(item.event.received_ms);
      channel_time.push_back(item.event.channel_ms);
      facts.push_back(to_json(item.event.facts));
      raw.push_back(item.raw.empty() ? std::nullopt : std::optional(item.raw));
    }
  }
  return {pg::array(call),
          pg::array_of_bytes(key),
          pg::array(attempt),
          pg::array(source),
          pg::array(name),
          pg::array(received),
          pg::array(channel_time),
          pg::array(facts),
          pg::array_of_bytes(raw),
          range.low,
          range.high};
}

struct Writes {
  Ints calls, versions;
  Texts kinds;
  std::vector<OptTexts> values{std::vector<OptTexts>(folded_columns().size())};
  Ints release, linger, hold, retake;

  void add(const StoredRecord& before, const Folded& after, bool own_clock, bool engaged_on) {
    calls.push_back(before.constants.id);
    versions.push_back(before.version + 1);
    kinds.emplace_back(change_kind(before, after));
    std::size_t index = 0;
    for (const FoldedColumn& column : folded_columns())
      values[index++].push_back(column.get(after));
    const std::int64_t id = before.constants.id;
    const bool was_closed = before.folded.state == "close";
    if (after.state == "close" && !own_clock && engaged_on) {
      linger.push_back(id);
    } else if (after.state == "close" && !own_clock) {
      release.push_back(id);
    } else if (was_closed &&
               (after.state != "close" || (after.late_life && !before.folded.late_life))) {
      retake.push_back(id);
    } else if (after.state == "close" && !was_closed) {
      hold.push_back(id);
    }
  }

  pg::Params params(std::int64_t at_ms) const {
    const Range range = range_of(calls);
    pg::Params list{pg::array(calls),    range.low,       range.high, at_ms,
                    pg::array(versions), pg::array(kinds)};
    for (const OptTexts& column : values) list.push_back(pg::array(column));
    return list;
  }
};

void add_heard_updates(const NewEvents& events, std::vector<pg::Statement>& statements) {
  struct Heard {
    OptMs heard, ended;
  };
  const auto keep_least = [](OptMs& least, std::int64_t value) {
    least = std::min(least.value_or(value), value);
  };
  std::map<std::pair<std::int64_t, int>, Heard> attempts;
  for (const auto& [number, list] : events) {
    for (const NewEvent& item : list) {
      const Event& event = item.event;
      const bool polled = event.source == Source::poll;
      const bool ends = event.name == EventName::reaped || event.name == EventName::hangup_closed ||
                        (event.name == EventName::closed && event.source != Source::callback);
      if (event.attempt == 0 || (!polled && !ends)) continue;
      Heard& heard = attempts[{number, event.attempt}];
      if (polled && !is_trailing(event)) keep_least(heard.heard, event.received_ms);
      // Where it was not a poll that told of the end, what the line has to tell may still wait for
      // one: as long as an agent can go without polls.
      if (ends) keep_least(heard.ended, event.received_ms + (polled ? 0 : longest_unpolled_ms));
    }
  }
  if (attempts.empty()) return;
  Ints call, attempt;
  OptInts heard, ended;
  for (const auto& [key, told] : attempts) {
    call.push_back(key.first);
    attempt.push_back(key.second);
    heard.push_back(told.heard);
    ended.push_back(told.ended);
  }
  statements.push_back(
      {heard_sql, {pg::array(call), pg::array(attempt), pg::array(heard), pg::array(ended)}});
}

void add_attempt_updates(const NewEvents& events, std::vector<pg::Statement>& statements) {
  Ints call, attempt;
  Texts id;
  for (const auto& [number, list] : events) {
    for (const NewEvent& item : list) {
      if (item.event.source == Source::cc || item.event.attempt == 0) continue;
      if (item.channel_call_id.empty()) continue;
      // Events of one call mostly repeat the same id: once is enough.
      if (!call.empty() && call.back() == number && attempt.back() == item.event.attempt) continue;
      call.push_back(number);
      attempt.push_back(item.event.attempt);
      id.push_back(item.channel_call_id);
    }
  }
  if (call.empty()) return;
  statements.push_back({attempts_sql, {pg::array(call), pg::array(attempt), pg::array(id)}});
}

}  // namespace

NewEvent own_event(std::int64_t call, int attempt, EventName name, std::int64_t now_ms, Facts facts,
                   std::uint16_t ordinal) {
  NewEvent result;
  result.event.key = own_event_key(call, attempt, to_text(name), ordinal);
  result.event.name = name;
  result.event.source = Source::cc;
  result.event.received_ms = now_ms;
  result.event.attempt = attempt;
  result.event.facts = std::move(facts);
  return result;
}

asio::awaitable<FoldReport> fold_events(pg::Transaction& transaction, const NewEvents& events,
                                        std::int64_t at_ms) {
  static const std::string lock = lock_sql();
  static const std::string write = write_sql();
  FoldReport report;
  if (events.empty()) co_return report;

  Ints ids;
  for (const auto& [call, list] : events) ids.push_back(call);
  const Range range = range_of(ids);

  std::vector<pg::Statement> first;
  first.push_back({lock, {pg::array(ids), range.low, range.high}});
  first.push_back({add_sql, add_params(events, range)});
  first.push_back({history_sql, {pg::array(ids), range.low, range.high}});
  std::vector<pg::Rows> answers = co_await transaction.pipeline(std::move(first));
  const pg::Rows& records = answers[0];
  report.stored = answers[1].affected();

  std::map<std::int64_t, std::vector<Event>> histories;
  for (std::size_t row = 0; row < answers[2].size(); ++row) {
    histories[answers[2].integer(row, "call")].push_back(event_from_row(answers[2], row));
  }

  Writes writes;
  RecordingRows files;
  Ints abandoned_call, abandoned_attempt;
  for (std::size_t row = 0; row < records.size(); ++row) {
    if (!records.is_null(row, "merged_into")) {
      // Its events have another home by now: whoever brought these must look again.
      throw pg::Failure("40001", "a call was merged into another one meanwhile; look it up again");
    }
    const StoredRecord before = record_from_row(records, row);
    const std::int64_t id = before.constants.id;
    const std::vector<Event>& history = histories[id];
    const Folded after = fold(before.constants, history);
    std::erase(ids, id);
    const std::vector<NewEvent>& fresh = events.at(id);
    for (const int attempt : abandoned_attempts(fresh, history, at_ms)) {
      abandoned_call.push_back(id);
      abandoned_attempt.push_back(attempt);
    }
    // Not only the first sign of life: the phone may have been another call's then.
    if (after.state == "close" && after.late_life && before.folded.late_life &&
        closed_by_our_clock(after, history) && shows_life(fresh)) {
      writes.retake.push_back(id);
    }
    if (before.version > 0 && after == before.folded) continue;
    writes.add(before, after, closed_by_our_clock(after, history), lingers(history));
    files.add(before, after, history, at_ms);
    report.changed.push_back(id);
    if (after.state == "close" && before.folded.state != "close") report.closed.push_back(id);
    if (after.late_life && !before.folded.late_life) ++report.late_life;
    if (const auto judgement = judge(before, after, history); judgement && young(fresh, at_ms)) {
      report.judged.push_back(*judgement);
    }
  }
  report.unknown = std::move(ids);

  std::vector<pg::Statement> second;
  add_attempt_updates(events, second);
  add_heard_updates(events, second);
  if (!writes.calls.empty()) second.push_back({write, writes.params(at_ms)});
  if (!files.empty()) second.push_back(files.statement());
  if (!abandoned_call.empty()) {
    report.abandoned = abandoned_call.size();
    second.push_back({hang_up_abandoned_sql,
                      pg::params(pg::array(abandoned_call), pg::array(abandoned_attempt), at_ms)});
  }
  if (!writes.release.empty()) {
    second.push_back({release_claims_sql, {pg::array(writes.release), at_ms}});
  }
  if (!writes.linger.empty()) {
    second.push_back(
        {linger_claims_sql, pg::params(pg::array(writes.linger), at_ms + line_linger_ms)});
  }
  if (!writes.hold.empty()) {
    second.push_back({hold_claims_sql, {pg::array(writes.hold), at_ms, own_close_hold_ms}});
  }
  if (!writes.retake.empty()) {
    second.push_back({keep_claims_sql, pg::params(pg::array(writes.retake))});
    second.push_back({retake_claims_sql, pg::params(pg::array(writes.retake), at_ms)});
    second.push_back({ask_again_sql, pg::params(pg::array(writes.retake), at_ms)});
  }
  if (!second.empty()) co_await transaction.pipeline(std::move(second));
  co_return report;
}

}  // namespace cc
