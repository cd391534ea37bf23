// One call: its life in the phone world and the callbacks that it causes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>

#include "callback.hpp"
#include "journal.hpp"
#include "phones.hpp"
#include "push.hpp"
#include "script.hpp"

namespace jiuyun {

class World;

// What the originate asked for.
struct CallRequest {
  std::string from;
  std::string to;
  std::string user_data;
  bool need_record = false;
  std::optional<std::int64_t> max_call_time;  // seconds
};

// What came of those who asked for its recording.
struct Fetches {
  std::int64_t asked = 0;  // GETs with the right auth after the call's end
  std::int64_t statuses = 0;
  std::int64_t cut = 0;
  std::int64_t whole = 0;  // to the last byte
  std::string md5;         // of the file, once somebody wanted to know
};

class Call : public std::enable_shared_from_this<Call> {
 public:
  Call(World& world, boost::asio::any_io_executor executor, std::string call_id,
       CallRequest request, Script script);

  void start();          // begins to dial; a second time does nothing
  void cancel();         // by the platform's API
  void hang_up(Leg by);  // by a person: rejects while ringing
  void abandon();        // reset: no hangup, no callback, silence
  boost::asio::awaitable<void>
  first_push_over();  // the first callback was answered, failed or was lost

  CallName name() const { return {call_id_, request_.user_data}; }
  std::string const& id() const { return call_id_; }
  CallRequest const& request() const { return request_; }
  Script const& script() const { return script_; }
  bool ended() const { return ended_at_ != 0; }
  std::int64_t accepted_at() const { return accepted_at_; }
  std::int64_t ended_at() const { return ended_at_; }
  bool has_recording() const;
  Fetches& fetches() { return fetches_; }
  Fetches const& fetches() const { return fetches_; }
  // Fields of the Hangup callback; only once the call has ended.
  std::vector<std::pair<std::string, std::string>> const& final_fields() const {
    return final_fields_;
  }
  boost::json::object to_json() const;  // the truth

 private:
  enum class Phase { accepted, a_dialled, b_dialled, talking, ended };
  struct Ending {
    std::string by;  // a, b, maximum, cancel, or why a leg failed
    int bye_type = 0;
    int user_flag = 0;
  };
  struct Pushed {
    std::string action;
    int user_flag = -1;
    int copy = 1;
    bool lost = false;
    PushResult result;
  };
  struct Due {
    Callback callback;
    CallbackBytes bytes;
    int copy = 1;
  };

  static boost::asio::awaitable<void> live(std::shared_ptr<Call> self);
  static boost::asio::awaitable<void> push_in_turn(std::shared_ptr<Call> self);
  static boost::asio::awaitable<void> push_alone(std::shared_ptr<Call> self, Due due);
  boost::asio::awaitable<Ending> dial();
  // Dials one leg; nothing if it answered.
  boost::asio::awaitable<std::optional<Ending>> reach(Leg leg);
  // True if the call was interrupted meanwhile.
  boost::asio::awaitable<bool> pause(std::int64_t script_ms);
  boost::asio::awaitable<void> push_one(Due due);
  void interrupt(Ending ending);
  void finish(Ending const& ending);

  std::vector<std::pair<std::string, std::string>> common_fields(std::string_view action,
                                                                 int user_flag,
                                                                 std::int64_t at) const;
  void emit(std::string_view action, int user_flag,
            std::vector<std::pair<std::string, std::string>> fields, std::int64_t at);
  void enqueue(Callback const& callback);
  void release_held();
  void note_first_push();
  std::int64_t duration() const;
  std::string record_url() const;

  World& world_;
  boost::asio::any_io_executor executor_;
  std::string call_id_;
  CallRequest request_;
  Script script_;

  Phase phase_ = Phase::accepted;
  bool started_ = false;
  bool abandoned_ = false;
  std::optional<Ending> interruption_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer first_push_;
  bool first_push_over_ = false;

  std::int64_t accepted_at_ = 0;
  std::int64_t a_called_at_ = 0;
  std::int64_t a_answered_at_ = 0;
  std::int64_t b_called_at_ = 0;
  std::int64_t b_answered_at_ = 0;
  std::int64_t ended_at_ = 0;
  std::string hung_up_by_;
  int bye_type_ = 0;
  std::vector<std::pair<std::string, std::string>> final_fields_;

  std::vector<Callback> held_;  // waiting for the call's end
  std::deque<Due> queue_;
  bool pushing_ = false;
  std::vector<Pushed> pushed_;
  Fetches fetches_;
};

}  // namespace jiuyun
