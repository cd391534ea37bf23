#include "poller/seats.hpp"

#include <algorithm>
#include <utility>

#include "log.hpp"
#include "phone.hpp"

namespace cc {
namespace {

constexpr std::int64_t claimed_at_once = 500;       // more would hold up the loop
constexpr std::int64_t changed_lately_ms = 60'000;  // more than clocks and passes differ
constexpr unsigned full_look_every = 5;             // passes
constexpr std::size_t written_at_once = 500;
// What the gateway has kept for a line comes first, an event a poll.
constexpr std::int64_t ask_after_ms = 15'000;
constexpr long seats_a_client = 64;
constexpr Millis look_again{50};

}  // namespace

Seats::Seats(asio::any_io_executor executor, pg::Pool& pool, Clock& clock, Membership& membership,
             const Channels& channels, Recorder& recorder, const Vault& vault, Metrics& metrics)
    : pool_(pool),
      clock_(clock),
      membership_(membership),
      channels_(channels),
      vault_(vault),
      metrics_(metrics),
      admission_(clock, membership),
      tools_{std::move(executor), pool,   clock, membership, channels, recorder,
             admission_,          metrics} {}

/// Those that are not enabled too: no new call goes there, but living ones have events to come.
std::vector<std::string> Seats::polled_channels() const {
  std::vector<std::string> codes;
  for (const auto& [code, channel] : channels_.all()) {
    if (channel->provider->sessions() != nullptr) codes.push_back(code);
  }
  return codes;
}

asio::awaitable<void> Seats::spread() {
  const std::vector<std::string> channels = polled_channels();
  if (channels.empty() && seats_.empty()) co_return;
  if (stopping_ || !membership_.confirmed()) co_return;
  for (const auto& [key, seat] : seats_) {
    const bool configured =
        std::find(channels.begin(), channels.end(), key.first) != channels.end();
    if (!configured && !seat->stopping()) seat->stop(false);  // another daemon may have the channel
  }
  co_await heed_changes();
  // Unheard for a while, we may have been taken for dead: others may have our lines.
  if (!admission_.looked() || passes_++ % full_look_every == 0) {
    const auto begun = clock_.steady();
    co_await check_ours();
    admission_.looked_at(begun);
    co_await remove_deleted(pool_);
  }
  const SeatShare share = co_await read_share(pool_, owner(), channels);
  if (share.ours > share.share) {
    hand_over(share.ours - share.share);
  } else if (share.ours < share.share && membership_.settled()) {
    co_await claim(channels);
  }
  co_await count(channels);
}

/// Batch by batch, until we have our share or nothing is left.
asio::awaitable<void> Seats::claim(std::vector<std::string> channels) {
  for (;;) {
    const SeatShare share = co_await read_share(pool_, owner(), channels);
    const std::int64_t most = std::min(claimed_at_once, share.share - share.ours);
    if (most <= 0 || stopping_) co_return;
    const std::vector<SeatRow> rows = co_await claim_seats(pool_, owner(), channels, most);
    std::vector<std::string> orphans;
    for (const SeatRow& row : rows) {
      add(row);
      if (row.orphan) orphans.push_back(row.channel + "/" + row.agent);
    }
    if (!orphans.empty()) {
      const std::size_t calls =
          co_await ask_about_calls(pool_, orphans, clock_.epoch_ms() + ask_after_ms);
      log().warn(
          "{} lines taken over from a daemon that is dead; the channel is asked about {} "
          "calls on them",
          orphans.size(), calls);
    } else if (!rows.empty()) {
      log().info("{} lines taken", rows.size());
    }
    if (static_cast<std::int64_t>(rows.size()) < most) co_return;
  }
}

/// Other fields than these are the owner's own.
void Seats::change(Seat& seat, const SeatRow& row) {
  if (row.desired != "online") {
    if (!seat.signs_out()) seat.stop(true);
    return;
  }
  if (row.generation == seat.account().generation) return;
  seat.change(account_of(row));
}

asio::awaitable<void> Seats::heed_changes() {
  const std::vector<SeatRow> rows =
      co_await read_changed(pool_, owner(), clock_.epoch_ms() - changed_lately_ms);
  for (const SeatRow& row : rows) {
    if (const auto seat = find(row.channel, row.agent)) change(*seat, row);
  }
}

/// What another daemon has taken, believing us dead, is not ours any more; what is ours without a
/// seat is nobody's.
asio::awaitable<void> Seats::check_ours() {
  const auto ours = co_await read_ours(pool_, owner());
  bool changed = false;
  for (const auto& [key, seat] : seats_) {
    const auto found = ours.find(key);
    if (found == ours.end()) {
      if (seat->stopping()) continue;
      log().warn("line {}/{} is another daemon's by now", key.first, key.second);
      seat->stop(false);
    } else if (found->second != seat->account().generation) {
      changed = true;
    }
  }
  std::vector<std::string> channels, agents;
  for (const auto& [key, unused] : ours) {
    if (seats_.contains(key)) continue;
    channels.push_back(key.first);
    agents.push_back(key.second);
  }
  if (!channels.empty()) co_await release_seats(pool_, owner(), channels, agents);
  if (!changed) co_return;
  // Written by somebody whose clock is far off.
  const std::vector<SeatRow> rows = co_await read_changed(pool_, owner(), 0);
  for (const SeatRow& row : rows) {
    if (const auto seat = find(row.channel, row.agent)) change(*seat, row);
  }
}

void Seats::hand_over(std::int64_t number) {
  const auto moving = std::count_if(seats_.begin(), seats_.end(),
                                    [](const auto& entry) { return entry.second->stopping(); });
  number -= moving;
  // Those first that nobody is using; the others at a later pass.
  for (const auto& [key, seat] : seats_) {
    if (number <= 0) return;
    if (seat->stopping() || seat->in_use()) continue;
    seat->stop(false);
    --number;
  }
}

SeatAccount Seats::account_of(const SeatRow& row) const {
  SeatAccount account;
  account.channel = row.channel;
  account.agent = row.agent;
  account.handset = row.handset;
  account.generation = row.generation;
  if (!row.password) {
    account.password_problem = "none was given";
    return account;
  }
  Result<std::string> opened = vault_.open(*row.password, password_context(row.channel, row.agent));
  if (opened) {
    account.password = *std::move(opened);
  } else {
    account.password_problem = opened.error().message;
  }
  return account;
}

std::shared_ptr<HttpClient> Seats::client_for_one() {
  std::erase_if(clients_, [](const auto& client) { return client.expired(); });
  for (const auto& weak : clients_) {
    auto client = weak.lock();
    // One is the copy in our hand.
    if (client && client.use_count() <= seats_a_client) return client;
  }
  auto client = std::make_shared<HttpClient>(tools_.executor, 2 * seats_a_client);
  clients_.push_back(client);
  return client;
}

void Seats::add(const SeatRow& row) {
  const Key key{row.channel, row.agent};
  if (seats_.contains(key)) return;  // it was handed over a moment ago: check_ours sees to it
  SeatAccount account = account_of(row);
  SeatState state;
  state.since = row.since.value_or(clock_.epoch_ms());
  std::optional<LineSession> session;
  if (row.session) {
    const Result<std::string> opened =
        vault_.open(*row.session, session_context(row.channel, row.agent));
    if (const Result<LineSession> read =
            opened ? session_from_text(*opened) : Result<LineSession>(opened.error())) {
      session = *read;
      if (row.actual) state.actual = *row.actual;
      if (row.reason) state.reason = *row.reason;
    } else {
      log().warn("line {}/{}: its stored session can't be read, so it signs in anew: {}",
                 row.channel, row.agent, read.error().message);
    }
  }
  auto seat = std::make_shared<Seat>(tools_, client_for_one(), std::move(account),
                                     std::move(session), std::move(state));
  seats_.emplace(key, seat);
  if (row.desired != "online") seat->stop(true);
  if (stopping_) seat->stop(false);
  seat->start();
}

asio::awaitable<void> Seats::flush() {
  std::vector<SeatWrite> writes;
  std::vector<std::shared_ptr<Seat>> written;
  for (const auto& [key, seat] : seats_) {
    if (writes.size() == written_at_once) break;
    const bool ended = seat->ended();
    if (!seat->take_dirty() && !ended) continue;
    SeatWrite write;
    write.channel = key.first;
    write.agent = key.second;
    write.actual = seat->state().actual;
    write.reason = seat->state().reason;
    write.since = seat->state().since;
    write.generation = seat->account().generation;
    write.release = ended;
    if (seat->session()) {
      Result<std::string> sealed =
          vault_.seal(to_text(*seat->session()), session_context(key.first, key.second));
      write.keep_session = !sealed;
      if (sealed) write.session = *std::move(sealed);
    }
    writes.push_back(std::move(write));
    written.push_back(seat);
  }
  if (writes.empty()) co_return;
  std::string problem, state;
  std::set<SeatKey> ours;
  try {
    std::vector<SeatWrite> sent = writes;
    ours = co_await write_seats(pool_, owner(), std::move(sent));
  } catch (const pg::Failure& failure) {
    problem = failure.what();
    state = failure.sqlstate;
  }
  if (state.starts_with("22")) {  // one of them holds something that can't be stored
    log().error("lines' states can't be written together: {}", problem);
    co_await write_one_by_one(std::move(writes), std::move(written));
    co_return;
  }
  for (std::size_t i = 0; i < written.size(); ++i) {
    const Key key{writes[i].channel, writes[i].agent};
    if (!problem.empty()) {
      written[i]->put_back_dirty();
    } else if (writes[i].release && written[i]->ended()) {
      // Not written: somebody else has it by now, or wants it tried again; then it is left to be
      // claimed, by us perhaps.
      const auto found = seats_.find(key);
      if (found != seats_.end() && found->second == written[i]) seats_.erase(found);
    } else if (writes[i].release && ours.contains(key)) {
      // Changed while its release was on the way: it lives on, but is not ours any more.
      written[i]->stop(false);
    }
  }
  if (!problem.empty()) throw pg::Failure("", problem);
}

/// What is not written so is told, and given up: the next change is written again.
/// But a PostgreSQL that has gone meanwhile is no reason to give anything up.
asio::awaitable<void> Seats::write_one_by_one(std::vector<SeatWrite> writes,
                                              std::vector<std::shared_ptr<Seat>> seats) {
  for (std::size_t i = 0; i < writes.size(); ++i) {
    const std::string line = writes[i].channel + "/" + writes[i].agent;
    std::string problem, state;
    try {
      std::vector<SeatWrite> one;
      one.push_back(std::move(writes[i]));
      co_await write_seats(pool_, owner(), std::move(one));
    } catch (const pg::Failure& failure) {
      problem = failure.what();
      state = failure.sqlstate;
    }
    if (state.starts_with("22")) {
      log().error("line {}: its state can't be written: {}", line, problem);
    } else if (!problem.empty()) {
      for (std::size_t left = i; left < seats.size(); ++left) seats[left]->put_back_dirty();
      throw pg::Failure(state, problem);
    }
  }
}

asio::awaitable<void> Seats::stop(std::chrono::steady_clock::time_point until) {
  stopping_ = true;
  try {
    co_await membership_.beat();  // so that the others' shares grow at once
  } catch (const pg::Failure& failure) {
    log().warn("heartbeat: {}", failure.what());
  }
  for (const auto& [key, seat] : seats_) seat->stop(false);
  while (!seats_.empty() && clock_.steady() < until) co_await clock_.sleep_for(look_again);
  if (!seats_.empty()) log().warn("{} lines were left without being handed over", seats_.size());
}

asio::awaitable<void> Seats::count(std::vector<std::string> channels) {
  counts_ = co_await count_seats(pool_, std::move(channels));
  metrics_.seats_owned.Set(static_cast<double>(seats_.size()));
  static const std::vector<std::string> states{"waiting", "connecting", "online",
                                               "failing", "refused",    "offline"};
  std::map<Key, double> found;
  for (const SeatCount& count : counts_) {
    for (const std::string& state : states) found.try_emplace(Key{count.channel, state}, 0);
    found[Key{count.channel, count.actual}] = static_cast<double>(count.count);
  }
  for (const auto& [key, number] : found) {
    metrics_.agents.Add({{"channel", key.first}, {"actual", key.second}}).Set(number);
  }
}

PartHealth Seats::health() const {
  PartHealth health{"agents", true, {}};
  std::int64_t all = 0, without = 0;
  for (const SeatCount& count : counts_) {
    if (!health.says.empty()) health.says += "; ";
    health.says += count.channel + ": " + std::to_string(count.count) + " " + count.actual;
    all += count.count;
    if (count.actual == "refused" || count.actual == "failing") {
      without += count.count;
      health.says += " (such as " + mask_numbers_in(count.example) + ": " + count.reason + ")";
    }
  }
  if (health.says.empty()) health.says = "none";
  // One person's wrong password is told, and is no reason to look after the whole.
  if (without * 10 >= all && without > 0) health.grade = Grade::degraded;
  return health;
}

std::shared_ptr<Seat> Seats::find(std::string_view channel, std::string_view agent) const {
  const auto found = seats_.find(Key{channel, agent});
  return found == seats_.end() ? nullptr : found->second;
}

bool Seats::serves(std::string_view channel, std::string_view agent) const {
  const auto seat = find(channel, agent);
  return seat && !seat->stopping();
}

asio::awaitable<Lines::Lease> Seats::lease(std::string channel, std::string agent,
                                           std::string handset, Millis patience) {
  const auto seat = find(channel, agent);
  if (seat) co_return co_await seat->lease(std::move(handset), patience);
  Lease none;
  none.problem = "the line is not kept by this daemon";
  co_return none;
}

void Seats::lost(std::string_view channel, std::string_view agent,
                 const std::shared_ptr<LineSession>& session) {
  if (const auto seat = find(channel, agent)) seat->lost(session);
}

std::int64_t Seats::line_ms() const {
  return membership_.fleet_ms();
}

}  // namespace cc
