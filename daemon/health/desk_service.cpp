#include "health/desk_service.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "agent/agent_check.hpp"
#include "health/standing.hpp"
#include "health/state_change.hpp"

namespace cc {
namespace {

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t judged_ms = minute_ms;         // attempts count for so long
constexpr std::int64_t answered_ms = 10 * minute_ms;  // calls do
constexpr std::int64_t ahead_ms = 60 * minute_ms;     // of another daemon's clock, at most

constexpr std::string_view verdicts_sql =
    "SELECT channel, count(*) AS judged, count(*) FILTER (WHERE taken > 0 OR final > 0) AS failed "
    "FROM channel_verdict WHERE channel = ANY($1::varchar[]) AND judged > $2::bigint "
    "GROUP BY channel";

// By id, which is time: the newest calls alone, in one or two partitions.
constexpr std::string_view answers_sql =
    "SELECT channel, count(*) AS originated, count(conn_time) AS answered FROM call_record "
    "WHERE tenant = $4 AND id >= $2::bigint AND id < $3::bigint AND channel = ANY($1::varchar[]) "
    "AND direction = 'out' AND merged_into IS NULL AND (state = 'close' OR conn_time IS NOT NULL) "
    "GROUP BY channel";

constexpr std::string_view backlog_sql =
    "SELECT channel, count(*) AS waiting FROM call_attempt WHERE channel = ANY($1::varchar[]) "
    "AND tenant = $2 AND query_due IS NOT NULL GROUP BY channel";

// A line is busy if it or its handset is in a call. $3: the channels whose line is a phone; nobody
// signs in there.
constexpr std::string_view lines_sql =
    "WITH line AS MATERIALIZED (SELECT a.channel, a.desired = 'online' AND "
    "(a.channel = ANY($3::varchar[]) OR coalesce(a.actual = 'online', false)) AS online, "
    "EXISTS (SELECT 1 FROM claim c WHERE c.kind = 'line' AND c.resource = a.channel || '/' || "
    "a.agent AND c.released IS NULL AND (c.release_at IS NULL OR c.release_at > $4::bigint)) OR "
    "EXISTS (SELECT 1 FROM claim c WHERE c.kind = 'handset' AND c.resource = a.handset "
    "AND c.released IS NULL AND (c.release_at IS NULL OR c.release_at > $4::bigint)) AS busy "
    "FROM agent a WHERE a.tenant = $2 AND a.channel = ANY($1::varchar[]) "
    "AND a.desired <> 'deleted') "
    "SELECT channel, count(*) FILTER (WHERE online AND NOT busy) AS free, "
    "count(*) FILTER (WHERE busy) AS busy, "
    "count(*) FILTER (WHERE NOT online AND NOT busy) AS offline FROM line GROUP BY channel";

constexpr std::string_view refusals_sql =
    "SELECT w.channel, r.number, r.code, r.last, r.count FROM unnest($1::varchar[]) AS w(channel) "
    "CROSS JOIN LATERAL (SELECT d.number, d.code, d.last, d.count FROM display_refusal d "
    "WHERE d.tenant = $2 AND d.channel = w.channel ORDER BY d.last DESC, d.number, d.code LIMIT "
    "50) AS r "
    "ORDER BY r.last DESC, r.number, r.code";

constexpr std::string_view changes_sql =
    "SELECT w.channel, r.at, r.was, r.state, coalesce(r.why, '') AS why "
    "FROM unnest($1::varchar[]) AS w(channel) CROSS JOIN LATERAL (SELECT c.id, c.at, c.was, "
    "c.state, c.why FROM channel_change c WHERE c.channel = w.channel "
    "ORDER BY c.at DESC, c.id DESC LIMIT 20) AS r ORDER BY r.at DESC, r.id DESC";

constexpr std::string_view make_sql =
    "INSERT INTO channel_health (channel) VALUES ($1) ON CONFLICT (channel) DO NOTHING";
constexpr std::string_view lock_sql =
    "SELECT 1 AS there FROM channel_health WHERE channel = $1 FOR UPDATE";
constexpr std::string_view set_sql =
    "UPDATE channel_health SET enabled = $2::boolean, forced = $3, priority = $4::int, "
    "weight = $5::int, set_by = left($6, 128), set_at = $7::bigint WHERE channel = $1";

using Reports = std::map<std::string, ChannelReport, std::less<>>;

/// The codes that the tenant may use; with `only` that one.
std::vector<std::string> allowed_codes(const Config& config, const std::string& tenant,
                                       const OptText& only) {
  std::vector<std::string> codes;
  const auto found = config.tenants.find(tenant);
  if (found == config.tenants.end()) return codes;
  for (const auto& [code, channel] : config.channels) {
    if (only && code != *only) continue;
    if (allowed_channel(config, code, found->second) != nullptr) codes.push_back(code);
  }
  return codes;
}

std::vector<std::string> phone_channels(const Config& config) {
  std::vector<std::string> codes;
  for (const auto& [code, channel] : config.channels) {
    if (line_is_phone(channel)) codes.push_back(code);
  }
  return codes;
}

std::vector<pg::Statement> ask_all(const Config& config, const std::string& tenant,
                                   const std::vector<std::string>& codes, std::int64_t now_ms) {
  const pg::Param all = pg::array(codes);
  std::vector<pg::Statement> statements;
  statements.push_back(ask_standings());
  statements.push_back({verdicts_sql, pg::params(all, now_ms - judged_ms)});
  statements.push_back({answers_sql, pg::params(all, make_call_id(now_ms - answered_ms, 0),
                                                make_call_id(now_ms + ahead_ms, 0), tenant)});
  statements.push_back({backlog_sql, pg::params(all, tenant)});
  statements.push_back(
      {lines_sql, pg::params(all, tenant, pg::array(phone_channels(config)), now_ms)});
  statements.push_back({refusals_sql, pg::params(all, tenant)});
  statements.push_back({changes_sql, pg::params(all)});
  return statements;
}

/// Calls `fill` with each row's report.
template <class Fill>
void each_row(const pg::Rows& rows, Reports& reports, Fill fill) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto found = reports.find(rows.text(row, "channel"));
    if (found != reports.end()) fill(found->second, row);
  }
}

void add_figures(const std::vector<pg::Rows>& answers, Reports& reports) {
  each_row(answers[1], reports, [&](ChannelReport& report, std::size_t row) {
    report.judged = answers[1].integer(row, "judged");
    report.failed = answers[1].integer(row, "failed");
  });
  each_row(answers[2], reports, [&](ChannelReport& report, std::size_t row) {
    report.originated = answers[2].integer(row, "originated");
    report.answered = answers[2].integer(row, "answered");
  });
  each_row(answers[3], reports, [&](ChannelReport& report, std::size_t row) {
    report.query_backlog = answers[3].integer(row, "waiting");
  });
  each_row(answers[4], reports, [&](ChannelReport& report, std::size_t row) {
    report.lines_free = answers[4].integer(row, "free");
    report.lines_busy = answers[4].integer(row, "busy");
    report.lines_offline = answers[4].integer(row, "offline");
  });
  each_row(answers[5], reports, [&](ChannelReport& report, std::size_t row) {
    const pg::Rows& rows = answers[5];
    report.refused_numbers.push_back({std::string(rows.text(row, "number")),
                                      std::string(rows.text(row, "code")),
                                      rows.integer(row, "last"), rows.integer(row, "count")});
  });
  each_row(answers[6], reports, [&](ChannelReport& report, std::size_t row) {
    const pg::Rows& rows = answers[6];
    report.changes.push_back({rows.integer(row, "at"), std::string(rows.text(row, "was")),
                              std::string(rows.text(row, "state")),
                              std::string(rows.text(row, "why"))});
  });
}

/// When the channel became what it is: as it was noted, or as far as its parts tell.
std::int64_t since_of(const ChannelState& state, const ChannelReport& report) {
  if (!report.changes.empty() && report.changes.front().state == report.state) {
    return report.changes.front().at;
  }
  if (state.breaker.phase != Breaker::Phase::closed) return state.breaker.since_ms;
  return state.silence.since_ms.value_or(state.signing_since_ms.value_or(state.breaker.since_ms));
}

OptMs next_trial_of(const ChannelState& state) {
  if (state.forced) return std::nullopt;
  if (state.breaker.phase == Breaker::Phase::open) return state.breaker.next_trial_ms;
  const bool silent =
      state.breaker.phase == Breaker::Phase::closed && state.silence.since_ms.has_value();
  return silent ? OptMs(state.silence.next_trial_ms) : std::nullopt;
}

void add_state(const ChannelState& state, const ChannelConfig& config, ChannelReport& report) {
  report.kind = config.kind;
  report.state = state.word(config);
  report.enabled = state.enabled_with(config);
  report.standing = to_text(report.enabled ? state.standing() : Standing::shut);
  report.since = since_of(state, report);
  report.why = report.enabled ? state.why() : "it is switched off";
  report.next_trial = report.enabled ? next_trial_of(state) : std::nullopt;
  report.forced = state.forced;
  report.priority = state.priority.value_or(config.priority);
  report.weight = state.weight.value_or(config.weight);
  report.event_p50 = state.silence.p50_ms;
  report.event_p99 = state.silence.p99_ms;
  report.missing = state.silence.missing;
}

void apply(const ChannelWish& wish, ChannelState& state) {
  if (wish.enabled) state.enabled = *wish.enabled;
  if (wish.forced) state.forced = *wish.forced;
  if (wish.priority) state.priority = *wish.priority;
  if (wish.weight) state.weight = *wish.weight;
}

/// What people read of a change that an operator made.
std::string why_changed(const ChannelState& state, const ChannelConfig& config) {
  if (!state.enabled_with(config)) return "an operator switched it off";
  const std::string why = state.why();
  return why.empty() ? "an operator set it" : why;
}

}  // namespace

asio::awaitable<std::vector<ChannelReport>> DeskService::list(std::string tenant, OptText channel) {
  std::vector<ChannelReport> list;
  const std::vector<std::string> codes = allowed_codes(config_, tenant, channel);
  if (codes.empty()) co_return list;
  std::vector<pg::Statement> statements = ask_all(config_, tenant, codes, clock_.epoch_ms());
  pg::Transaction transaction = co_await pool_.begin();
  const std::vector<pg::Rows> answers =
      co_await transaction.pipeline_and_commit(std::move(statements));
  Reports reports;
  for (const std::string& code : codes) reports[code].channel = code;
  add_figures(answers, reports);
  const ChannelStates states = standings_from_rows(answers[0]);
  for (auto& [code, report] : reports) {
    const auto configured = config_.channels.find(code);  // as it is by now
    if (configured == config_.channels.end()) continue;
    const auto state = states.find(code);
    add_state(state == states.end() ? ChannelState() : state->second, configured->second, report);
    list.push_back(std::move(report));
  }
  std::stable_sort(list.begin(), list.end(), [](const ChannelReport& a, const ChannelReport& b) {
    return a.priority < b.priority;
  });
  co_return list;
}

asio::awaitable<std::optional<ChannelReport>> DeskService::set(std::string tenant,
                                                               std::string channel,
                                                               ChannelWish wish, std::string who) {
  if (allowed_codes(config_, tenant, channel).empty()) co_return std::nullopt;
  const std::int64_t now_ms = clock_.epoch_ms();
  std::vector<pg::Statement> statements;
  statements.push_back({make_sql, pg::params(channel)});
  statements.push_back({lock_sql, pg::params(channel)});
  statements.push_back(ask_standings());
  pg::Transaction transaction = co_await pool_.begin();
  const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(statements));
  const auto configured = config_.channels.find(channel);
  if (configured == config_.channels.end()) co_return std::nullopt;
  ChannelState state = standings_from_rows(rows[2]).at(channel);
  StateChange change;
  change.channel = channel;
  change.was = state.word(configured->second);
  apply(wish, state);
  change.state = state.word(configured->second);
  change.why = why_changed(state, configured->second);
  std::vector<pg::Statement> writes;
  writes.push_back({set_sql, pg::params(channel, state.enabled, state.forced, state.priority,
                                        state.weight, who, now_ms)});
  if (change.was != change.state) {
    for (pg::Statement& statement : store_state_change(config_, change, now_ms)) {
      writes.push_back(std::move(statement));
    }
  }
  co_await transaction.pipeline_and_commit(std::move(writes));
  auto listing = list(std::move(tenant), std::move(channel));
  std::vector<ChannelReport> reports = co_await std::move(listing);
  if (reports.empty()) co_return std::nullopt;
  co_return std::move(reports.front());
}

}  // namespace cc
