#include "spool.hpp"

#include <algorithm>
#include <utility>

namespace cc {
namespace {

constexpr std::uint64_t most_in_file = 16 * 1024 * 1024;  // then the next one: progress is by file
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
    : settings_(settings), slot_(slot), owner_(owner) {
  event_identity_.fd = -1;
  event_identity_.data = this;
  flush_event_.data = &event_identity_;
  flush_event_.log = ngx_cycle->log;
  flush_event_.handler = [](ngx_event_t* event) noexcept {
    static_cast<Spool*>(static_cast<ngx_connection_t*>(event->data)->data)->flush();
  };
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
  while (!batch.empty()) {
    Pending& pending = batch.pop_front();
    pending.stored = written;
    pending.spool_failed = !written;
    owner_.spool_outcome(pending);
  }
}

/// In the file that is open; if that one fails, once more in a new one.
bool Spool::write(PendingList& batch) {
  if (!has_room()) return false;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const bool was_new = file_ == nullptr;
    if (was_new) {
      auto made = SpoolFile::create(settings_.directory, "nginx", oldest_of(batch));
      if (!made) {
        complain(made.error());
        return false;
      }
      file_ = *std::move(made);
    }
    batch_.clear();
    const bool all_fit = batch.first([&](const Pending& pending) {
      return !append_spool_record(batch_, file_->salt(),
                                  {pending.channel, pending.partition_hash, pending.envelope()});
    }) == nullptr;
    if (!all_fit) return false;  // beyond 64 MB: cc_limits bytes and client_max_body_size say less
    if (write_to_file()) return true;
    if (was_new) break;
  }
  return false;
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
    auto listing = list_spool(settings_.directory);
    if (!listing) {
      complain(listing.error());
      return false;
    }
    written_ = listing->bytes;
    measured_at_ = ngx_current_msec;
  }
  if (written_ < settings_.most_bytes) return true;
  complain(Error{"spool: \"" + settings_.directory + "\" holds " + std::to_string(written_) +
                 " bytes, as much as cc_spool allows; bring Redis back, or raise max="});
  return false;
}

bool Spool::seal() noexcept {
  return std::exchange(file_, nullptr) != nullptr;
}

/// Once for each trouble, until the spool is well again.
void Spool::complain(const Error& error) {
  add(slot_.spool_errors);
  if (error.message == last_complaint_) return;
  last_complaint_ = error.message;
  ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "cc: %s", last_complaint_.c_str());
}

}  // namespace cc
