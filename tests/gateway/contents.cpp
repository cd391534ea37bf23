#include "contents.hpp"

#include <charconv>
#include <ctime>

#include <boost/json/object.hpp>

namespace gateway {

namespace json = boost::json;

namespace {

// "7" or 7. Phone numbers of up to 15 digits fit too, and lose their leading zeros: a trap on
// purpose.
json::value number(std::string const& digits, Spelling spelling) {
  std::int64_t value = 0;
  auto const end = digits.data() + digits.size();
  auto const read = std::from_chars(digits.data(), end, value);
  if (spelling.numbers && read.ec == std::errc{} && read.ptr == end) return value;
  return json::value(digits);
}

char const* call_key(Spelling spelling) {
  return spelling.camel ? "callId" : "callid";
}

// yyyyMMdd and HHmmss in Beijing time, as in the vendor's file names.
std::string beijing(std::int64_t at, char const* format) {
  auto const seconds = static_cast<std::time_t>(at / 1000 + 8 * 3600);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[24];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

}  // namespace

json::value customer_alerting(CallFacts const& call, Spelling spelling) {
  return json::object{{call_key(spelling), call.call_id},
                      {"otherPhoneWorkno", ""},
                      {"otherPhone", number(call.customer, spelling)},
                      {"type", "main"}};
}

json::value talking(CallFacts const& call, Spelling spelling) {
  return json::object{{"caller", number(call.caller, spelling)},
                      {call_key(spelling), call.call_id},
                      {"called", number(call.called, spelling)},
                      {"feature", number(call.inbound ? "0" : "7", spelling)},
                      {"type", "main"},
                      {"mediaAbility", number("1", spelling)}};
}

json::value customer_release(CallFacts const& call, Spelling spelling) {
  return json::object{{call_key(spelling), call.call_id},
                      {"number", number(call.customer, spelling)}};
}

// A number in the vendor's sample, so the exception is the string.
json::value phone_release(int state, Spelling) {
  return json::object{{"phoneState", state}};
}

json::value record(CallFacts const& call, std::uint32_t agent, std::int64_t at) {
  auto const day = beijing(at, "%Y%m%d");
  auto const time = beijing(at, "%H%M%S");
  auto const seat = std::to_string(agent);
  return json::object{{"taskId", call.task_id},
                      {"caller", call.caller},
                      {"recordID", "Yc1v6a" + seat + "d" + day + "t" + time + "0"},
                      {"called", call.called},
                      {"locationId", "256"},
                      {"fileName", "Y:/6/0/" + day + "/" + seat + "/" + time + "0.V3"},
                      {"fileMediaType", "1"},
                      {"callId", call.call_id}};
}

json::value stop_record_done(CallFacts const& call, std::int64_t begin, std::int64_t end) {
  return json::object{
      {"beginTime", begin}, {"endTime", end}, {"recordFormat", "3"}, {"taskId", call.task_id}};
}

}  // namespace gateway
