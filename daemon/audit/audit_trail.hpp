// The audit trail in PostgreSQL.
#pragma once

#include <chrono>
#include <deque>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "audit.hpp"
#include "io/clock.hpp"
#include "io/pg.hpp"
#include "metrics.hpp"
#include "shown_before.hpp"

namespace cc {

/// Rows that come one at a time are written at once. What comes while a transaction is under way
/// goes into the next one together, so that many readers cost PostgreSQL few commits.
class StoredAuditTrail final : public AuditTrail {
 public:
  struct Limits {
    std::chrono::milliseconds deadline{5'000};  // of keep(); then what it tells of is not shown
    std::size_t waiting = 10'000;               // rows; more are refused at once
    std::size_t batch = 500;                    // rows of one transaction
    std::chrono::milliseconds remembered{600'000};
    std::size_t most_remembered = 100'000;  // calls
  };

  /// All must outlive the executor's last run.
  StoredAuditTrail(asio::any_io_executor executor, pg::Pool& pool, const Clock& clock,
                   Metrics& metrics, Limits limits);
  StoredAuditTrail(asio::any_io_executor executor, pg::Pool& pool, const Clock& clock,
                   Metrics& metrics);
  ~StoredAuditTrail() override;

  asio::awaitable<void> keep(AuditEntry entry) override;
  asio::awaitable<void> shown(AuditEntry entry) override;
  asio::awaitable<AuditPage> page(AuditFilter filter, std::int64_t below,
                                  std::size_t limit) override;

 private:
  struct Ticket;
  asio::awaitable<void> write_all();
  std::vector<std::shared_ptr<Ticket>> next_batch();

  asio::any_io_executor executor_;
  pg::Pool& pool_;
  const Clock& clock_;
  Metrics& metrics_;
  const Limits limits_;
  std::deque<std::shared_ptr<Ticket>> waiting_;  // not yet in a transaction
  bool writing_ = false;
  ShownBefore shown_;
};

}  // namespace cc
