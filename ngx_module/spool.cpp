#include "spool.hpp"

#include <algorithm>
#include <utility>

namespace cc {
namespace {

constexpr std::uint64_t most_in_file = 4 * 1024 * 1024;  // then the next one: progress is by file
constexpr ngx_msec_t measure_every = 1000;

std::int64_t oldest_of(PendingList& batch) {
  std::int64_t oldest = 0;
  (void)batch.first([&](const Pending& pending) {
    if (oldest == 0 || pending.received_ms < oldest) oldest = pending.received_ms;
    return false;
  });
  return oldest;
}

}  // namespace

Spool::Spool(const SpoolSettings& settings, Slot& slot, Owner& owner)
    : settings_(settings), slot_(slot), owner_(owner), directory_(settings.directory) {
  event_identity_.fd = -1;
  event_identity_.data = this;
  flush_event_.data = &event_identity_;
  flush_event_.log = ngx_cycle->log;
  flush_event_.handler = [](ngx_event_t* event) noexcept {
    static_cast<Spool*>(static_cast<ngx_connection_t*>(event->data)->data)->flush();
  };
  if (!configured()) return;
  if (auto opened = directory_.open(); !opened) complain(opened.error());
}

Spool::~Spool() {
  if (flush_event_.posted) {
    ngx_delete_posted_event(&flush_event_);
  }
}

void Spool::put(Pending& pending) {
  unwritten_.push_back(pending);
  ngx_post_event(&flush_event_, &ngx_posted_events);
}

void Spool::flush() {
  PendingList batch;
  batch.append(unwritten_);
  if (batch.empty()) return;
  const bool written = write(batch);
  // The disk took its time, and deadlines are counted from NGINX's clock.
  ngx_time_update();
  while (!batch.empty()) {
    Pending& pending = batch.pop_front();
    pending.stored = written && !pending.spool_failed;
    pending.spool_failed = !pending.stored;
    owner_.spool_outcome(pending);
  }
}

/// In the file that is open; if that one fails, once more in a new one.
bool Spool::write(PendingList& batch) {
  if (!has_room()) return false;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const bool was_new = file_ == nullptr;
    if (was_new) {
      auto made = SpoolFile::create(directory_, "nginx", oldest_of(batch));
      if (!made) {
        complain(made.error());
        return false;
      }
      file_ = *std::move(made);
      begun_at_ = ngx_current_msec;
    }
    if (encode(batch) && write_to_file()) return true;
    if (was_new || batch_.empty()) break;
  }
  return false;
}

/// What is too large for the format (64 MB) fails alone. False if nothing is left to write.
bool Spool::encode(PendingList& batch) {
  batch_.clear();
  (void)batch.first([&](Pending& pending) {
    pending.spool_failed = !append_spool_record(
        batch_, file_->salt(), {pending.channel, pending.partition_hash, pending.envelope()});
    return false;
  });
  return !batch_.empty();
}

bool Spool::write_to_file() {
  auto appended = file_->append(batch_);
  written_ += batch_.size();
  if (batch_.capacity() > 4 * 1024 * 1024) std::string().swap(batch_);
  if (!appended) {
    complain(appended.error());
    // Abandoned for writing. What it holds from before is replayed.
    if (!file_->usable()) seal();
    return false;
  }
  if (!last_complaint_.empty()) {
    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "cc: the spool can be written again");
    last_complaint_.clear();
  }
  if (file_->bytes() >= most_in_file) seal();
  return true;
}

/// Whether all workers' files together are below the bound. Looked up at most once a second, as
/// others write too; between two looks what we wrote ourselves is known.
bool Spool::has_room() {
  if (measured_at_ == 0 || ngx_current_msec - measured_at_ >= measure_every) {
    measured_at_ = ngx_current_msec;
    if (auto listing = list_spool(settings_.directory)) {
      written_ = listing->bytes;
      listing_failed_ = false;
    } else if (!std::exchange(listing_failed_, true)) {
      // And on with what is known: the file itself may be well, so this is no complaint of its own
      // writing, which the next success would take back only for it to be made again.
      ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "cc: %s", listing.error().message.c_str());
    }
  }
  if (written_ < settings_.most_bytes) return true;
  complain(Error{"spool: \"" + settings_.directory + "\" holds " + std::to_string(written_) +
                 " bytes, as much as cc_spool allows; bring Redis back, or raise max="});
  return false;
}

bool Spool::seal(ngx_msec_t age) noexcept {
  if (file_ == nullptr || ngx_current_msec - begun_at_ < age) return false;
  file_.reset();
  return true;
}

/// Once for each trouble, until the spool is well again.
void Spool::complain(const Error& error) {
  add(slot_.spool_errors);
  if (trouble_kind(error.message) == trouble_kind(last_complaint_)) return;
  last_complaint_ = error.message;
  ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "cc: %s", last_complaint_.c_str());
}

}  // namespace cc
