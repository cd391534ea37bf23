// Puts spooled deliveries into Redis' streams, whoever wrote them: a file that nobody holds is
// adopted, the oldest first. In order, a batch at a time, at a bounded rate; a file is removed when
// Redis has acknowledged all of it.
#pragma once

#include "ngx.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "counters.hpp"
#include "link.hpp"
#include "pending.hpp"
#include "settings.hpp"
#include "spool.hpp"
#include "spool_file.hpp"
#include "timer.hpp"

namespace cc {

class Replay {
 public:
  Replay(const MainSettings& settings, Slot& slot, Link& link, Spool& spool, PendingPool& pool);
  Replay(const Replay&) = delete;

  void start();
  void stop();

  /// The outcome of one of the entries that it sent.
  void answered(Pending& pending);

 private:
  void step();
  bool find_file();
  bool adopt(const SpoolEntry& entry);
  void send_batch();
  bool send(const SpoolRecord& record);
  void batch_ended();
  void finish_file();
  void remove_stuck();
  void wait(ngx_msec_t delay);
  void back_off();
  bool complain(const Error& error);

  const MainSettings& settings_;
  Slot& slot_;
  Link& link_;
  Spool& spool_;
  PendingPool& pool_;
  Timer timer_;
  std::unique_ptr<SpoolReader> file_;
  unsigned damage_counted_ = 0;  // of `file_`
  std::size_t in_flight_ = 0;
  std::size_t stored_ = 0;  // of this batch, before the first that was refused
  bool refused_ = false;    // one of this batch was
  unsigned failures_ = 0;
  ngx_msec_t link_seen_ = 0;  // when the link was last up
  // Done with, but the disk would not let them go. Held, or they would be replayed again.
  std::vector<std::unique_ptr<SpoolReader>> stuck_;
  ngx_msec_t stuck_tried_ = 0;
  ngx_msec_t searched_at_ = 0;  // the directory
  std::set<std::string> complained_;
};

}  // namespace cc
