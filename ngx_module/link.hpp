// One worker's link to Redis: connects, greets, keeps trying; sends entries and says what became of
// each. Knows nothing of requests.
//
// Invariant: while a delivery that came in just now is pending, the deadline timer is armed and not
// cancelable; otherwise no timer of ours keeps a worker that wants to leave.
#pragma once

#include "ngx.hpp"

#include <string_view>
#include <vector>

#include "counters.hpp"
#include "pending.hpp"
#include "settings.hpp"
#include "timer.hpp"
#include "wire.hpp"

namespace cc {

class Link final : private Wire::Owner {
 public:
  enum class Append { taken, down, full, stream_full };

  class Owner {
   public:
    /// Once for each append that was taken: `stored`, or `trouble` says why not. Outside of
    /// hiredis, and never inside append().
    virtual void link_outcome(Pending& pending) = 0;

   protected:
    ~Owner() = default;
  };

  /// All of them must outlive the link; a cycle's settings outlive its worker.
  Link(const MainSettings& settings, Slot& slot, Owner& owner);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() = default;

  void start();
  /// For the worker's end: every pending gets its outcome now, and no other is taken.
  void stop();

  /// Sends the pending's command, whose only answer tells whether it is stored. Leaves with all
  /// others of this tick of the loop in one write. `though_full`: even above the high-water mark.
  Append append(Pending& pending, bool though_full = false);

  bool up() const noexcept { return state_ == State::up; }

  /// As of the last look at that stream's length, which is asked for beside entries, at most every
  /// 100 ms.
  bool stream_full(unsigned partition) const noexcept { return streams_[partition].full; }
  /// Asks for it now, unless it was just done.
  void look(unsigned partition);

  /// A command that nobody waits for. False where it could not be sent; an error is only logged.
  bool tell(std::string_view command);

 private:
  enum class State { down, connecting, greeting, up, closed };

  struct Stream {
    ngx_msec_t asked_at = 0;
    bool asked = false;  // no answer yet
    bool full = false;
    std::uint64_t length = 0;
  };

  void wire_connected(const char* why) override;
  void wire_worked() override;
  void wire_gone() override;
  void wire_must_close() override;

  void connect();
  void greet();
  void greeted(const char* error);
  void retry_later();
  void retry_timer_fired();
  void deadline_fired();
  const Pending* most_urgent() noexcept;
  void well_again();
  void idle_fired();
  void drop(Trouble reason);
  void settle();
  void answered(Pending& pending, Trouble trouble);
  void looked(unsigned partition, std::uint64_t length);
  void complain(const char* what, std::string_view why);
  void enter(State state);
  void note_pending();

  const MainSettings& settings_;
  Slot& slot_;
  Owner& owner_;
  Wire wire_;

  State state_ = State::down;
  unsigned failures_ = 0;  // in a row, for the backoff; over once an entry was taken
  unsigned graces_ = 0;    // given in a row to answers that lie in the socket
  ngx_msec_t up_since_ = 0;
  bool give_up_ = false;  // the greeting failed: free the context in settle()
  char last_complaint_[128] = "";
  Trouble losing_ = Trouble::redis_lost;  // what answers that never came mean just now

  Timer retry_timer_;     // to connect again; while connecting and greeting its deadline
  Timer deadline_timer_;  // of the oldest pending
  Timer idle_timer_;      // looks whether Redis is still there, and at the streams' lengths

  PendingList waiting_;         // in the order of their commands, which is that of the answers
  PendingList done_;            // outcome known, to be told by settle()
  std::size_t live_count_ = 0;  // of both, those that are not replayed
  std::size_t live_bytes_ = 0;
  std::vector<Stream> streams_;
  unsigned next_idle_look_ = 0;
};

}  // namespace cc
