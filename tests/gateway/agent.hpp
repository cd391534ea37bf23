// One agent (seat): its session, the events that wait for it, its pending poll.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/steady_timer.hpp>
#include <boost/json/value.hpp>

#include "clock.hpp"

namespace gateway {

class Call;

struct Event {
  std::int64_t seq = 0;
  std::uint32_t agent = 0;
  std::string type;
  boost::json::value content;
  std::string call_id;  // the truth, also where the content names none
  std::int64_t ready_at = 0;
  Steady::time_point ready;
};

// A poll that waits for an event. It lies in its coroutine's frame; the agent knows the latest.
struct Poll {
  enum class End { none, event, superseded, signed_out, replaced, dropped };

  Poll(boost::asio::any_io_executor executor, std::int64_t wait_ms)
      : timer(executor, Steady::now() + milliseconds(wait_ms)) {}

  // The first end counts, except that an event may yet be overtaken by something worse.
  void finish(End how) {
    if (end == End::none || end == End::event) end = how;
    timer.cancel();
  }

  boost::asio::steady_timer timer;
  End end = End::none;  // none = the time is up
};

struct Session {
  std::int64_t serial = 0;
  std::string guid;      // empty once the control API expired it
  std::string old_guid;  // valid until the new one was used
  std::string cookie;
  std::string phonenum;
  bool idle = true;           // signed in as idle: may call out
  bool skills_reset = false;  // POST resetskill was made
  std::int64_t answers = 0;   // counts up to --guid-renew
  Steady::time_point guid_at;
  Steady::time_point alive;                    // sign-in or the latest poll
  std::optional<Steady::time_point> answered;  // the latest poll's answer
  std::int64_t answered_link = 0;              // and on which connection

  // Using the new guid ends the old one.
  bool admits(std::string_view given) {
    if (given.empty()) return false;
    if (given == guid) old_guid.clear();
    return given == guid || given == old_guid;
  }
};

struct Agent {
  std::uint32_t id = 0;
  std::optional<std::string> password;  // else everybody's
  bool locked = false;
  int signing = 0;  // sign-ins and sign-outs that have not been answered
  std::optional<Session> session;
  std::deque<Event> queue;
  Poll* poll = nullptr;
  std::shared_ptr<Call> call;  // the one that keeps the agent from making another
  std::int64_t calls = 0;
  bool turn = false;  // alternates what a poll's answer looks like

  std::string name() const { return std::to_string(id); }
};

}  // namespace gateway
