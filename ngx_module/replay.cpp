#include "replay.hpp"

#include <algorithm>
#include <utility>

#include "command.hpp"

namespace cc {
namespace {

constexpr std::size_t most_in_batch = 64;
constexpr std::size_t most_bytes = 256 * 1024;
constexpr ngx_msec_t pace = 10;            // between two batches, at least
constexpr ngx_msec_t idle = 250;           // while there is nothing to replay
constexpr ngx_msec_t search_every = 1000;  // for files of workers that have ended
constexpr ngx_msec_t first_pause = 100;
constexpr ngx_msec_t longest_pause = 5000;
constexpr ngx_msec_t longest_kept = 60'000;  // a file being written while the link is down

}  // namespace

Replay::Replay(const MainSettings& settings, Slot& slot, Link& link, Spool& spool,
               PendingPool& pool)
    : settings_(settings), slot_(slot), link_(link), spool_(spool), pool_(pool) {
  timer_.call<&Replay::step>(this);
}

void Replay::start() {
  if (spool_.configured()) wait(pace);
}

void Replay::stop() {
  timer_.stop();
  file_.reset();
}

void Replay::wait(ngx_msec_t delay) {
  timer_.start(delay);
}

void Replay::back_off() {
  const ngx_msec_t pause = std::min(longest_pause, first_pause << std::min(failures_, 6U));
  ++failures_;
  wait(pause * 3 / 4 + static_cast<ngx_msec_t>(ngx_random()) % (pause / 2 + 1));
}

/// One thing at a time: find a file, or send its next batch. While a batch is under way its last
/// answer goes on.
void Replay::step() {
  remove_stuck();
  if (in_flight_ > 0) return wait(idle);
  if (ngx_exiting || ngx_terminate) {
    // The next generation goes on with them.
    file_.reset();
    spool_.seal();
    return wait(idle);
  }
  if (!link_.up()) {
    // Perhaps it is only ours that is down: then others can do it.
    if (ngx_current_msec - link_seen_ >= longest_pause) file_.reset();
    spool_.seal(longest_kept);
    return wait(idle);
  }
  link_seen_ = ngx_current_msec;
  if (file_ == nullptr && !find_file()) return wait(idle);
  send_batch();
}

/// The oldest file of the directory that nobody writes to and nobody else replays. Ours is ended
/// first, so that it can be among them.
bool Replay::find_file() {
  const bool ours = spool_.seal();
  if (!ours && searched_at_ != 0 && ngx_current_msec - searched_at_ < search_every) return false;
  searched_at_ = ngx_current_msec;
  damage_counted_ = 0;
  auto listing = list_spool(settings_.spool.directory);
  if (!listing) {
    complain(listing.error());
    return false;
  }
  for (const SpoolEntry& entry : listing->files) {
    auto adoption = SpoolReader::adopt(settings_.spool.directory, entry.name);
    if (adoption.reader != nullptr) {
      file_ = std::move(adoption.reader);
      searched_at_ = 0;  // look again right after it
      ngx_time_update();
      return true;
    }
    if (!adoption.trouble.message.empty()) complain(adoption.trouble);
    if (adoption.put_aside) add(slot_.spool_damaged);
    if (adoption.no_descriptor) break;
  }
  ngx_time_update();
  return false;
}

/// Once for each trouble and file: it comes every second.
bool Replay::complain(const Error& error) {
  constexpr std::size_t most_remembered = 1000;
  if (complained_.size() >= most_remembered) complained_.clear();
  if (!complained_.insert(error.message).second) return false;
  ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "cc: %s", error.message.c_str());
  return true;
}

void Replay::send_batch() {
  const std::size_t at_once = std::clamp<std::size_t>(
      static_cast<std::size_t>(settings_.spool.replay_per_second) * pace / 1000, 1, most_in_batch);
  auto records = file_->read(at_once, most_bytes);
  ngx_time_update();  // the disk may have taken its time
  if (!records) {
    complain(records.error());
    return back_off();
  }
  if (records->empty()) return finish_file();
  stored_ = 0;
  refused_ = false;
  for (const SpoolRecord& record : *records) {
    if (!send(record)) break;
  }
  if (in_flight_ == 0) back_off();  // the link went, or the stream is full
}

bool Replay::send(const SpoolRecord& record) {
  Pending& pending = pool_.take();
  pending.replayed = true;
  pending.partition_hash = record.partition_hash;
  build_command(pending, settings_, redis_argument(record.channel), {}, record.envelope);
  if (link_.append(pending) != Link::Append::taken) {
    pool_.give_back(pending);
    return false;
  }
  ++in_flight_;
  return true;
}

/// In the order in which they were sent.
void Replay::answered(Pending& pending) {
  if (!pending.stored) refused_ = true;
  if (!refused_) ++stored_;
  pool_.give_back(pending);
  if (--in_flight_ == 0) batch_ended();
}

/// What stands before the first refusal is done; the rest comes again, later. A repeat does no
/// harm, its key is known.
void Replay::batch_ended() {
  if (file_ == nullptr) return;  // stopped meanwhile
  file_->confirm(stored_);
  add(slot_.replayed, stored_);
  const unsigned damaged = file_->damaged();
  add(slot_.spool_damaged, damaged - std::exchange(damage_counted_, damaged));
  if (stored_ > 0) failures_ = 0;
  if (refused_) {
    add(slot_.replay_refused);
    return back_off();
  }
  wait(std::max<ngx_msec_t>(
      pace, static_cast<ngx_msec_t>(stored_) * 1000 / settings_.spool.replay_per_second));
}

void Replay::finish_file() {
  const unsigned damaged = file_->damaged();
  add(slot_.spool_damaged, damaged - std::exchange(damage_counted_, damaged));
  if (damaged > 0) {
    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "cc: \"%s\" held %ui damaged or torn entries, which are skipped",
                  file_->path().c_str(), static_cast<ngx_uint_t>(damaged));
  }
  if (auto removed = file_->remove(); !removed) {
    complain(removed.error());
    stuck_.push_back(std::move(file_));
  }
  file_.reset();
  wait(pace);
}

void Replay::remove_stuck() {
  if (stuck_.empty() || ngx_current_msec - stuck_tried_ < longest_pause) return;
  stuck_tried_ = ngx_current_msec;
  std::erase_if(stuck_, [](const auto& file) { return !!file->remove(); });
}

}  // namespace cc
