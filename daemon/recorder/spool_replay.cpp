#include "recorder/spool_replay.hpp"

#include <algorithm>
#include <utility>

#include "log.hpp"

namespace cc {
namespace {

constexpr std::size_t most_in_batch = 64;
constexpr std::size_t most_bytes = 256 * 1024;
constexpr Millis pace{10};          // between two batches, at least
constexpr Millis idle{50};          // while there is nothing to replay
constexpr Millis look_every{1000};  // for files of processes that have ended

}  // namespace

SpoolReplay::SpoolReplay(const Config::Spool& config, Streams& streams, SpoolWriter& writer,
                         SpoolStock& stock, Clock& clock, Metrics& metrics)
    : config_(config),
      streams_(streams),
      writer_(writer),
      stock_(stock),
      clock_(clock),
      metrics_(metrics),
      backoff_(Millis{50}, Millis{2000}) {}

asio::awaitable<Millis> SpoolReplay::step() {
  at_end_ = false;
  if (clock_.steady() - looked_ >= look_every) {
    looked_ = clock_.steady();
    look_again_ = true;
    remove_stuck();
    stock_.look();
  }
  const bool there = co_await streams_.check();
  if (!there) co_return backoff_.next();
  if (streams_.full()) co_return idle;
  if (file_ == nullptr && !find_file()) {
    streams_.forgive();
    backoff_.reset();
    at_end_ = writer_.idle();
    co_return idle;
  }
  const Millis pause = co_await replay_batch();
  co_return pause;
}

/// The oldest file of the directory that nobody writes to and nobody else replays. Ours is ended
/// first, so that it can be among them.
bool SpoolReplay::find_file() {
  if (!writer_.configured()) return false;
  if (writer_.seal()) look_again_ = true;
  if (!std::exchange(look_again_, false)) return false;
  const Result<SpoolListing> listing = list_spool(config_.directory);
  if (!listing) {
    complain(listing.error());
    return false;
  }
  for (const SpoolEntry& entry : listing->files) {
    SpoolReader::Adoption adoption = SpoolReader::adopt(config_.directory, entry.name);
    if (adoption.reader != nullptr) {
      file_ = std::move(adoption.reader);
      damage_counted_ = 0;
      look_again_ = true;  // right after it
      return true;
    }
    if (!adoption.trouble.message.empty()) complain(adoption.trouble);
    if (adoption.put_aside) metrics_.spool_damaged.Increment();
    if (adoption.no_descriptor) break;
  }
  stock_.look();
  return false;
}

asio::awaitable<Millis> SpoolReplay::replay_batch() {
  const std::size_t rate = std::max<std::size_t>(config_.replay, 1);
  const std::size_t at_once = std::clamp<std::size_t>(
      rate * static_cast<std::size_t>(pace.count()) / 1000, 1, most_in_batch);
  Result<std::vector<SpoolRecord>> records = file_->read(at_once, most_bytes);
  if (!records) {
    complain(records.error());
    co_return backoff_.next();
  }
  const std::size_t wanted = records->size();
  if (wanted == 0) {
    finish_file();
    co_return pace;
  }
  const std::size_t stored = co_await streams_.add_all(*std::move(records));
  file_->confirm(stored);
  replayed_ += stored;
  metrics_.spool_replayed.Increment(static_cast<double>(stored));
  count_damage();
  if (stored < wanted) co_return backoff_.next();
  backoff_.reset();
  co_return std::max(pace, Millis{static_cast<std::int64_t>(stored * 1000 / rate)});
}

void SpoolReplay::count_damage() {
  const unsigned damaged = file_->damaged();
  metrics_.spool_damaged.Increment(damaged - std::exchange(damage_counted_, damaged));
}

void SpoolReplay::finish_file() {
  count_damage();
  if (damage_counted_ > 0) {
    log().warn("\"{}\" held {} damaged or torn entries, which are skipped", file_->path(),
               damage_counted_);
  }
  if (const auto removed = file_->remove(); !removed) {
    complain(removed.error());
    stock_.leave_out(file_->path());
    stuck_.push_back(std::move(file_));
  }
  file_.reset();
  stock_.look();
}

void SpoolReplay::remove_stuck() {
  std::erase_if(stuck_, [](const auto& file) { return !!file->remove(); });
}

/// Once for each trouble and file: it comes every second.
void SpoolReplay::complain(const Error& error) {
  constexpr std::size_t most_remembered = 1000;
  if (complained_.size() >= most_remembered) complained_.clear();
  if (complained_.insert(error.message).second) log().error("{}", error.message);
}

}  // namespace cc
