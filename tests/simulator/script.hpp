// A script: what the phones, the originate's answer and the callbacks of one call do. Schema in
// README.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace jiuyun {

enum class LegOutcome { answer, no_answer, unreachable, busy };
enum class HungUpBy { a, b, maximum };
enum class Fault {
  none,
  hang_before,
  hang_after,
  drop_before,
  drop_after
};  // before / after dialling began
enum class Format { xml, json, json_strings };

struct OriginateScript {
  std::int64_t delay_ms = 0;
  std::string code;  // a refusal's statusCode
  std::string sub_status_code;
  std::optional<unsigned int> http_status;
  std::optional<std::string> raw_body;  // answered instead of the JSON
  bool dialled = false;                 // dial in spite of a 4xx/5xx or a raw body
  bool dial_after_answer =
      false;  // with a delay: not before the answer, and not if nobody reads it
  Fault fault = Fault::none;

  // Milliseconds that --speed doesn't divide.
  void add_real_delay(std::int64_t ms, double speed);
  // The answer tells the product nothing it could rely on, or nothing at all.
  bool unclear() const { return (http_status && *http_status >= 400) || raw_body; }
  bool dials() const;
};

struct CallbackScript {
  std::int64_t delay_ms = 0;
  std::vector<std::string>
      lose;  // labels: CallInvite0, CallInvite1, CallInvite, CallEstablish, Hangup
  int repeat = 1;
  std::vector<std::string> order;
  bool reverse = false;
  bool shuffle = false;
  bool at_once = false;  // pushes don't wait for each other
  Format format = Format::xml;
  bool json_root = false;  // {"req":{…}}
  bool ill_formed_user_data = false;
  bool literal_null = false;
  bool extra_fields = false;
  bool shuffle_fields = false;
  bool drop_user_data = false;
  bool before_answer = false;

  bool holds() const { return reverse || shuffle || !order.empty(); }
  bool loses(std::string_view label) const;
};

struct QueryScript {
  std::string code;
  std::int64_t delay_ms = 0;
  std::optional<unsigned int> http_status;
};

struct RecordingScript {
  bool made = true;           // if the request asked for it
  std::int64_t after_ms = 0;  // until then 404; the vendor's is 10 minutes
  bool query = false;         // recordUrl already has a query
  unsigned int status = 200;
  std::int64_t status_times = 0;  // so often `status`, then it is there; 0 = always `status`
  int frames = 40;                // of 26 ms, if bytes_most is 0
  std::int64_t bytes_least = 0;   // its size, drawn by the call's id, log-uniformly
  std::int64_t bytes_most = 0;
  std::int64_t breaks = 0;   // so often the connection is cut after a part of the bytes
  double break_chance = 0;   // and from then on with this probability
  double status_chance = 0;  // 503 instead
  std::int64_t rate = 0;     // bytes a second; 0 = as fast as it goes
};

struct Script {
  std::string name = "answered";
  std::int64_t setup_ms = 100;  // from accepted to A dialled
  LegOutcome a = LegOutcome::answer;
  std::int64_t a_ring_ms = 1000;
  LegOutcome b = LegOutcome::answer;
  std::int64_t b_ring_ms = 1500;
  bool b_many_lines = false;
  std::int64_t talk_ms = 5000;
  HungUpBy hung_up_by = HungUpBy::b;
  std::optional<int> bye_type;
  OriginateScript originate;
  CallbackScript callbacks;
  QueryScript query;
  RecordingScript recording;

  // A is not reached, with this byeType. `rings`: A's phone rings first.
  void end_with(int given_bye_type, bool rings);
  // Lays a JSON script over this one ("preset" first). Throws std::runtime_error that names the
  // key.
  void apply(boost::json::value const& document);
  boost::json::object to_json() const;
};

// Real milliseconds as a pause that --speed will divide.
std::int64_t real_ms(std::int64_t ms, double speed);

// The leaves of Script as its JSON writes them.
std::string_view outcome_name(LegOutcome outcome);
std::string_view hung_up_by_name(HungUpBy by);

}  // namespace jiuyun
