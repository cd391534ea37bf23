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

#include "contents.hpp"

namespace gateway {

enum class Outcome { answered, b_no_answer, a_no_answer, agent_gives_up };
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
  bool random = false;  // outcome and pauses are drawn when the call begins
  std::vector<std::string> lose;
  Spelling spelling;
  CalloutScript callout;

  // Lays a JSON object over this. Throws BadInput.
  void apply(boost::json::value const& value);
  boost::json::object to_json() const;
};

}  // namespace gateway
