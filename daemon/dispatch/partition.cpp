#include "dispatch/partition.hpp"

#include <algorithm>
#include <exception>

#include "fault.hpp"
#include "log.hpp"

namespace cc {
namespace {

constexpr Millis block{500};
constexpr Millis observe_every{1000};
constexpr Millis trim_every{10'000};
constexpr Millis not_ours_pause{2000};
constexpr int most_races = 5;

// One that is free is left to a daemon that has fewer than its share, if there is one.
std::string take_sql() {
  return "INSERT INTO stream_cursor AS c (stream, owner, epoch) VALUES ($1, $2, $3) "
         "ON CONFLICT (stream) DO UPDATE SET owner = $2, epoch = $3 "
         "WHERE c.owner = $2 OR ((c.owner IS NULL OR " +
         dead_owner_sql("c") +
         ") AND (SELECT count(*) FILTER (WHERE o.owner = $2) < ceil(count(*)::numeric / " +
         std::string(living_daemons_sql) +
         ") FROM stream_cursor o)) RETURNING entry_id, entries_added, highest_id, run_id, drained";
}

constexpr std::string_view release_sql =
    "UPDATE stream_cursor SET owner = NULL WHERE stream = $1 AND owner = $2 AND epoch = $3";

constexpr std::string_view store_sql =
    "UPDATE stream_cursor SET entry_id = $4, entries_added = $5, highest_id = $6, run_id = $7, "
    "updated = $8, "
    "drained = greatest(drained, $9::bigint) "
    "WHERE stream = $1 AND owner = $2 AND epoch = $3 AND entry_id = $10";

// Whether the statement was refused because of what it held, and would be again: look for the
// culprit.
bool is_poison(const pg::Failure& failure) {
  const std::string kind = failure.sqlstate.substr(0, 2);
  return kind == "21" || kind == "22" || kind == "23" || kind == "54";
}

}  // namespace

Partition::Partition(Parts parts, std::string stream) : parts_(parts) {
  hold_.stream = std::move(stream);
}

asio::awaitable<void> Partition::run() {
  for (;;) {
    std::string problem;
    try {
      co_await serve();
    } catch (const boost::system::system_error& error) {
      if (error.code() == asio::error::operation_aborted) throw;
      problem = error.what();
    } catch (const std::exception& error) {
      problem = error.what();
    }
    draining_ = false;
    if (problem.empty()) {
      co_await parts_.clock.sleep_for(not_ours_pause);
      continue;
    }
    says_ = problem;
    const Millis pause = backoff_.next();
    log().warn("{}: {}; trying again in {} ms", hold_.stream, problem, pause.count());
    co_await parts_.clock.sleep_for(pause);
  }
}

asio::awaitable<void> Partition::serve() {
  owned_ = co_await take();
  elsewhere_ = !owned_;
  if (!owned_) {
    says_ = "drained by another daemon";
    co_return;
  }
  auto redis = co_await redis::Connection::connect(co_await asio::this_coro::executor,
                                                   parts_.config.redis, Millis{3000});
  co_await check(*redis);
  log().info("{}: draining after {}", hold_.stream, to_text(position_.cursor));
  backoff_.reset();
  draining_ = true;
  says_ = "draining";
  co_await drain(*redis);
}

asio::awaitable<bool> Partition::take() {
  static const std::string sql = take_sql();
  hold_.owner = parts_.membership.id();
  hold_.epoch = parts_.membership.epoch();
  const pg::Rows rows =
      co_await parts_.pool.query(sql, pg::params(hold_.stream, hold_.owner, hold_.epoch));
  if (rows.empty()) co_return false;
  position_.cursor = parse_stream_id(rows.text(0, "entry_id")).value_or(StreamId{});
  position_.entries_added = rows.integer(0, "entries_added");
  position_.highest = parse_stream_id(rows.text(0, "highest_id")).value_or(StreamId{});
  position_.run_id = rows.opt_text(0, "run_id").value_or("");
  stored_ = position_;
  noted_.reset();
  taken_.reset();
  // The row's, not ours: with a PostgreSQL from a backup the records are as old as its cursor, and
  // what is still to be read again must not make calls look silent.
  drained_ms_ = rows.integer(0, "drained");
  co_return true;
}

asio::awaitable<void> Partition::check(redis::Connection& redis) {
  const StreamState state = co_await inspect(redis, hold_.stream, position_);
  const StreamVerdict verdict = judge(position_, state);
  if (!verdict.says.empty()) {
    log().critical("{}: {}", hold_.stream, verdict.says);
    if (!verdict.set_back) parts_.metrics.stream_went_back.Increment();
  }
  if (verdict.set_back) parts_.metrics.postgres_set_back.Increment();
  if (verdict.went_back) {
    taken_.reset();
    position_.cursor = StreamId{};
    position_.highest = state.last_generated;
    position_.entries_added = state.entries_added;
  }
  position_.run_id = state.run_id;
  co_await store_position();
  if (owned_) co_await note_cursor(redis);  // told once
}

/// A daemon that dies between its commit and this leaves a lower one, which blames nobody; one
/// above our cursor, of which we have told, must go.
asio::awaitable<void> Partition::note_cursor(redis::Connection& redis) {
  const StreamId cursor = stored_.cursor;
  if (noted_ == cursor) co_return;
  if (co_await note_drained(redis, hold_.stream, cursor)) noted_ = cursor;
}

asio::awaitable<void> Partition::drain(redis::Connection& redis) {
  while (owned_ && !handing_over_) {
    const std::int64_t asked_ms = parts_.clock.epoch_ms();
    const std::vector<StreamEntry> entries = co_await read_after(
        redis, hold_.stream, position_.cursor, parts_.config.stream.batch, block);
    if (entries.empty()) {
      drained_ms_ = asked_ms;
    } else {
      fault_point("dispatch.read");
      co_await commit(entries, asked_ms);
    }
    const auto now = parts_.clock.steady();
    if (owned_ && now - observed_ >= observe_every) co_await observe(redis);
    if (owned_ && now - trimmed_ >= trim_every) co_await trim(redis);
  }
  if (owned_) co_await release();
}

asio::awaitable<void> Partition::commit(std::span<const StreamEntry> entries,
                                        std::int64_t asked_ms) {
  const std::int64_t now_ms = parts_.clock.epoch_ms();
  const std::vector<StreamEntry> list(entries.begin(), entries.end());
  std::string refused;
  for (int races = 0;; ++races) {
    bool raced = false;
    try {
      Batch batch = understand_batch(list, parts_.channels, now_ms);
      if (!co_await commit_as(entries, std::move(batch), true, asked_ms)) {
        batch = understand_batch(list, parts_.channels, now_ms);
        co_await commit_as(entries, std::move(batch), false, asked_ms);
      }
    } catch (const pg::Failure& failure) {
      if (!is_poison(failure)) throw;
      refused = failure.what();
      // Somebody else took the same call id just now: resolve it again.
      raced = failure.unique_violation() && races < most_races;
    }
    if (!raced) break;
    refused.clear();
  }
  if (refused.empty() || !owned_) co_return;
  if (entries.size() == 1) {
    log().error("{}: entry {} becomes a dead letter: {}", hold_.stream, to_text(entries[0].id),
                refused);
    Batch letter = give_up_on(entries[0], refused, now_ms);
    co_await commit_as(entries, std::move(letter), false, asked_ms);
    co_return;
  }
  const std::size_t half = entries.size() / 2;
  co_await commit(entries.first(half), asked_ms);
  if (owned_) co_await commit(entries.subspan(half), asked_ms);
}

asio::awaitable<bool> Partition::commit_as(std::span<const StreamEntry> entries, Batch batch,
                                           bool merges_first, std::int64_t asked_ms) {
  StreamPosition next = position_;
  next.cursor = entries.back().id;
  next.highest = std::max(next.highest, next.cursor);
  const std::int64_t oldest_ms = batch.oldest_received_ms;
  const std::size_t deliveries = batch.deliveries, ignored = batch.ignored;
  const std::size_t unreadable = batch.unreadable.size(), events = batch.events.size();
  const CommitReport report =
      co_await commit_batch(parts_.pool, parts_.channels, hold_, position_.cursor, next,
                            std::move(batch), merges_first, parts_.clock.epoch_ms());
  if (!report.cursor_moved) {
    log().warn("{}: the cursor is not where we left it; reading it again", hold_.stream);
    owned_ = false;
    co_return true;
  }
  // Before the batch where the survivor has a record; after it where the batch made that.
  for (const Merge& merge : report.merges) co_await unite(merge);
  if (!report.committed) co_return false;
  position_ = next;
  stored_ = next;
  if (taken_) *taken_ += static_cast<std::int64_t>(entries.size());
  Metrics& metrics = parts_.metrics;
  const std::int64_t now_ms = parts_.clock.epoch_ms();
  metrics.deliveries.Increment(static_cast<double>(deliveries));
  metrics.events.Increment(static_cast<double>(report.fold.stored));
  metrics.repeats.Increment(
      static_cast<double>(events - std::min(events, report.fold.stored + report.waiting)));
  metrics.dead_letters.Increment(static_cast<double>(unreadable));
  metrics.ignored_events.Increment(static_cast<double>(ignored));
  metrics.waiting_events.Increment(static_cast<double>(report.waiting));
  metrics.late_life.Increment(static_cast<double>(report.fold.late_life));
  metrics.abandoned_life.Increment(static_cast<double>(report.fold.abandoned));
  for (const FoldReport::Judgement& word : report.fold.judged) parts_.health.ended(word);
  if (oldest_ms > 0) {
    metrics.commit_delay.Observe(static_cast<double>(now_ms - oldest_ms) / 1000.0);
  }
  drained_ms_ = drained_after(drained_ms_, oldest_ms, asked_ms);
  for (const std::int64_t call : report.fold.changed) parts_.watch.notify(call);
  co_return true;
}

/// An echo proves whose the channel's call is. The next event of it comes here again if this fails.
asio::awaitable<void> Partition::unite(Merge merge) {
  try {
    const std::int64_t call = merge.survivor;
    const std::optional<std::int64_t> other =
        co_await merge_calls(parts_.pool, std::move(merge), parts_.clock.epoch_ms());
    if (!other) co_return;
    parts_.metrics.merged_calls.Increment();
    parts_.watch.notify(call);
    parts_.watch.notify(*other);
    log().info("call {}: {} was the same call and is merged into it", call, *other);
  } catch (const pg::Failure& failure) {
    log().warn("call {}: merging: {}", merge.survivor, failure.what());
  }
}

asio::awaitable<void> Partition::observe(redis::Connection& redis) {
  observed_ = parts_.clock.steady();
  const StreamState state = co_await inspect(redis, hold_.stream, position_);
  position_.entries_added = std::max(position_.entries_added, state.entries_added);
  position_.highest = std::max(position_.highest, state.last_generated);
  if (state.last_generated <= position_.cursor) taken_ = state.entries_added;
  co_await store_position();
  if (owned_) co_await note_cursor(redis);
}

asio::awaitable<void> Partition::trim(redis::Connection& redis) {
  trimmed_ = parts_.clock.steady();
  const StreamState state = co_await inspect(redis, hold_.stream, position_);
  if (!state.exists || state.length == 0) co_return;
  const auto lag = static_cast<std::uint64_t>(parts_.config.stream.trim_lag.count());
  const auto now = static_cast<std::uint64_t>(parts_.clock.epoch_ms());
  StreamId keep_from{now > lag ? now - lag : 0, 0};
  const std::uint64_t bytes = co_await memory_of(redis, hold_.stream);
  // What has been drained must not count as a backlog, for NGINX and ccd spool from high_water on.
  const auto& stream = parts_.config.stream;
  const bool too_many =
      static_cast<std::uint64_t>(state.length) > stream.high_water / 2 / stream.partitions;
  if ((too_many || bytes > stream.trim_bytes) && position_.cursor > state.first) {
    // Too large: give up a quarter of the committed time, and see again in ten seconds.
    const std::uint64_t span = position_.cursor.ms - state.first.ms;
    keep_from = std::max(keep_from, StreamId{state.first.ms + span / 4 + 1, 0});
  }
  keep_from = std::min(keep_from, stored_.cursor);
  if (keep_from <= state.first || keep_from <= state.trimmed_to) co_return;
  co_await trim_below(redis, hold_.stream, keep_from);
  fault_point("dispatch.trimmed");
}

asio::awaitable<void> Partition::release() {
  co_await store_position();
  co_await parts_.pool.query(release_sql, pg::params(hold_.stream, hold_.owner, hold_.epoch));
  owned_ = handing_over_ = draining_ = false;
  elsewhere_ = true;
  says_ = "handed over to another daemon";
  log().info("{}: handed over", hold_.stream);
}

asio::awaitable<void> Partition::store_position() {
  const StreamPosition now = position_;
  // Only if the row is as we left it: a PostgreSQL from a backup must not be told that what it lost
  // has been drained.
  const pg::Rows rows = co_await parts_.pool.query(
      store_sql, pg::params(hold_.stream, hold_.owner, hold_.epoch, to_text(now.cursor),
                            now.entries_added, to_text(now.highest), now.run_id,
                            parts_.clock.epoch_ms(), drained_ms_, to_text(stored_.cursor)));
  owned_ = rows.affected() == 1;
  stored_ = now;
}

}  // namespace cc
