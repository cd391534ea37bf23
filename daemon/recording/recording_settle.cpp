#include "recording/recording_settle.hpp"

namespace cc {
namespace {

constexpr std::string_view lock_sql =
    "SELECT merged_into FROM call_record WHERE id = $1 FOR UPDATE";
constexpr std::string_view history_sql =
    "SELECT 1 FROM call_event WHERE call = $1 AND NOT (source = 'cc' AND name IN "
    "('recording.stored', 'recording.absent', 'recording.deleted')) LIMIT 1";

// As the fold would have it.
constexpr std::string_view audio_sql =
    "WITH written AS (UPDATE call_record SET recording_state = $2, recording_reason = $3, "
    "audio_url = $4, recording_expected_at = NULL, version = version + 1, updated = $5 "
    "WHERE id = $1 RETURNING tenant, id, version) "
    "INSERT INTO change (tenant, call, version, kind, at) "
    "SELECT tenant, id, version, $6, $5 FROM written";
constexpr std::string_view ivr_sql =
    "WITH written AS (UPDATE call_record SET ivr_url = $2, version = version + 1, updated = $3 "
    "WHERE id = $1 RETURNING tenant, id, version) "
    "INSERT INTO change (tenant, call, version, kind, at) "
    "SELECT tenant, id, version, 'call.amended', $3 FROM written";

/// Nothing where the record says nothing of it.
std::optional<pg::Statement> words_of(std::int64_t call, const Event& event, std::int64_t now_ms) {
  const Facts& facts = event.facts;
  const bool stored = event.name == EventName::recording_stored;
  const bool absent = event.name == EventName::recording_absent;
  const OptText address = stored ? facts.audio_url : OptText{};
  if (facts.file == "ivr") {
    if (absent) return std::nullopt;
    return pg::Statement(ivr_sql, pg::params(call, address, now_ms));
  }
  const char* const state = stored ? "stored" : absent ? "absent" : "deleted";
  const char* const kind = stored   ? "recording.ready"
                           : absent ? "recording.absent"
                                    : "recording.deleted";
  return pg::Statement(audio_sql, pg::params(call, std::string(state),
                                             stored ? OptText{} : facts.reason, address, now_ms,
                                             std::string(kind)));
}

}  // namespace

asio::awaitable<bool> settle_file(Parts parts, std::int64_t call, pg::Statement step,
                                  NewEvent event) {
  pg::Transaction transaction = co_await parts.pool.begin();
  std::vector<pg::Statement> statements;
  statements.push_back({"SET LOCAL lock_timeout = '2s'", {}});
  statements.push_back({lock_sql, pg::params(call)});
  statements.push_back(std::move(step));
  statements.push_back({history_sql, pg::params(call)});
  const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(statements));
  if (rows[2].affected() == 0) co_return false;
  const std::int64_t now_ms = parts.clock.epoch_ms();
  if (!rows[1].empty() && rows[3].empty()) {
    if (!rows[1].is_null(0, "merged_into")) {
      throw pg::Failure("40001", "the call was merged into another one meanwhile");
    }
    std::optional<pg::Statement> words = words_of(call, event.event, now_ms);
    if (words) co_await transaction.query(words->sql, std::move(words->params));
  } else {
    NewEvents events;
    events[call].push_back(std::move(event));
    co_await fold_events(transaction, events, now_ms);
  }
  co_await transaction.commit();
  parts.watch.notify(call);
  co_return true;
}

}  // namespace cc
