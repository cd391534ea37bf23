#include "poller/seats.hpp"

#include <algorithm>

#include "log.hpp"
#include "phone.hpp"

namespace cc {
namespace {

constexpr std::int64_t claimed_at_once = 500;       // more would hold up the loop
constexpr std::int64_t changed_lately_ms = 60'000;  // more than clocks and passes differ
constexpr unsigned full_look_every = 5;             // passes
constexpr std::size_t written_at_once = 500;
constexpr long seats_a_client = 64;
constexpr Millis look_again{50};

}  // namespace

Seats::Seats(asio::any_io_executor executor, const Config& config, pg::Pool& pool, Clock& clock,
             const Membership& membership, const Channels& channels, Recorder& recorder,
             const Vault& vault, Metrics& metrics)
    : config_(config),
      pool_(pool),
      clock_(clock),
      membership_(membership),
      channels_(channels),
      vault_(vault),
      metrics_(metrics),
      admission_(clock, membership),
      tools_{std::move(executor), clock, membership, channels, recorder, admission_, metrics} {}

std::vector<std::string> Seats::polled_channels() const {
  std::vector<std::string> codes;
  for (const auto& [code, channel] : channels_.all()) {
    if (channel->config.enabled && channel->provider->sessions() != nullptr) codes.push_back(code);
  }
  return codes;
}

asio::awaitable<void> Seats::spread() {
  const std::vector<std::string> channels = polled_channels();
  if (channels.empty() && seats_.empty()) co_return;
  if (stopping_ || !membership_.confirmed()) co_return;
  co_await heed_changes();
  if (passes_++ % full_look_every == 0) {
    co_await check_ours();
    co_await remove_deleted(pool_);
  }
  const SeatShare share = co_await read_share(pool_, owner(), channels);
  if (share.ours > share.share) {
    hand_over(share.ours - share.share);
  } else if (share.ours < share.share) {
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
      const std::size_t calls = co_await ask_about_calls(pool_, orphans, clock_.epoch_ms());
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
  SeatAccount account;
  account.channel = row.channel;
  account.agent = row.agent;
  account.handset = row.handset;
  account.password = opened_password(row);
  account.generation = row.generation;
  seat.change(std::move(account));
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
  for (const auto& [key, seat] : seats_) {
    if (number <= 0) return;
    if (seat->stopping()) continue;
    seat->stop(false);
    --number;
  }
}

std::string Seats::opened_password(const SeatRow& row) {
  if (!row.password) return {};
  Result<std::string> opened = vault_.open(*row.password, password_context(row.channel, row.agent));
  if (opened) return *std::move(opened);
  log().error("line {}/{}: its password can't be read: {}", row.channel, row.agent,
              opened.error().message);
  return {};
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
  SeatAccount account;
  account.channel = row.channel;
  account.agent = row.agent;
  account.handset = row.handset;
  account.password = opened_password(row);
  account.generation = row.generation;
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
      if (sealed) write.session = *std::move(sealed);
    }
    writes.push_back(std::move(write));
    written.push_back(seat);
  }
  if (writes.empty()) co_return;
  std::string problem;
  try {
    std::vector<SeatWrite> sent = writes;
    co_await write_seats(pool_, owner(), std::move(sent));
  } catch (const pg::Failure& failure) {
    problem = failure.what();
  }
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (!problem.empty()) {
      written[i]->put_back_dirty();
    } else if (writes[i].release) {
      const auto found = seats_.find(Key{writes[i].channel, writes[i].agent});
      if (found != seats_.end() && found->second == written[i]) seats_.erase(found);
    }
  }
  if (!problem.empty()) throw pg::Failure("", problem);
}

asio::awaitable<void> Seats::stop(std::chrono::steady_clock::time_point until) {
  stopping_ = true;
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
  for (const SeatCount& count : counts_) {
    if (!health.says.empty()) health.says += "; ";
    health.says += count.channel + ": " + std::to_string(count.count) + " " + count.actual;
    if (count.actual == "refused" || count.actual == "failing") {
      health.says += " (such as " + mask_numbers_in(count.example) + ": " + count.reason + ")";
    }
  }
  if (health.says.empty()) health.says = "none";
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
  return clock_.epoch_ms() + membership_.ahead_ms();
}

}  // namespace cc
