#include "health/channel_health.hpp"

#include <random>
#include <set>
#include <vector>

#include "health/state_change.hpp"
#include "log.hpp"
#include "record.hpp"

namespace cc {
namespace {

constexpr std::int64_t look_every_ms = 1'000;
constexpr std::int64_t remembered_ms = 3'600'000;  // of verdicts: for the last five, at any rate
constexpr std::size_t most_kept = 100'000;         // verdicts, while PostgreSQL is away

// The attempt's own row says where and when it began.
constexpr std::string_view tell_sql =
    "INSERT INTO channel_verdict AS v (call, attempt, channel, begun, taken, taken_at, final, "
    "final_at, judged) "
    "SELECT a.call, a.attempt, a.channel, coalesce(x.begun, a.sent, x.at), x.taken, CASE WHEN "
    "x.taken IS "
    "NOT "
    "NULL THEN x.at END, x.final, CASE WHEN x.final IS NOT NULL THEN x.at END, x.at "
    "FROM unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::smallint[], $5::bigint[], "
    "$6::bigint[]) AS x (call, attempt, taken, final, at, begun) JOIN call_attempt a ON a.call = "
    "x.call AND a.attempt = "
    "x.attempt "
    "ON CONFLICT (call, attempt) DO UPDATE SET taken = coalesce(v.taken, excluded.taken), "
    "taken_at = coalesce(v.taken_at, excluded.taken_at), final = coalesce(excluded.final, "
    "v.final), "
    "final_at = coalesce(excluded.final_at, v.final_at), judged = excluded.judged RETURNING "
    "channel";

constexpr std::string_view ensure_sql =
    "INSERT INTO channel_health (channel) VALUES ($1) ON CONFLICT (channel) DO NOTHING";

constexpr std::string_view lock_sql =
    "SELECT channel, breaker, since, why, open_ms, next_trial, by_finals, trials, trial_at, "
    "silent, "
    "silent_why, silent_ms, silent_next, silent_over, signing, signing_why, event_p50, event_p99, "
    "missing, "
    "enabled, forced, priority, weight FROM channel_health WHERE channel = $1 FOR UPDATE";

constexpr std::string_view turn_sql =
    "UPDATE channel_health SET looked = $2::bigint WHERE channel = $1 AND (looked <= $2::bigint - "
    "$3::bigint OR looked > $2::bigint)";

constexpr std::string_view recent_sql =
    "SELECT begun, taken, taken_at, final, final_at FROM channel_verdict WHERE channel = $1 AND "
    "judged > $2::bigint ORDER BY judged DESC LIMIT 500";

constexpr std::string_view write_sql =
    "UPDATE channel_health SET breaker = $2, since = $3, why = left($4, 256), open_ms = $5, "
    "next_trial = $6, by_finals = $7, trials = $8, trial_at = $9, silent = $10, silent_why = "
    "left($11, 256), silent_ms = $12, silent_next = $13, silent_over = $19, signing = $14, "
    "signing_why = left($15, "
    "256), event_p50 = $16, event_p99 = $17, missing = $18 WHERE channel = $1";

constexpr std::string_view heard_sql =
    "SELECT v.taken_at, e.first, e.last FROM (SELECT call, attempt, taken_at FROM channel_verdict "
    "WHERE channel = $1 AND judged > $2::bigint AND taken = 0 ORDER BY judged DESC LIMIT 200) AS v "
    "LEFT JOIN LATERAL (SELECT min(received) AS first, max(received) AS last FROM call_event c "
    "WHERE c.call = v.call AND c.attempt = v.attempt AND c.source = 'callback') AS e ON true "
    "WHERE (SELECT a.state FROM call_attempt a WHERE a.call = v.call AND a.attempt = v.attempt) = "
    "'accepted'";

constexpr std::string_view sign_ins_sql =
    "SELECT count(*) FILTER (WHERE actual = 'failing') AS failing, count(*) FILTER (WHERE actual = "
    "'online') AS online FROM agent WHERE channel = $1 AND desired = 'online'";

constexpr std::string_view forget_sql =
    "DELETE FROM channel_verdict WHERE channel = $1 AND judged < $2::bigint";

double jitter() {
  static std::mt19937_64 source{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(source);
}

std::optional<ChannelVerdict> verdict_from(const pg::Rows& rows, std::size_t row,
                                           std::string_view column) {
  const auto value = rows.opt_integer(row, column);
  if (!value) return std::nullopt;
  return static_cast<ChannelVerdict>(*value);
}

std::optional<std::int64_t> number_of(const std::optional<ChannelVerdict>& verdict) {
  if (!verdict) return std::nullopt;
  return static_cast<std::int64_t>(*verdict);
}

std::vector<Judged> judged_from(const pg::Rows& rows) {
  std::vector<Judged> list;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    Judged judged;
    judged.begun_ms = rows.integer(row, "begun");
    judged.taken = verdict_from(rows, row, "taken");
    judged.taken_ms = rows.opt_integer(row, "taken_at").value_or(0);
    judged.final = verdict_from(rows, row, "final");
    judged.final_ms = rows.opt_integer(row, "final_at").value_or(0);
    list.push_back(judged);
  }
  return list;
}

ChannelState state_from(const pg::Rows& rows) {
  ChannelStates states = standings_from_rows(rows);
  return states.empty() ? ChannelState{} : std::move(states.begin()->second);
}

std::optional<std::int64_t> unless_zero(std::int64_t value) {
  return value == 0 ? std::nullopt : std::optional(value);
}

OptText unless_empty(const std::string& text) {
  return text.empty() ? OptText{} : OptText{text};
}

}  // namespace

void ChannelHealth::taken(std::int64_t call, int attempt, std::int64_t begun_ms,
                          ChannelVerdict verdict) {
  if (told_.size() >= most_kept) return;
  Told& told = told_[{call, attempt}];
  if (!told.taken) told.taken = verdict;
  told.begun_ms = begun_ms;
  told.at_ms = membership_.fleet_ms();
}

void ChannelHealth::ended(const FoldReport::Judgement& word) {
  if (told_.size() >= most_kept) return;
  if (!word.failed && !tried_.contains(word.channel)) return;
  Told& told = told_[{word.call, word.attempt}];
  told.final = word.failed ? ChannelVerdict::failed : ChannelVerdict::well;
  told.at_ms = membership_.fleet_ms();
}

BreakerLimits ChannelHealth::limits() const {
  BreakerLimits limits;
  limits.open = config_.health.open;
  limits.open_most = std::max(config_.health.open, config_.health.open_most);
  return limits;
}

asio::awaitable<void> ChannelHealth::flush() {
  if (told_.empty()) co_return;
  const std::map<Key, Told> told = std::exchange(told_, {});
  std::vector<std::int64_t> call, attempt, at;
  std::vector<std::optional<std::int64_t>> taken, final, begun;
  for (const auto& [key, word] : told) {
    call.push_back(key.first);
    attempt.push_back(key.second);
    at.push_back(word.at_ms);
    begun.push_back(word.begun_ms);
    taken.push_back(number_of(word.taken));
    final.push_back(number_of(word.final));
  }
  std::set<std::string> concerned;
  bool stored = false;
  std::string problem;
  try {
    const pg::Rows rows = co_await pool_.query(
        tell_sql, pg::params(pg::array(call), pg::array(attempt), pg::array(taken),
                             pg::array(final), pg::array(at), pg::array(begun)));
    for (std::size_t row = 0; row < rows.size(); ++row) {
      concerned.emplace(rows.text(row, "channel"));
    }
    stored = true;
  } catch (const pg::Failure& failure) {
    problem = failure.what();
  }
  if (!stored) {
    for (const auto& [key, word] : told) {
      Told& now = told_[key];
      if (word.taken) now.taken = word.taken;
      if (!now.final) now.final = word.final;
      if (!now.begun_ms) now.begun_ms = word.begun_ms;
      now.at_ms = std::max(now.at_ms, word.at_ms);
    }
    throw pg::Failure("58000", "how channels do can't be stored yet: " + problem);
  }
  for (const std::string& channel : concerned) {
    try {
      co_await judge(channel);
    } catch (const pg::Failure& failure) {  // look() judges it again
      log().warn("channel {}: {}", channel, failure.what());
    }
  }
}

asio::awaitable<void> ChannelHealth::judge(std::string channel) {
  const std::int64_t now_ms = membership_.fleet_ms();
  pg::Transaction transaction = co_await pool_.begin();
  std::vector<pg::Statement> statements;
  statements.push_back({"SET LOCAL lock_timeout = '1s'"});
  statements.push_back({ensure_sql, pg::params(channel)});
  statements.push_back({lock_sql, pg::params(channel)});
  statements.push_back({recent_sql, pg::params(channel, now_ms - remembered_ms)});
  const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(statements));
  const ChannelState before = state_from(rows[2]);
  const auto changed =
      judge_breaker(before.breaker, judged_from(rows[3]), now_ms, limits(), jitter());
  if (!changed) co_return;
  ChannelState after = before;
  after.breaker = *changed;
  co_await write(transaction, channel, before, after, now_ms);
}

asio::awaitable<void> ChannelHealth::look(std::int64_t drained_ms) {
  std::vector<std::string> codes;
  for (const auto& [code, channel] : channels_.all()) codes.push_back(code);
  for (const std::string& code : codes) {
    try {
      co_await look_at(code, drained_ms);
    } catch (const pg::Failure& failure) {  // one that is locked must not hide the others
      log().warn("channel {}: {}", code, failure.what());
    }
  }
}

asio::awaitable<void> ChannelHealth::look_at(std::string channel, std::int64_t drained_ms) {
  const std::int64_t now_ms = membership_.fleet_ms();
  pg::Transaction transaction = co_await pool_.begin();
  std::vector<pg::Statement> opening;
  opening.push_back({"SET LOCAL lock_timeout = '1s'"});
  opening.push_back({ensure_sql, pg::params(channel)});
  opening.push_back({turn_sql, pg::params(channel, now_ms, look_every_ms)});
  opening.push_back({lock_sql, pg::params(channel)});
  const std::vector<pg::Rows> opened = co_await transaction.pipeline(std::move(opening));
  const ChannelState before = state_from(opened[3]);
  show(channel, before);
  if (opened[2].affected() == 0) co_return;  // another daemon's turn
  std::vector<pg::Statement> statements;
  statements.push_back({recent_sql, pg::params(channel, now_ms - remembered_ms)});
  statements.push_back({forget_sql, pg::params(channel, now_ms - 2 * remembered_ms)});
  const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(statements));
  ChannelState after = before;
  const std::vector<Judged> recent = judged_from(rows[0]);
  if (const auto breaker = judge_breaker(before.breaker, recent, now_ms, limits(), jitter())) {
    after.breaker = *breaker;
  }
  const auto configured = channels_.find(channel);
  if (configured && configured->kind->pushes()) {
    co_await judge_silence(transaction, channel, drained_ms, now_ms, after);
  }
  if (configured && configured->provider->sessions() != nullptr) {
    co_await judge_sign_ins(transaction, channel, now_ms, after);
  }
  co_await write(transaction, channel, before, after, now_ms);
}

asio::awaitable<void> ChannelHealth::judge_silence(pg::Transaction& transaction,
                                                   std::string channel, std::int64_t drained_ms,
                                                   std::int64_t now_ms, ChannelState& state) {
  const pg::Rows rows =
      co_await transaction.query(heard_sql, pg::params(channel, now_ms - remembered_ms));
  std::vector<HeardCall> calls;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    HeardCall call;
    call.accepted_ms = rows.integer(row, "taken_at");
    call.first_event_ms = rows.opt_integer(row, "first");
    call.last_event_ms = rows.opt_integer(row, "last");
    calls.push_back(call);
  }
  SilenceLimits silence;
  silence.least = config_.health.overdue;
  silence.unknown = 3 * config_.health.overdue;
  silence.pause = config_.health.open;
  silence.pause_most = std::max(config_.health.open, config_.health.open_most);
  state.silence = judge_callback_silence(state.silence, calls, drained_ms, now_ms, silence);
  // Left alone for a while, one call shows whether its callbacks come again.
  const bool closed = state.breaker.phase == Breaker::Phase::closed;
  if (closed && state.silence.since_ms && now_ms >= state.silence.next_trial_ms) {
    state.breaker.trials = 1;
    state.breaker.trial_at_ms = now_ms;
    state.silence.pause_ms =
        std::min<std::int64_t>(state.silence.pause_ms * 2, silence.pause_most.count());
    state.silence.next_trial_ms = now_ms + state.silence.pause_ms;
  } else if (closed && !state.silence.since_ms) {
    state.breaker.trials = 0;
  }
}

asio::awaitable<void> ChannelHealth::judge_sign_ins(pg::Transaction& transaction,
                                                    std::string channel, std::int64_t now_ms,
                                                    ChannelState& state) {
  const pg::Rows rows = co_await transaction.query(sign_ins_sql, pg::params(channel));
  const std::int64_t failing = rows.integer(0, "failing"), online = rows.integer(0, "online");
  const bool was = state.signing_since_ms.has_value();
  // Half of them fail; and it is well again when three quarters are signed in.
  const bool now = was ? failing * 3 > online : failing > 0 && failing >= online;
  if (now && !was) {
    state.signing_since_ms = now_ms;
    state.signing_why = std::to_string(failing) + " of " + std::to_string(failing + online) +
                        " agents can't sign in";
  } else if (!now && was) {
    state.signing_since_ms.reset();
    state.signing_why.clear();
  }
}

asio::awaitable<void> ChannelHealth::write(pg::Transaction& transaction, std::string channel,
                                           ChannelState before, ChannelState after,
                                           std::int64_t now_ms) {
  const auto configured = channels_.find(channel);
  StateChange change;
  change.channel = channel;
  if (configured) {
    change.was = before.word(configured->config);
    change.state = after.word(configured->config);
  }
  change.why = after.why();
  const bool changed = change.was != change.state;
  const Breaker& b = after.breaker;
  const CallbackSilence& s = after.silence;
  std::vector<pg::Statement> statements;
  statements.push_back(
      {write_sql,
       pg::params(channel, to_text(b.phase), b.since_ms, unless_empty(b.why), b.open_ms,
                  unless_zero(b.next_trial_ms), b.by_finals, std::int64_t{b.trials},
                  unless_zero(b.trial_at_ms), s.since_ms, unless_empty(s.why), s.pause_ms,
                  unless_zero(s.next_trial_ms), after.signing_since_ms,
                  unless_empty(after.signing_why), s.p50_ms, s.p99_ms, s.missing, s.over_ms)});
  if (changed) {
    for (pg::Statement& statement : store_state_change(config_, change, now_ms)) {
      statements.push_back(std::move(statement));
    }
  }
  co_await transaction.pipeline_and_commit(std::move(statements));
  show(channel, after);
  if (!changed) co_return;
  metrics_.channel_changes.Add({{"channel", channel}, {"state", change.state}}).Increment();
  if (change.state == "closed") {
    log().info("channel {}: {} -> closed: it is whole again", channel, change.was);
  } else {
    log().warn("channel {}: {} -> {}: {}", channel, change.was, change.state, change.why);
  }
}

void ChannelHealth::show(const std::string& channel, const ChannelState& state) {
  if (state.breaker.phase == Breaker::Phase::closed) {
    tried_.erase(channel);
  } else {
    tried_.insert(channel);
  }
  metrics_.channel_standing.Add({{"channel", channel}})
      .Set(static_cast<double>(static_cast<int>(state.standing())));
}

}  // namespace cc
