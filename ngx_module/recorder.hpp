// Gets each delivery stored, in Redis or else in the spool, and says so once. The one place that
// decides where a delivery goes:
//
//   Redis takes it within the timeout              → stored
//   Redis does not, for whatever reason            → spool
//   the stream is above its high-water mark        → spool, and Redis after all if that fails
//   neither takes it                               → not stored
#pragma once

#include "ngx.hpp"

#include <cstdint>
#include <string_view>

#include "counters.hpp"
#include "link.hpp"
#include "pending.hpp"
#include "replay.hpp"
#include "settings.hpp"
#include "spool.hpp"

namespace cc {

/// What became of a delivery.
struct Fate {
  bool stored = false;              // in Redis or in the spool: may be answered 2xx
  bool spool_failed = false;        // it was asked and did not take it
  Trouble trouble = Trouble::none;  // Redis'; none where it took the delivery
};

class Recorder final : private Link::Owner, private Spool::Owner {
 public:
  /// Called once for each delivery whose request still lives, outside of any event of it.
  using Answer = void (*)(ngx_http_request_t* request, const Fate& fate);

  /// Settings and slot must outlive it.
  Recorder(const MainSettings& settings, Slot& slot, Answer answer);
  Recorder(const Recorder&) = delete;
  ~Recorder() = default;

  void start();
  /// For exit_process: what is under way goes to the spool, and no request is touched any more.
  void stop();

  /// Takes a delivery: the envelope's header and body, the code of its channel both plain and as an
  /// argument of Redis' protocol. A fate that is known at once (nobody takes it) is returned;
  /// otherwise nothing is, and the answer follows. Throws std::bad_alloc.
  struct Taken {
    bool taken;
    Fate fate;  // where it was not
  };
  Taken record(ngx_http_request_t* request, const ChannelSettings& channel,
               std::int64_t received_ms, std::uint32_t partition_hash, std::string_view header,
               std::string_view body);

  Link& link() noexcept { return link_; }

 private:
  void link_outcome(Pending& pending) override;
  void spool_outcome(Pending& pending) override;
  void finish(Pending& pending);

  const MainSettings& settings_;
  Slot& slot_;
  const Answer answer_;
  bool stopping_ = false;
  PendingPool pool_;
  Link link_;
  Spool spool_;
  Replay replay_;
};

}  // namespace cc
