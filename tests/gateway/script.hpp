// A script: what the phones, the callout's answer and the events of one call do. Schema in
// README.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "archive.hpp"
#include "contents.hpp"

namespace gateway {

enum class Outcome {
  answered,
  b_no_answer,
  a_no_answer,
  agent_gives_up,
  a_unreached  // its phone doesn't even ring
};
// Ends of accepted calls that are the platform's doing, as far as the contract can say so.
enum class Ends { connect_fail, connect_fail_rung, call_out_fail, platform };
enum class HungUpBy { customer, agent, platform };
enum class CalloutFault { none, hang, drop, status };

struct CalloutScript {
  std::string retcode = "0";  // anything else refuses: nothing is dialled
  CalloutFault fault = CalloutFault::none;
  unsigned int http_status = 502;  // of CalloutFault::status
  bool dialled = true;             // the phones ring in spite of a fault
  bool result = true;              // false: "result" is null in the answer
  std::int64_t after_events = 0;   // wait until so many of the call's events were handed out
  std::int64_t delay_ms = 0;       // then so long
  bool dial_after_answer = false;  // not before the answer, and not if nobody reads it
};

// What CC-FS has of a call that was recorded (Script::record).
struct RecordScript {
  std::int64_t files = 1;         // more than one: a ZIP
  std::int64_t after_ms = 0;      // from the call's end
  std::int64_t bytes_least = 16'058;  // of each file; drawn log-uniformly
  std::int64_t bytes_most = 16'058;
  Packing packing = Packing::mixed;
  bool descriptors = false;
  unsigned int status = 503;  // so often, before it is delivered
  std::int64_t status_times = 0;
  std::int64_t breaks = 0;  // so often the connection is cut after a part of the bytes
  double status_chance = 0;
  double break_chance = 0;
  std::int64_t rate = 0;  // bytes a second; 0 = as fast as it goes
};

struct Script {
  std::string name = "answered";
  Outcome outcome = Outcome::answered;
  HungUpBy hung_up_by = HungUpBy::customer;
  std::int64_t setup_ms = 100;
  std::int64_t a_ring_ms = 1000;
  std::int64_t b_ring_ms = 1500;
  std::int64_t talk_ms = 5000;
  std::int64_t release_ms = 100;  // from the end to PhoneRelease
  std::int64_t ready_ms = 50;     // from PhoneRelease to Ready
  bool record = false;
  bool unknown_events = false;
  bool lost_end = false;
  std::int64_t repeat = 1;  // copies of each event
  bool random = false;      // outcome and pauses are drawn when the call begins
  std::vector<std::string> lose;
  Spelling spelling;
  CalloutScript callout;
  RecordScript recording;

  void end_with(Ends end);
  // Lays a JSON object over this. Throws BadInput.
  void apply(boost::json::value const& value);
  boost::json::object to_json() const;
};

// As outages and random faults write them, in the order of Ends.
std::vector<std::string_view> const& ends_names();
// Real milliseconds as a pause that --speed will divide.
std::int64_t real_ms(std::int64_t ms, double speed);

}  // namespace gateway
