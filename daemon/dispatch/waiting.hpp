// Events of calls that are not known yet (rules.md, "Waiting"): they stand in waiting_event until
// an attempt on their channel has their call id.
#pragma once

#include <vector>

#include <boost/asio/awaitable.hpp>

#include "dispatch/batch.hpp"
#include "io/pg.hpp"
#include "store/record_store.hpp"

namespace cc {

/// The statement that stores them; of a repeat only a smaller `received` is taken.
pg::Statement put_to_wait(const std::vector<FoundEvent>& events);

struct WaitingReport {
  std::vector<std::int64_t> changed;  // calls whose record changed, or was made
  std::size_t resolved = 0;
  std::size_t inbound = 0;                    // records made of calls that nobody knew
  std::size_t claim_conflicts = 0;            // of these
  std::size_t uncalled = 0;                   // events of a polled line that no call came for
  std::vector<FoldReport::Judgement> judged;  // how channels did
  std::size_t late_life = 0, abandoned = 0;   // see FoldReport
  std::size_t expired = 0;                    // of no call, or too old to be kept: now dead letters
};

/// Gives waiting events to the calls that are known by now, makes records of those that are
/// nobody's. Idempotent; any daemon may run it at any time.
asio::awaitable<WaitingReport> sweep_waiting(pg::Pool& pool, const Channels& channels,
                                             std::int64_t now_ms);

}  // namespace cc
