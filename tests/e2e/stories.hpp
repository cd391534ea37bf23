// What really happened to each call, as the simulator's journal tells it: what the channel was
// asked and answered, and what it told CC. Reads the vendor's words by itself, as channels.md
// describes them, and shares nothing with CC.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/json.hpp>

namespace cc::test {

namespace json = boost::json;

using Instant = std::int64_t;  // epoch milliseconds; 0 = not said

/// A callback, or what a query of the call was answered.
struct Word {
  enum class From { callback, query };

  From from = From::callback;
  std::string action;  // CallInvite, CallEstablish, Hangup
  bool leg_b = false;  // of a CallInvite
  Instant created = 0;
  Instant start_a = 0, start_b = 0, end = 0;  // of a Hangup
  std::optional<std::int64_t> duration, bye_type;
  std::string record_url;
  std::string sha256;         // of a callback's bytes
  bool answered = false;      // a callback: one of its copies was answered 2xx
  bool taken = false;         // a callback: its connection was, so that NGINX may have its bytes
  Instant at = 0, until = 0;  // first copy sent, last copy over

  bool final() const { return action == "Hangup"; }
};

struct Story {
  // The originate.
  long requests = 0;
  Instant asked = 0;  // the first request
  enum class Reply { none, accepted, refused, unclear } reply = Reply::none;
  Instant replied = 0;
  std::string code;      // of a refusal
  long http_status = 0;  // of a refusal
  // The call that came of it.
  std::string channel_call_id;  // empty: it was never dialled
  std::string called;
  long rings_a = 0;
  std::vector<Word> words;
  long events = 0, pushes = 0, lost = 0;  // of the phones; pushes and losses that they led to
  bool ended = false;
  Instant cancelled = 0;               // a cancel was granted
  std::vector<std::string> no_record;  // what queries were refused with
};

class Stories {
 public:
  explicit Stories(const std::string& journal_file);

  /// Reads what the journal has got since.
  void read_on();

  /// Of the call that our id names; null if the channel never heard of it.
  const Story* of(const std::string& call) const;
  const std::map<std::string, Story>& all() const { return stories_; }

  /// Every call is over and every callback was pushed as often as its script says.
  bool at_rest() const;

  /// The number of the last line that was read.
  std::string last() const { return std::to_string(last_); }
  /// Requests that the simulator found wrong.
  const std::vector<std::string>& bad_requests() const { return bad_requests_; }
  long pushes() const { return pushes_; }

 private:
  void take(const json::object& line);
  void take_push(Story& story, const json::object& line);
  Story& named(const json::object& line);

  std::ifstream file_;
  std::string partial_;
  std::map<std::string, Story> stories_;           // by our call id
  std::unordered_map<std::string, long> repeats_;  // by called number
  std::vector<std::string> bad_requests_;
  long pushes_ = 0;
  std::int64_t last_ = 0;
};

/// yyyyMMddHHmmss in Beijing → epoch ms; 0 if it is none.
Instant beijing(const std::string& text);

}  // namespace cc::test
