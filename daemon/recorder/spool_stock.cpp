#include "recorder/spool_stock.hpp"

#include <algorithm>
#include <utility>

#include "log.hpp"

namespace cc {

SpoolStock::SpoolStock(std::string directory, Metrics& metrics)
    : directory_(std::move(directory)), metrics_(metrics), oldest_ms_(directory_.empty() ? 0 : 1) {
  look();
}

void SpoolStock::look() {
  if (directory_.empty()) return;
  const Result<SpoolListing> listing = list_spool(directory_);
  if (!listing) {
    if (!std::exchange(failed_, true)) log().error("{}", listing.error().message);
    return;
  }
  failed_ = false;
  bytes_ = listing->bytes;
  const auto oldest =
      std::find_if(listing->files.begin(), listing->files.end(),
                   [this](const SpoolEntry& entry) { return !left_out_.contains(entry.name); });
  oldest_ms_ = oldest == listing->files.end() ? 0 : oldest->created_ms;
  publish();
}

void SpoolStock::wrote(std::int64_t created_ms, std::uint64_t bytes) {
  bytes_ += bytes;
  oldest_ms_ = oldest_ms_ == 0 ? created_ms : std::min(oldest_ms_, created_ms);
  publish();
}

void SpoolStock::leave_out(const std::string& path) {
  left_out_.insert(path.substr(path.rfind('/') + 1));  // salted names never come again
  look();
}

void SpoolStock::publish() {
  metrics_.spool_bytes.Set(static_cast<double>(bytes_));
  metrics_.spool_oldest_ms.Set(static_cast<double>(oldest_ms_));
}

}  // namespace cc
