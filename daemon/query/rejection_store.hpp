// Rejections over PostgreSQL. Floods are thinned: an application that asks for the same impossible
// call a thousand times a second learns nothing from a thousand rows.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "io/clock.hpp"
#include "io/pg.hpp"
#include "metrics.hpp"
#include "query/rejections.hpp"
#include "query/scan_gate.hpp"

namespace cc {

/// How many rows each tenant may write: a bucket of `burst`, filled with `per_second`.
struct RejectionRate {
  double per_second = 20;
  double burst = 200;
};

class RejectionStore final : public Rejections {
 public:
  /// Pages go through the gate, if there is one.
  RejectionStore(pg::Pool& pool, const Clock& clock, Metrics& metrics, RejectionRate rate = {},
                 ScanGate* gate = nullptr)
      : pool_(pool), clock_(clock), metrics_(metrics), rate_(rate), gate_(gate) {}

  asio::awaitable<void> keep(Rejection rejection) override;
  asio::awaitable<RejectionPage> page(RejectionFilter filter, std::int64_t below,
                                      std::size_t limit) override;

 private:
  struct Bucket {
    double tokens = 0;
    std::chrono::steady_clock::time_point filled;
  };

  bool may_write(const std::string& tenant);

  pg::Pool& pool_;
  const Clock& clock_;
  Metrics& metrics_;
  RejectionRate rate_;
  ScanGate* gate_;
  std::map<std::string, Bucket, std::less<>> buckets_;  // by tenant: as many as there are
};

}  // namespace cc
