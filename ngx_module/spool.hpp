// What one worker writes to disk while Redis does not take it: all deliveries of a tick of the loop
// in one write and one fdatasync, then their outcomes.
#pragma once

#include "ngx.hpp"

#include <cstdint>
#include <memory>
#include <string>

#include "counters.hpp"
#include "pending.hpp"
#include "settings.hpp"
#include "spool_file.hpp"

namespace cc {

class Spool {
 public:
  class Owner {
   public:
    /// Once for each put(): `stored`, or `spool_failed`. At the end of the tick, never inside
    /// put().
    virtual void spool_outcome(Pending& pending) = 0;

   protected:
    ~Owner() = default;
  };

  Spool(const SpoolSettings& settings, Slot& slot, Owner& owner);
  Spool(const Spool&) = delete;
  ~Spool();

  bool configured() const noexcept { return !settings_.directory.empty(); }
  void put(Pending& pending);
  /// Writes what was put, now; for the worker's end, else it happens by itself.
  void flush();

  /// Ends the file being written, if there is one that is at least as old as this; true if there
  /// was. Whoever replays finds it in the directory.
  bool seal(ngx_msec_t age = 0) noexcept;

 private:
  bool write(PendingList& batch);
  bool write_to_file();
  bool encode(PendingList& batch);
  bool has_room();
  void complain(const Error& error);

  const SpoolSettings& settings_;
  Slot& slot_;
  Owner& owner_;
  ngx_connection_t event_identity_{};
  ngx_event_t flush_event_{};  // posted: runs at the end of the tick
  PendingList unwritten_;
  std::string batch_;
  SpoolDirectory directory_;
  std::unique_ptr<SpoolFile> file_;
  ngx_msec_t begun_at_ = 0;    // when `file_` was made
  std::uint64_t written_ = 0;  // in the directory as of `measured_at_`, and by us since
  ngx_msec_t measured_at_ = 0;
  std::string last_complaint_;
  bool listing_failed_ = false;  // has been said
};

}  // namespace cc
