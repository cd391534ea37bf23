#include "script.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/array.hpp>

#include "presets.hpp"
#include "reader.hpp"

namespace jiuyun {

namespace json = boost::json;

namespace {

constexpr Names<LegOutcome, 4> outcomes{{{"answer", LegOutcome::answer},
                                         {"noAnswer", LegOutcome::no_answer},
                                         {"unreachable", LegOutcome::unreachable},
                                         {"busy", LegOutcome::busy}}};
constexpr Names<HungUpBy, 3> enders{
    {{"a", HungUpBy::a}, {"b", HungUpBy::b}, {"maximum", HungUpBy::maximum}}};
constexpr Names<Format, 3> formats{
    {{"xml", Format::xml}, {"json", Format::json}, {"jsonStrings", Format::json_strings}}};

constexpr std::int64_t largest_recording = std::int64_t{4} << 30;

template <class Value, std::size_t size>
std::string_view name_of(Names<Value, size> const& names, Value value) {
  for (auto const& [name, known] : names)
    if (known == value) return name;
  return "?";
}

void read_faults(Reader& reader, Fault& fault) {
  if (auto hang = reader.find("hang")) {
    if (hang->is_bool())
      fault = hang->get_bool() ? Fault::hang_after : Fault::none;
    else if (*hang == json::value("before"))
      fault = Fault::hang_before;
    else if (*hang == json::value("after"))
      fault = Fault::hang_after;
    else
      reader.complain("hang", *hang,
                      "must be true, false, \"before\" or \"after\" (dialling began)");
  }
  if (auto drop = reader.find("drop")) {
    if (*drop == json::value("before"))
      fault = Fault::drop_before;
    else if (*drop == json::value("after"))
      fault = Fault::drop_after;
    else if (drop->is_null())
      fault = Fault::none;
    else
      reader.complain("drop", *drop, "must be \"before\" or \"after\" (dialling began), or null");
  }
}

void apply_originate(json::value const& document, OriginateScript& into) {
  Reader reader(document, "script: originate.");
  reader.pause("delayMs", into.delay_ms);
  reader.code("code", into.code);
  reader.code("subStatusCode", into.sub_status_code);
  reader.status("httpStatus", into.http_status);
  std::string raw;
  if (reader.text("rawBody", raw, 64 * 1024)) into.raw_body = raw;
  reader.flag("dialled", into.dialled);
  reader.flag("dialAfterAnswer", into.dial_after_answer);
  read_faults(reader, into.fault);
  if (into.code == "000000") into.code.clear();
  if (into.dialled && !into.code.empty())
    reader.complain(
        "dialled", true,
        "contradicts code \"" + into.code + "\": a refused call is never dialled; leave one out");
  if (into.fault != Fault::none && !into.code.empty())
    reader.complain("code", json::value(into.code),
                    "contradicts hang/drop: no answer carries no code; leave one out");
  reader.finish();
}

void apply_callbacks(json::value const& document, CallbackScript& into) {
  Reader reader(document, "script: callbacks.");
  reader.pause("delayMs", into.delay_ms);
  reader.label_list("lose", into.lose);
  reader.label_list("order", into.order);
  std::int64_t repeat = into.repeat;
  reader.whole("repeat", repeat, 1, 100);
  into.repeat = static_cast<int>(repeat);
  reader.flag("reverse", into.reverse);
  reader.flag("shuffle", into.shuffle);
  reader.flag("atOnce", into.at_once);
  reader.choice("format", into.format, formats);
  reader.flag("jsonRoot", into.json_root);
  reader.flag("illFormedUserData", into.ill_formed_user_data);
  reader.flag("literalNull", into.literal_null);
  reader.flag("extraFields", into.extra_fields);
  reader.flag("shuffleFields", into.shuffle_fields);
  reader.flag("dropUserData", into.drop_user_data);
  reader.flag("beforeAnswer", into.before_answer);
  if (int(into.reverse) + int(into.shuffle) + int(!into.order.empty()) > 1)
    reader.complain("order/reverse/shuffle", document, "exclude each other; give one");
  reader.finish();
}

void apply_query(json::value const& document, QueryScript& into) {
  Reader reader(document, "script: query.");
  reader.code("code", into.code);
  reader.pause("delayMs", into.delay_ms);
  reader.status("httpStatus", into.http_status);
  reader.finish();
}

// A number, or [least, most].
void read_size(Reader& reader, RecordingScript& into) {
  auto const bytes = reader.find("bytes");
  if (!bytes) return;
  auto const number = [&](json::value const& value) {
    if (!value.is_int64() || value.get_int64() < 0 || value.get_int64() > largest_recording)
      reader.complain("bytes", *bytes,
                      "must be a number of bytes up to 4 GiB (0 = by frames), or [least, most]");
    return value.get_int64();
  };
  if (auto const range = bytes->if_array(); range && range->size() == 2) {
    into.bytes_least = number(range->at(0));
    into.bytes_most = number(range->at(1));
    if (into.bytes_least < 1 || into.bytes_least > into.bytes_most)
      reader.complain("bytes", *bytes, "must be [least, most] with 1 <= least <= most");
  } else {
    into.bytes_least = into.bytes_most = number(*bytes);
  }
}

void apply_recording(json::value const& document, RecordingScript& into) {
  if (document.is_bool()) {
    into.made = document.get_bool();
    return;
  }
  Reader reader(document, "script: recording.");
  into.made = true;
  reader.flag("made", into.made);
  reader.pause("afterMs", into.after_ms);
  reader.flag("query", into.query);
  std::int64_t status = into.status;
  reader.whole("status", status, 200, 599);
  into.status = static_cast<unsigned int>(status);
  std::int64_t frames = into.frames;
  if (reader.whole("frames", frames, 0, 20'000)) into.bytes_least = into.bytes_most = 0;
  into.frames = static_cast<int>(frames);
  read_size(reader, into);
  if (reader.whole("statusTimes", into.status_times, 0, 1000) && into.status == 200)
    into.status = 404;
  reader.whole("breaks", into.breaks, 0, 1000);
  reader.probability("breakChance", into.break_chance);
  reader.probability("statusChance", into.status_chance);
  reader.whole("bytesPerSecond", into.rate, 0, largest_recording);
  reader.finish();
}

json::array names(std::vector<std::string> const& list) {
  json::array out;
  for (auto const& item : list) out.emplace_back(item);
  return out;
}

}  // namespace

bool OriginateScript::dials() const {
  if (!code.empty() || fault == Fault::hang_before || fault == Fault::drop_before) return false;
  return dialled || !unclear();
}

void OriginateScript::add_real_delay(std::int64_t ms, double speed) {
  delay_ms += real_ms(ms, speed);
}

bool CallbackScript::loses(std::string_view label) const {
  return names_callback(lose, label);
}

void Script::end_with(int given_bye_type, bool rings) {
  a = rings ? LegOutcome::no_answer : LegOutcome::unreachable;
  bye_type = given_bye_type;
}

std::int64_t real_ms(std::int64_t ms, double speed) {
  return static_cast<std::int64_t>(static_cast<double>(ms) * speed);
}

std::string_view outcome_name(LegOutcome outcome) {
  return name_of(outcomes, outcome);
}
std::string_view hung_up_by_name(HungUpBy by) {
  return name_of(enders, by);
}

void Script::apply(json::value const& document) {
  Reader reader(document, "script: ");
  std::string preset;
  if (reader.text("preset", preset, 64)) {
    auto known = find_preset(preset);
    if (!known)
      reader.complain("preset", json::value(preset),
                      "is not the name of a preset; GET /_control/presets lists them");
    *this = *known;
  } else {
    name = "custom";
  }
  reader.text("name", name, 64);
  reader.pause("setupMs", setup_ms);
  reader.choice("a", a, outcomes);
  reader.pause("aRingMs", a_ring_ms);
  reader.choice("b", b, outcomes);
  reader.pause("bRingMs", b_ring_ms);
  reader.flag("bManyLines", b_many_lines);
  reader.pause("talkMs", talk_ms);
  reader.choice("hungUpBy", hung_up_by, enders);
  std::int64_t bye = 0;
  if (reader.whole("byeType", bye, 0, 9999)) bye_type = static_cast<int>(bye);
  if (auto part = reader.find("originate")) apply_originate(*part, originate);
  if (auto part = reader.find("callbacks")) apply_callbacks(*part, callbacks);
  if (auto part = reader.find("query")) apply_query(*part, query);
  if (auto part = reader.find("recording")) apply_recording(*part, recording);
  reader.finish();
}

json::object Script::to_json() const {
  json::object answer;
  answer["delayMs"] = originate.delay_ms;
  if (!originate.code.empty()) answer["code"] = originate.code;
  if (!originate.sub_status_code.empty()) answer["subStatusCode"] = originate.sub_status_code;
  if (originate.http_status) answer["httpStatus"] = *originate.http_status;
  if (originate.raw_body) answer["rawBody"] = *originate.raw_body;
  if (originate.dialled) answer["dialled"] = true;
  if (originate.dial_after_answer) answer["dialAfterAnswer"] = true;
  if (originate.fault == Fault::hang_before) answer["hang"] = "before";
  if (originate.fault == Fault::hang_after) answer["hang"] = "after";
  if (originate.fault == Fault::drop_before) answer["drop"] = "before";
  if (originate.fault == Fault::drop_after) answer["drop"] = "after";

  json::object pushes;
  pushes["delayMs"] = callbacks.delay_ms;
  pushes["repeat"] = callbacks.repeat;
  pushes["format"] = name_of(formats, callbacks.format);
  if (!callbacks.lose.empty()) pushes["lose"] = names(callbacks.lose);
  if (!callbacks.order.empty()) pushes["order"] = names(callbacks.order);
  std::pair<char const*, bool> const flags[] = {
      {"reverse", callbacks.reverse},
      {"shuffle", callbacks.shuffle},
      {"atOnce", callbacks.at_once},
      {"jsonRoot", callbacks.json_root},
      {"illFormedUserData", callbacks.ill_formed_user_data},
      {"literalNull", callbacks.literal_null},
      {"extraFields", callbacks.extra_fields},
      {"shuffleFields", callbacks.shuffle_fields},
      {"dropUserData", callbacks.drop_user_data},
      {"beforeAnswer", callbacks.before_answer}};
  for (auto const& [key, set] : flags)
    if (set) pushes[key] = true;

  json::object asked;
  if (!query.code.empty()) asked["code"] = query.code;
  asked["delayMs"] = query.delay_ms;
  if (query.http_status) asked["httpStatus"] = *query.http_status;

  json::object audio;
  audio["made"] = recording.made;
  audio["afterMs"] = recording.after_ms;
  audio["query"] = recording.query;
  audio["status"] = recording.status;
  audio["statusTimes"] = recording.status_times;
  audio["frames"] = recording.frames;
  if (recording.bytes_least == recording.bytes_most)
    audio["bytes"] = recording.bytes_most;
  else
    audio["bytes"] = json::array{recording.bytes_least, recording.bytes_most};
  audio["breaks"] = recording.breaks;
  audio["breakChance"] = recording.break_chance;
  audio["statusChance"] = recording.status_chance;
  audio["bytesPerSecond"] = recording.rate;

  json::object out;
  out["name"] = name;
  out["setupMs"] = setup_ms;
  out["a"] = outcome_name(a);
  out["aRingMs"] = a_ring_ms;
  out["b"] = outcome_name(b);
  out["bRingMs"] = b_ring_ms;
  out["bManyLines"] = b_many_lines;
  out["talkMs"] = talk_ms;
  out["hungUpBy"] = hung_up_by_name(hung_up_by);
  if (bye_type) out["byeType"] = *bye_type;
  out["originate"] = std::move(answer);
  out["callbacks"] = std::move(pushes);
  out["query"] = std::move(asked);
  out["recording"] = std::move(audio);
  return out;
}

}  // namespace jiuyun
