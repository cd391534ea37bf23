#include "recording/recording_work.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "log.hpp"
#include "recording/patience.hpp"
#include "recording/recording_try.hpp"
#include "recording/store_standing.hpp"
#include "spawn.hpp"

namespace cc {
namespace {

using Time = std::chrono::steady_clock::time_point;

constexpr std::chrono::seconds count_every{15};
constexpr std::chrono::seconds sweep_every{60};
constexpr std::chrono::hours alarm_every{1};
constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t elsewhere_pause_ms = 3'600'000;
constexpr int most_sweep_problems = 10;  // then the store is left alone until the next pass

}  // namespace

struct RecordingWork::Impl {
  Impl(Parts its_parts, HttpClient& its_http, ObjectStore& its_store,
       asio::any_io_executor its_executor, std::function<std::int64_t()> its_now_ms)
      : parts(its_parts),
        http(its_http),
        store(its_store),
        executor(std::move(its_executor)),
        given_now_ms(std::move(its_now_ms)),
        queue(parts) {}

  /// Files are given up and removed by the clock on which the whole fleet agrees: one host's that
  /// is wrong must not cost any.
  std::int64_t now_ms() const {
    return given_now_ms ? given_now_ms() : parts.membership.fleet_ms();
  }

  asio::awaitable<void> look();
  asio::awaitable<void> fill();
  asio::awaitable<bool> fill_places(std::size_t wanted, std::vector<std::string> but_not_of);
  std::vector<std::string> greedy() const;
  asio::awaitable<void> count();
  void alarm();
  void begin(RecordingRow row);

  asio::awaitable<void> drive(RecordingRow row);
  asio::awaitable<void> work_on(RecordingRow& row);
  asio::awaitable<void> pursue(RecordingRow& row);
  asio::awaitable<void> conclude(const RecordingRow& row, const TryEnd& end);
  asio::awaitable<void> give_up_on(const RecordingRow& row, std::string reason);
  asio::awaitable<void> postpone(const RecordingRow& row, std::string problem, bool counted);
  asio::awaitable<void> remove_orphan(const RecordingRow& row);
  asio::awaitable<void> after_failure(const RecordingRow& row, pg::Failure failure);
  Millis pause_after(int tries);
  ChannelRecordings channel_of(const RecordingRow& row) const;

  asio::awaitable<void> sweep();
  asio::awaitable<void> sweep_all();
  asio::awaitable<void> sweep_tenant(std::string tenant, int days, int& problems);
  asio::awaitable<bool> remove_or_leave(RecordingRow row, int days);
  asio::awaitable<bool> remove_expired(const RecordingRow& row, int days);
  void tell_of_strangers(std::size_t strangers);

  Parts parts;
  HttpClient& http;
  ObjectStore& store;
  asio::any_io_executor executor;
  std::function<std::int64_t()> given_now_ms;
  RecordingQueue queue;
  FileThread disk;
  std::map<RecordingKey, std::string> in_hand;  // and of which channels they are
  std::size_t storing = 0;                      // of these, the store is being asked
  StoreStanding standing;
  RecordingCounts counts;
  std::int64_t elsewhere = 0;  // to be removed, but from another store
  Time counted_at{}, swept_at{}, alarmed_at{}, strangers_told_at{};
  bool stopping = false, sweeping = false;
  bool filling = false, filled = false;  // places; filled: there was more to do than places
  std::minstd_rand random{std::random_device{}()};
};

RecordingWork::RecordingWork(Parts parts, HttpClient& http, ObjectStore& store,
                             asio::any_io_executor executor, std::function<std::int64_t()> now_ms)
    : impl_(std::make_unique<Impl>(parts, http, store, std::move(executor), std::move(now_ms))) {}

RecordingWork::~RecordingWork() = default;

std::size_t RecordingWork::in_hand() const noexcept {
  return impl_->in_hand.size();
}

asio::awaitable<void> RecordingWork::look() {
  return impl_->look();
}

asio::awaitable<void> RecordingWork::stop(Time until) {
  Impl& impl = *impl_;
  impl.stopping = true;
  while ((!impl.in_hand.empty() || impl.sweeping || impl.filling) &&
         impl.parts.clock.steady() < until) {
    co_await impl.parts.clock.sleep_for(Millis{20});
  }
  if (!impl.in_hand.empty()) {
    log().info("{} recordings were left on their way; another daemon begins them anew",
               impl.in_hand.size());
  }
}

PartHealth RecordingWork::health() const {
  const Impl& impl = *impl_;
  PartHealth health;
  health.part = "recordings";
  health.ok = true;  // requests can be answered all the same
  const RecordingCounts& counts = impl.counts;
  health.says = std::to_string(counts.expected) + " expected, " +
                std::to_string(impl.in_hand.size()) + " on their way to the " +
                std::string(impl.store.kind());
  if (counts.late > 0) {
    health.grade = Grade::degraded;
    health.says += "; " + std::to_string(counts.late) + " for more than an hour";
  }
  if (impl.elsewhere > 0) {
    health.grade = Grade::degraded;
    health.says += "; " + std::to_string(impl.elsewhere) +
                   " recordings lie in another store, and can't be removed from there";
  }
  if (counts.endangered > 0) {
    health.grade = Grade::failing;
    health.says += "; " + std::to_string(counts.endangered) +
                   " of them for half of the time that their channel keeps them";
  }
  if (impl.standing.down()) {
    health.grade = Grade::failing;
    health.says += "; all wait, the store says " + impl.standing.problem();
  }
  return health;
}

asio::awaitable<void> RecordingWork::Impl::look() {
  if (stopping) co_return;
  co_await queue.schedule();
  const Time now = parts.clock.steady();
  if (counted_at == Time{} || now - counted_at >= count_every) {
    counted_at = now;
    co_await count();
  }
  if (!sweeping && parts.membership.confirmed() && (swept_at == Time{} || now - swept_at >= sweep_every)) {
    swept_at = now;
    sweeping = true;
    spawn(executor, "recordings' retention", sweep());
  }
  co_await fill();
}

/// Begins as many as there are places for. The last place is another channel's than the one that
/// has all the others, if that has any use for it: a channel that drips holds up no other.
asio::awaitable<void> RecordingWork::Impl::fill() {
  if (filling || stopping) co_return;
  struct Over {
    bool& flag;
    ~Over() { flag = false; }
  } const over{filling};
  filling = true;
  filled = false;
  const std::size_t most = parts.config.recordings.at_once, busy = in_hand.size();
  const std::size_t wanted =
      standing.allows(most - std::min(most, busy), storing, parts.clock.steady());
  if (wanted == 0) {
    filled = busy >= most;
    co_return;
  }
  const bool to_the_last = busy + wanted >= most;
  const std::size_t begin = to_the_last ? wanted - 1 : wanted;
  const std::vector<std::string> none;
  bool more = true;
  if (begin > 0) more = co_await fill_places(begin, none);
  if (!more || !to_the_last) co_return;
  const std::vector<std::string> others = greedy();
  filled = co_await fill_places(1, others);
  if (!filled && !others.empty()) filled = co_await fill_places(1, none);
}

/// Whether all of them were.
asio::awaitable<bool> RecordingWork::Impl::fill_places(std::size_t wanted,
                                                       std::vector<std::string> but_not_of) {
  std::vector<RecordingKey> keys;
  for (const auto& [key, channel] : in_hand) keys.push_back(key);
  auto taking = queue.take(wanted, std::move(keys), std::move(but_not_of));
  std::vector<RecordingRow> rows = co_await std::move(taking);
  const bool all = rows.size() == wanted;
  for (RecordingRow& row : rows) begin(std::move(row));
  co_return all;
}

/// Channels that have all places but one.
std::vector<std::string> RecordingWork::Impl::greedy() const {
  const std::size_t most = std::max<std::size_t>(parts.config.recordings.at_once, 2) - 1;
  std::map<std::string, std::size_t> held;
  for (const auto& [key, channel] : in_hand) ++held[channel];
  std::vector<std::string> channels;
  for (const auto& [channel, count] : held) {
    if (count >= most) channels.push_back(channel);
  }
  return channels;
}

asio::awaitable<void> RecordingWork::Impl::count() {
  counts = co_await queue.count();
  const std::int64_t now_ms = parts.clock.epoch_ms();
  const std::int64_t late_ms =
      std::max<std::int64_t>(0, now_ms - counts.oldest_due.value_or(now_ms));
  parts.metrics.recordings_expected.Set(static_cast<double>(counts.expected));
  parts.metrics.recordings_oldest_due.Set(static_cast<double>(late_ms) / 1000.0);
  alarm();
}

void RecordingWork::Impl::alarm() {
  const Time now = parts.clock.steady();
  if (counts.endangered == 0 || (alarmed_at != Time{} && now - alarmed_at < alarm_every)) return;
  alarmed_at = now;
  log().critical(
      "{} recordings are still not fetched after half of the time that their channel keeps them; "
      "the oldest call is {}. ccd recording list --overdue says what is wrong",
      counts.endangered, counts.oldest);
}

/// Another daemon could take it between the row's release and our leaving it, and give it back:
/// then the next pass finds it.
void RecordingWork::Impl::begin(RecordingRow row) {
  if (!in_hand.try_emplace({row.call, row.file}, row.channel).second) return;
  parts.metrics.recordings_in_hand.Set(static_cast<double>(in_hand.size()));
  spawn(executor, "recording", drive(std::move(row)));
}

asio::awaitable<void> RecordingWork::Impl::drive(RecordingRow row) {
  auto working = work_on(row);
  co_await std::move(working);
  if (!filled || stopping) co_return;
  try {
    co_await fill();  // others wait for the place
  } catch (const pg::Failure& failure) {
    log().warn("recordings: {}", failure.what());
  }
}

asio::awaitable<void> RecordingWork::Impl::work_on(RecordingRow& row) {
  struct Leave {
    Impl& impl;
    RecordingKey key;
    ~Leave() {
      impl.in_hand.erase(key);
      impl.parts.metrics.recordings_in_hand.Set(static_cast<double>(impl.in_hand.size()));
    }
  } const leave{*this, {row.call, row.file}};
  std::optional<pg::Failure> failure;
  try {
    if (row.state == "orphaned") {
      co_await remove_orphan(row);
    } else {
      co_await pursue(row);
    }
  } catch (const pg::Failure& thrown) {
    failure = thrown;
  }
  if (failure) co_await after_failure(row, *failure);
}

/// Where this fails too the row stays ours, but in nobody's hand: the next pass takes it.
asio::awaitable<void> RecordingWork::Impl::after_failure(const RecordingRow& row,
                                                         pg::Failure failure) {
  log().warn("call {}: recording: {}", row.call, failure.what());
  try {
    const bool merged = co_await queue.orphan_if_merged(row);
    if (merged) {
      co_await queue.give_back(row);
    } else {
      co_await postpone(row, std::string("the database: ") + failure.what(), true);
    }
  } catch (const pg::Failure& again) {
    log().warn("call {}: recording: {}", row.call, again.what());
  }
}

asio::awaitable<void> RecordingWork::Impl::pursue(RecordingRow& row) {
  const Time begun = parts.clock.steady();
  const TryTools tools{parts, http, store, disk, stopping, storing};
  auto trying = try_recording(tools, row);
  const TryEnd end = co_await std::move(trying);
  const std::string outcome(to_text(end.kind));
  parts.metrics.recording_tries.Add({{"outcome", outcome}}).Increment();
  if (end.kind != TryEnd::Kind::stored) {
    log().info("call {}: {} from {}: try {}: {} {}", row.call, row.file, row.channel, row.tries + 1,
               outcome, tellable_problem(end.problem));
    co_await conclude(row, end);
    co_return;
  }
  const std::chrono::duration<double> took = parts.clock.steady() - begun;
  standing.well();
  parts.metrics.recordings_stored.Increment();
  parts.metrics.recording_bytes.Increment(static_cast<double>(end.size));
  parts.metrics.recording_seconds.Observe(took.count());
  log().info("call {}: {} from {} stored, {} bytes", row.call, row.file, row.channel, end.size);
}

asio::awaitable<void> RecordingWork::Impl::conclude(const RecordingRow& row, const TryEnd& end) {
  using Kind = TryEnd::Kind;
  if (end.kind == Kind::lost || end.kind == Kind::interrupted) {
    co_await queue.give_back(row);  // if it is still ours
    co_return;
  }
  if (end.kind == Kind::refused) {
    co_await give_up_on(row, end.problem);
    co_return;
  }
  if (end.store_problem) standing.failed(*end.store_problem, parts.clock.steady());
  if (end.store_problem && end.store_problem->refused) {
    // Not this recording's fault, and all of them wait: it is soon its turn again.
    co_await postpone(row, end.problem, false);
    co_return;
  }
  const TryTrouble trouble = end.kind == Kind::none ? TryTrouble::none : TryTrouble::trouble;
  const TryState state{row.closed_ms, row.tries + 1, tellable_problem(end.problem)};
  std::optional<std::string> reason =
      give_up(trouble, state, channel_of(row), parts.config.recordings.absent_after,
              now_ms());
  if (reason) {
    co_await give_up_on(row, *std::move(reason));
  } else {
    co_await postpone(row, end.problem, true);
  }
}

/// What a try may have left in the store goes first: nobody would look for it later.
asio::awaitable<void> RecordingWork::Impl::give_up_on(const RecordingRow& row, std::string reason) {
  std::optional<StoreProblem> problem;
  if (row.lies_elsewhere(store)) {
    log().warn("call {}: what a try before may have left in {} stays there", row.call, *row.store);
  } else {
    auto clearing = clear_object(store, row);
    problem = co_await std::move(clearing);
  }
  if (problem) {
    standing.failed(*problem, parts.clock.steady());
    co_await postpone(row, "store: " + problem->code + ": " + problem->message, true);
    co_return;
  }
  const bool told = co_await queue.absent(row, reason);
  if (!told) {
    co_await queue.give_back(row);
    co_return;
  }
  parts.metrics.recordings_absent.Increment();
  log().warn("call {}: {} from {} given up: {}", row.call, row.file, row.channel,
             tellable_problem(reason));
}

asio::awaitable<void> RecordingWork::Impl::postpone(const RecordingRow& row, std::string problem,
                                                    bool counted) {
  const Millis pause = pause_after(counted ? row.tries + 1 : 1);
  co_await queue.postpone(row, parts.clock.epoch_ms() + pause.count(), std::move(problem), counted);
}

Millis RecordingWork::Impl::pause_after(int tries) {
  const RecordingsConfig& config = parts.config.recordings;
  const Millis ceiling = longest_pause_after(tries, config.first_pause, config.longest_pause);
  std::uniform_int_distribution<Millis::rep> pause(ceiling.count() / 2, ceiling.count());
  return Millis{pause(random)};
}

ChannelRecordings RecordingWork::Impl::channel_of(const RecordingRow& row) const {
  const auto channel = parts.channels.find(row.channel);
  return channel == nullptr ? ChannelRecordings{} : channel->config.recordings;
}

/// Its call was merged into another one, or its record is gone: nobody will ever ask for it.
asio::awaitable<void> RecordingWork::Impl::remove_orphan(const RecordingRow& row) {
  if (row.lies_elsewhere(store)) {
    auto waiting = queue.postpone(row, parts.clock.epoch_ms() + elsewhere_pause_ms,
                                  "its object lies in another store", false);
    co_await std::move(waiting);
    co_return;
  }
  auto clearing = clear_object(store, row);
  const std::optional<StoreProblem> problem = co_await std::move(clearing);
  if (problem) {
    standing.failed(*problem, parts.clock.steady());
    co_await postpone(row, "store: " + problem->code + ": " + problem->message, true);
    co_return;
  }
  if (row.object) standing.well();
  co_await queue.drop(row);
}

asio::awaitable<void> RecordingWork::Impl::sweep() {
  try {
    co_await sweep_all();
  } catch (const pg::Failure& failure) {
    log().warn("recordings' retention: {}", failure.what());
  }
  sweeping = false;
}

asio::awaitable<void> RecordingWork::Impl::sweep_all() {
  const std::size_t orphaned =
      co_await queue.orphan_dropped(parts.config.retention.records, now_ms());
  if (orphaned > 0) log().info("{} recordings of calls that are gone will be removed", orphaned);
  const std::vector<std::string> tenants = co_await queue.tenants();
  const std::string identity = store.identity();
  if (identity.empty()) co_return;  // nothing could be removed
  auto counting = queue.orphaned_elsewhere(identity);
  std::int64_t left = co_await std::move(counting);
  int problems = 0;
  std::size_t strangers = 0;
  for (const std::string& tenant : tenants) {
    const auto found = parts.config.tenants.find(tenant);
    if (found == parts.config.tenants.end()) {
      // Perhaps another daemon knows, and that it keeps them for ever.
      ++strangers;
      continue;
    }
    const int kept = found->second.recording_days.value_or(parts.config.retention.recordings);
    if (kept <= 0) continue;
    auto looking = queue.expired_elsewhere(tenant, identity, now_ms() - kept * day_ms);
    const std::int64_t stays = co_await std::move(looking);
    left += stays;
    if (problems < most_sweep_problems) co_await sweep_tenant(tenant, kept, problems);
    if (stopping) co_return;
  }
  tell_of_strangers(strangers);
  if (left > 0 && elsewhere == 0) {
    log().warn(
        "{} recordings whose time is over lie in another store than {}; they stay there until it "
        "is configured again, or whoever keeps it removes them",
        left, identity);
  }
  elsewhere = left;
}

asio::awaitable<void> RecordingWork::Impl::sweep_tenant(std::string tenant, int days,
                                                        int& problems) {
  const std::int64_t before_ms = now_ms() - days * day_ms;
  const std::string identity = store.identity();
  std::optional<RecordingRow> last;
  const auto over = [&] {
    return stopping || problems >= most_sweep_problems || !parts.membership.confirmed();
  };
  for (;;) {
    auto taking = queue.take_expired(tenant, identity, before_ms, last);
    const std::vector<RecordingRow> rows = co_await std::move(taking);
    if (rows.empty()) co_return;
    for (const RecordingRow& row : rows) {
      if (over()) {
        co_await queue.give_back(row);
        continue;
      }
      const bool removed = co_await remove_or_leave(row, days);
      if (!removed) ++problems;
    }
    if (over()) co_return;
    last = rows.back();
  }
}

/// One that the database has trouble with holds up no other.
asio::awaitable<bool> RecordingWork::Impl::remove_or_leave(RecordingRow row, int days) {
  std::optional<pg::Failure> failure;
  try {
    auto removing = remove_expired(row, days);
    co_return co_await std::move(removing);
  } catch (const pg::Failure& thrown) {
    failure = thrown;
  }
  log().warn("call {}: its recording's time is over, but the database: {}", row.call,
             failure->what());
  try {
    co_await queue.orphan_if_merged(row);
    co_await queue.give_back(row);
  } catch (const pg::Failure& again) {
    log().warn("call {}: recording: {}", row.call, again.what());
  }
  co_return false;
}

void RecordingWork::Impl::tell_of_strangers(std::size_t strangers) {
  const Time now = parts.clock.steady();
  if (strangers == 0 ||
      (strangers_told_at != Time{} && now - strangers_told_at < alarm_every)) {
    return;
  }
  strangers_told_at = now;
  log().warn(
      "recordings of {} tenants that are not in tenants are left alone: nobody says how long they "
      "are kept",
      strangers);
}

/// False: it is to be tried again, at the next sweep.
asio::awaitable<bool> RecordingWork::Impl::remove_expired(const RecordingRow& row, int days) {
  auto clearing = clear_object(store, row);
  const std::optional<StoreProblem> problem = co_await std::move(clearing);
  if (problem) {
    standing.failed(*problem, parts.clock.steady());
    log().warn("call {}: its recording's time is over, but the store: {}", row.call,
               tellable_problem(problem->code + ": " + problem->message));
    co_await queue.give_back(row);
    co_return false;
  }
  const bool told = co_await queue.deleted(
      row, "kept for " + std::to_string(days) + (days == 1 ? " day" : " days"));
  if (!told) {
    co_await queue.give_back(row);
    co_return true;
  }
  parts.metrics.recordings_deleted.Increment();
  co_return true;
}

}  // namespace cc
