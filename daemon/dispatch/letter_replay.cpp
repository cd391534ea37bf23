#include "dispatch/letter_replay.hpp"

#include <algorithm>
#include <utility>

#include "dispatch/batch.hpp"
#include "dispatch/letter_store.hpp"
#include "dispatch/waiting.hpp"
#include "log.hpp"
#include "phone.hpp"

namespace cc {
namespace {

constexpr int most_races = 5;
constexpr std::string_view no_partition = "23514";
constexpr const char* not_kept = "expired: the month of its call is not kept";

// Whether the month of a call that began then is there to be written to.
constexpr std::string_view month_sql =
    "SELECT to_regclass('call_record_' || to_char(to_timestamp($1::bigint / 1000.0) AT TIME ZONE "
    "'UTC', 'YYYYMM')) IS NOT NULL AS kept";

struct Reading {
  Batch batch;
  std::string problem;  // why it is not all understood; empty = it is
};

Reading read_again(const Letter& letter, const Channels& channels, std::int64_t now_ms) {
  std::vector<StreamEntry> entries(1);
  entries[0].field = letter.channel;
  entries[0].value = letter.raw;
  Reading reading;
  reading.batch = understand_batch(entries, channels, now_ms);
  if (!reading.batch.unreadable.empty()) reading.problem = reading.batch.unreadable[0].reason;
  // It would only wait for a minute and then come back.
  const auto nameless = std::remove_if(
      reading.batch.events.begin(), reading.batch.events.end(), [](const FoundEvent& item) {
        return !item.found.call && item.found.channel_call_id.empty() && item.found.subject.empty();
      });
  if (nameless != reading.batch.events.end()) reading.problem = "names no call";
  reading.batch.events.erase(nameless, reading.batch.events.end());
  return reading;
}

bool is_race(const pg::Failure& failure) {
  return failure.unique_violation() || failure.sqlstate.starts_with("40");
}

/// PostgreSQL will not take what the letter says, today or tomorrow.
bool is_refusal(const pg::Failure& failure) {
  const std::string kind = failure.sqlstate.substr(0, 2);
  return kind == "21" || kind == "22" || kind == "23" || kind == "54";
}

struct Commit {
  Replay replay;
  bool committed = false;  // false: the merges come first, then the letter again
  std::vector<Merge> merges;
};

asio::awaitable<Commit> commit_reading(pg::Pool& pool, const Channels& channels, std::int64_t id,
                                       Reading reading, bool merges_first, std::int64_t now_ms) {
  Commit commit;
  commit.replay.events = reading.batch.events.size();
  pg::Transaction transaction = co_await pool.begin();
  const Known known = co_await look_up(transaction, reading.batch.events);
  StoredEvents stored =
      co_await store_events(transaction, channels, std::move(reading.batch.events), known, now_ms);
  commit.merges = std::move(stored.merges);
  if (merges_first && !commit.merges.empty()) co_return commit;  // all of it is rolled back
  std::vector<FoundEvent> waiting;
  if (!stored.expired.empty()) reading.problem = stored.expired[0].reason;
  for (FoundEvent& item : stored.waiting) {
    const pg::Rows month =
        co_await transaction.query(month_sql, pg::params(item.found.event.received_ms));
    if (month.boolean(0, "kept")) {
      waiting.push_back(std::move(item));
    } else {
      reading.problem = not_kept;
    }
  }
  std::vector<pg::Statement> closing;
  if (!waiting.empty()) closing.push_back(put_to_wait(waiting));
  closing.push_back(reading.problem.empty() ? mark_replayed(id, now_ms)
                                            : mark_unreadable(id, reading.problem));
  co_await transaction.pipeline(std::move(closing));
  co_await transaction.commit();
  Replay& replay = commit.replay;
  replay.stored = stored.fold.stored;
  replay.waiting = waiting.size();
  replay.calls = std::move(stored.fold.changed);
  if (reading.problem.empty()) {
    replay.replayed_ms = now_ms;
  } else {
    replay.outcome = Replay::Outcome::still_unreadable;
    replay.reason = std::move(reading.problem);
  }
  commit.committed = true;
  co_return commit;
}

/// Before the letter is marked, so that a crash in between forgets none; where the letter makes the
/// survivor's record, after it. What fails is tried again by the next event of the call.
asio::awaitable<void> unite(pg::Pool& pool, std::vector<Merge> merges, std::int64_t now_ms,
                            std::vector<std::int64_t>& changed) {
  for (Merge& merge : merges) {
    const std::int64_t survivor = merge.survivor;
    try {
      const std::optional<std::int64_t> other =
          co_await merge_calls(pool, std::move(merge), now_ms);
      if (!other) continue;
      changed.push_back(survivor);
      changed.push_back(*other);
      log().info("call {}: {} was the same call and is merged into it", survivor, *other);
    } catch (const pg::Failure& failure) {
      log().warn("call {}: merging: {}", survivor, failure.what());
    }
  }
}

}  // namespace

asio::awaitable<Replay> replay_letter(pg::Pool& pool, const Channels& channels, Letter letter,
                                      std::int64_t now_ms) {
  Replay done;
  if (letter.replayed_ms) {
    done.before = true;
    done.replayed_ms = *letter.replayed_ms;
    co_return done;
  }
  Commit commit;
  std::vector<std::int64_t> merged;
  std::string refused;
  bool merges_first = true;
  int races = 0;
  while (!commit.committed && refused.empty()) {
    try {
      Reading reading = read_again(letter, channels, now_ms);
      commit = co_await commit_reading(pool, channels, letter.id, std::move(reading), merges_first,
                                       now_ms);
    } catch (const pg::Failure& failure) {
      const bool again = is_race(failure) && ++races <= most_races;
      if (!again && !is_refusal(failure)) throw;
      if (!again) refused = failure.sqlstate == no_partition ? not_kept : failure.what();
    }
    if (commit.merges.empty()) continue;
    merges_first = false;
    std::vector<Merge> merges = std::exchange(commit.merges, {});
    co_await unite(pool, std::move(merges), now_ms, merged);
  }
  if (!refused.empty()) {
    const pg::Statement mark = mark_unreadable(letter.id, refused);
    co_await pool.query(mark.sql, mark.params);
    done.outcome = Replay::Outcome::still_unreadable;
    done.reason = std::move(refused);
    co_return done;
  }
  done = std::move(commit.replay);
  done.calls.insert(done.calls.end(), merged.begin(), merged.end());
  co_return done;
}

LetterFilter LetterService::seen_by(const std::string& tenant, LetterFilter filter) const {
  const auto found = parts_.config.tenants.find(tenant);
  if (found != parts_.config.tenants.end() && found->second.channels.empty()) return filter;
  filter.of.emplace();
  if (found != parts_.config.tenants.end()) filter.of = found->second.channels;
  for (const auto& [code, channel] : parts_.config.channels) filter.known.push_back(code);
  return filter;
}

/// What nobody can read is nobody's, as a call that nobody is found for: the channel's default
/// tenant's. Under a code that nobody has configured: of those who are any channel's.
bool LetterService::is_foreign(const std::string& tenant, const std::string& code) const {
  const auto found = parts_.config.channels.find(code);
  if (found != parts_.config.channels.end()) return found->second.default_tenant != tenant;
  return std::none_of(parts_.config.channels.begin(), parts_.config.channels.end(),
                      [&](const auto& channel) { return channel.second.default_tenant == tenant; });
}

asio::awaitable<std::vector<Letter>> LetterService::list(std::string tenant, LetterFilter filter) {
  std::vector<Letter> letters =
      co_await list_letters(parts_.pool, seen_by(tenant, std::move(filter)));
  for (Letter& letter : letters) letter.foreign = is_foreign(tenant, letter.channel);
  co_return letters;
}

asio::awaitable<std::optional<Letter>> LetterService::get(std::string tenant, std::int64_t id) {
  std::optional<Letter> letter =
      co_await read_letter(parts_.pool, id, seen_by(tenant, LetterFilter()));
  if (letter) letter->foreign = is_foreign(tenant, letter->channel);
  co_return letter;
}

asio::awaitable<std::optional<Replay>> LetterService::replay(std::string tenant, std::int64_t id) {
  std::optional<Letter> letter = co_await get(std::move(tenant), id);
  if (!letter) co_return std::nullopt;
  const std::string channel = letter->channel;
  Replay replay = co_await replay_letter(parts_.pool, parts_.channels, *std::move(letter),
                                         parts_.clock.epoch_ms());
  for (const std::int64_t call : replay.calls) parts_.watch.notify(call);
  log().info("dead letter {} ({}): {}", id, mask_numbers_in(channel),
             replay.outcome == Replay::Outcome::replayed
                 ? "replayed"
                 : "still unreadable: " + mask_numbers_in(replay.reason));
  co_return replay;
}

}  // namespace cc
