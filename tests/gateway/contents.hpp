// What stands in the events: channels.md's table, word for word.
#pragma once

#include <cstdint>
#include <string>

#include <boost/json/value.hpp>

namespace gateway {

// The vendor's installations differ in these.
struct Spelling {
  bool camel = false;    // callId instead of callid
  bool numbers = false;  // JSON numbers instead of strings of digits
};

// What the contents need to know of a call.
struct CallFacts {
  std::string call_id;
  std::string caller;  // what the customer's phone shows (outbound), or the customer (inbound)
  std::string called;
  std::string customer;
  bool inbound = false;
  std::int64_t task_id = 0;
};

boost::json::value customer_alerting(CallFacts const& call, Spelling spelling);
boost::json::value talking(CallFacts const& call, Spelling spelling);
boost::json::value customer_release(CallFacts const& call, Spelling spelling);
boost::json::value phone_release(int state, Spelling spelling);
boost::json::value record(CallFacts const& call, std::uint32_t agent, std::int64_t at);
boost::json::value stop_record_done(CallFacts const& call, std::int64_t begin, std::int64_t end);

}  // namespace gateway
