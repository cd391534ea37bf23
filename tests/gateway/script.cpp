#include "script.hpp"

#include <algorithm>

#include <boost/json/array.hpp>

#include "fields.hpp"
#include "presets.hpp"

namespace gateway {

namespace json = boost::json;

namespace {

constexpr std::int64_t longest_pause = 8LL * 3600 * 1000;
constexpr std::int64_t longest_record_pause = 48LL * 3600 * 1000;

std::vector<std::string_view> const outcomes{"answered", "bNoAnswer", "aNoAnswer", "agentGivesUp",
                                             "aUnreached"};
std::vector<std::string_view> const who{"customer", "agent", "platform"};
std::vector<std::string_view> const faults{"none", "hang", "drop", "status"};
std::vector<std::string_view> const packings{"stored", "deflated", "mixed"};

template <class Choice>
void choose(Fields& fields, std::string_view name, std::vector<std::string_view> const& names,
            Choice& into) {
  into = static_cast<Choice>(fields.choose(name, names, static_cast<std::size_t>(into)));
}

template <class Choice>
std::string_view shown(std::vector<std::string_view> const& names, Choice choice) {
  return names[static_cast<std::size_t>(choice)];
}

bool is_retcode(std::string const& code) {
  return code == "0" ||
         (code.size() == 7 && code[3] == '-' &&
          std::ranges::count_if(code, [](char c) { return c >= '0' && c <= '9'; }) == 6);
}

void apply_callout(CalloutScript& callout, json::value const& value) {
  Fields fields(value, "callout");
  fields.take("retcode", callout.retcode);
  if (!is_retcode(callout.retcode))
    fields.complain("retcode", "must be \"0\" or look like \"100-018\"");
  choose(fields, "fault", faults, callout.fault);
  std::int64_t status = callout.http_status;
  fields.take("httpStatus", status, 400, 599);
  callout.http_status = static_cast<unsigned int>(status);
  fields.take("dialled", callout.dialled);
  fields.take("result", callout.result);
  fields.take("afterEvents", callout.after_events, 0, 20);
  fields.take("delayMs", callout.delay_ms, 0, longest_pause);
  fields.take("dialAfterAnswer", callout.dial_after_answer);
  fields.end();
}

constexpr std::int64_t largest_file = 200 << 20;

// A number, or [least, most].
void take_size(Fields& fields, RecordScript& into) {
  auto const bytes = fields.take("recordBytes");
  if (!bytes) return;
  auto const number = [&](json::value const& value) {
    if (!value.is_int64() || value.get_int64() < 58 || value.get_int64() > largest_file)
      fields.complain("recordBytes", "must be 58 to 209715200 bytes, or [least, most] of those");
    return value.get_int64();
  };
  if (auto const range = bytes->if_array(); range && range->size() == 2) {
    into.bytes_least = number(range->at(0));
    into.bytes_most = number(range->at(1));
    if (into.bytes_least > into.bytes_most) fields.complain("recordBytes", "must be [least, most]");
  } else {
    into.bytes_least = into.bytes_most = number(*bytes);
  }
}

void take_recording(Fields& fields, RecordScript& into) {
  fields.take("recordFiles", into.files, 1, 20);
  fields.take("recordAfterMs", into.after_ms, 0, longest_record_pause);
  take_size(fields, into);
  choose(fields, "recordZip", packings, into.packing);
  fields.take("recordDescriptors", into.descriptors);
  std::int64_t status = into.status;
  fields.take("recordStatus", status, 400, 599);
  into.status = static_cast<unsigned int>(status);
  fields.take("recordStatusTimes", into.status_times, 0, 1000);
  fields.take("recordBreaks", into.breaks, 0, 1000);
  fields.take("recordStatusChance", into.status_chance, 0, 1);
  fields.take("recordBreakChance", into.break_chance, 0, 1);
  fields.take("recordBytesPerSecond", into.rate, 0, std::int64_t{1} << 40);
}

void show_recording(RecordScript const& script, json::object& into) {
  into["recordFiles"] = script.files;
  into["recordAfterMs"] = script.after_ms;
  if (script.bytes_least == script.bytes_most)
    into["recordBytes"] = script.bytes_most;
  else
    into["recordBytes"] = json::array{script.bytes_least, script.bytes_most};
  into["recordZip"] = shown(packings, script.packing);
  into["recordDescriptors"] = script.descriptors;
  into["recordStatus"] = script.status;
  into["recordStatusTimes"] = script.status_times;
  into["recordBreaks"] = script.breaks;
  into["recordStatusChance"] = script.status_chance;
  into["recordBreakChance"] = script.break_chance;
  into["recordBytesPerSecond"] = script.rate;
}

}  // namespace

void Script::apply(json::value const& value) {
  Fields fields(value, "script");
  std::string preset;
  if (fields.take("preset", preset)) {
    auto found = script_by_name(preset);
    if (!found) fields.complain("preset", "is unknown; GET /_control/presets lists them");
    *this = *found;
  } else {
    name = "custom";
  }
  fields.take("name", name);
  choose(fields, "outcome", outcomes, outcome);
  choose(fields, "hungUpBy", who, hung_up_by);
  fields.take("setupMs", setup_ms, 0, longest_pause);
  fields.take("aRingMs", a_ring_ms, 0, longest_pause);
  fields.take("bRingMs", b_ring_ms, 0, longest_pause);
  fields.take("talkMs", talk_ms, 0, longest_pause);
  fields.take("releaseMs", release_ms, 0, longest_pause);
  fields.take("readyMs", ready_ms, 0, longest_pause);
  fields.take("record", record);
  fields.take("unknownEvents", unknown_events);
  fields.take("lostEnd", lost_end);
  fields.take("repeat", repeat, 1, 100);
  fields.take("random", random);
  fields.take("lose", lose);
  fields.take("camelCallId", spelling.camel);
  fields.take("numbers", spelling.numbers);
  if (auto given = fields.take("callout")) apply_callout(callout, *given);
  take_recording(fields, recording);
  fields.end();
}

json::object Script::to_json() const {
  json::object out{{"name", name},
                   {"outcome", shown(outcomes, outcome)},
                   {"hungUpBy", shown(who, hung_up_by)},
                   {"setupMs", setup_ms},
                   {"aRingMs", a_ring_ms},
                   {"bRingMs", b_ring_ms},
                   {"talkMs", talk_ms},
                   {"releaseMs", release_ms},
                   {"readyMs", ready_ms},
                   {"record", record},
                   {"unknownEvents", unknown_events},
                   {"lostEnd", lost_end},
                   {"repeat", repeat},
                   {"random", random},
                   {"lose", json::array(lose.begin(), lose.end())},
                   {"camelCallId", spelling.camel},
                   {"numbers", spelling.numbers},
                   {"callout", json::object{{"retcode", callout.retcode},
                                            {"fault", shown(faults, callout.fault)},
                                            {"httpStatus", callout.http_status},
                                            {"dialled", callout.dialled},
                                            {"result", callout.result},
                                            {"afterEvents", callout.after_events},
                                            {"delayMs", callout.delay_ms},
                                            {"dialAfterAnswer", callout.dial_after_answer}}}};
  show_recording(recording, out);
  return out;
}

void Script::end_with(Ends end) {
  switch (end) {
    case Ends::connect_fail:
      outcome = Outcome::a_unreached;
      break;
    case Ends::connect_fail_rung:
      outcome = Outcome::a_no_answer;
      break;
    case Ends::call_out_fail:
      outcome = Outcome::b_no_answer;
      break;
    case Ends::platform:
      outcome = Outcome::answered;
      hung_up_by = HungUpBy::platform;
      break;
  }
}

std::vector<std::string_view> const& ends_names() {
  static std::vector<std::string_view> const names{"connectFail", "connectFailRung", "callOutFail",
                                                   "platform"};
  return names;
}

std::int64_t real_ms(std::int64_t ms, double speed) {
  return static_cast<std::int64_t>(static_cast<double>(ms) * speed);
}

}  // namespace gateway
