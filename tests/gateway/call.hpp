// One call: its phones ring, answer and hang up as the script says, and each step queues its
// events.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>

#include "contents.hpp"
#include "script.hpp"

namespace gateway {

class World;

struct CallPlan {
  CallFacts facts;
  std::uint32_t agent = 0;
  std::string phonenum;  // the A phone
  std::string app_data;  // callappdata, for the journal
  Script script;
  double speed = 1.0;
  bool synthetic = false;  // of the load generator: its phones are nobody's
};

// What came of those who asked CC-FS for its recording.
struct Fetches {
  std::int64_t asked = 0;    // rightly, and it was there
  std::int64_t unready = 0;  // rightly, but too early
  std::int64_t refused = 0;  // by the script
  std::int64_t cut = 0;
  std::int64_t whole = 0;  // to the last byte
};

// Who ends a call, and what A's phone then says.
struct Ending {
  HungUpBy side = HungUpBy::customer;
  std::string by;  // customer, agent, platform, release, dropcall
  int phone_state = 3;
};

class Call : public std::enable_shared_from_this<Call> {
 public:
  Call(World& world, CallPlan plan);

  // Begins dialling, once.
  void start();
  // Somebody ends it before its script does. False if it has ended.
  bool end(Ending ending);
  // The gateway forgets it: no more events. `by` is the journal's.
  void abandon(std::string by = "restart");

  // Returns once `count` of its events were handed out or lost, or it is over.
  boost::asio::awaitable<void> events_gone(std::int64_t count);
  void event_gone();

  std::string const& id() const { return plan_.facts.call_id; }
  std::uint32_t agent() const { return plan_.agent; }
  Script const& script() const { return plan_.script; }
  bool synthetic() const { return plan_.synthetic; }
  bool ended() const { return ended_at_ != 0; }
  bool over() const { return over_; }
  std::int64_t ended_at() const { return ended_at_; }
  // It was recorded and has ended.
  bool has_recording() const { return ended() && !record_file_.empty(); }
  std::string const& record_file() const { return record_file_; }  // as the Record event names it
  Fetches& fetches() { return fetches_; }
  Fetches const& fetches() const { return fetches_; }
  boost::json::object info() const;  // what the gateway's query answers
  boost::json::object to_json() const;

 private:
  static boost::asio::awaitable<void> live(std::shared_ptr<Call> self);
  boost::asio::awaitable<void> play();
  boost::asio::awaitable<void> hook(int phone_state, bool ready);
  void ring_a();
  void answer_a();
  void ring_b();
  void connect();
  int release(HungUpBy scripted);
  void fail_a(std::string cause);
  void fail_b();
  boost::asio::awaitable<bool> pause(std::int64_t ms);  // true if the call was interrupted
  boost::asio::awaitable<bool> rest(std::int64_t ms);   // true if it was abandoned
  bool take_phone();
  void draw();
  void emit(std::string_view type, boost::json::value content = nullptr);
  void note(std::string_view event, boost::json::object fields = {});
  void mark_end(std::string by);
  void free();

  World& world_;
  CallPlan plan_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer gone_;  // cancelled at each event that is gone
  std::optional<Ending> interruption_;
  char const* stage_ = "setup";
  std::string by_;
  std::int64_t began_at_;
  std::int64_t a_answered_at_ = 0;
  std::int64_t connected_at_ = 0;
  std::int64_t ended_at_ = 0;
  std::int64_t events_gone_ = 0;
  bool started_ = false;
  bool abandoned_ = false;
  bool over_ = false;
  bool has_phone_ = false;
  std::string record_file_;
  Fetches fetches_;
};

}  // namespace gateway
