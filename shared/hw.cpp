#include "hw.hpp"

#include <algorithm>

#include <boost/json.hpp>

#include "hw_events.hpp"
#include "phone.hpp"
#include "text.hpp"

namespace cc {

namespace {

namespace json = boost::json;

// The columns' widths (design.md section 4).
constexpr std::size_t call_id_width = ChannelCallId::width;
constexpr std::size_t state_width = 32;
constexpr std::size_t url_width = 512;
constexpr std::size_t number_width = 16;
constexpr std::size_t message_width = 200, retcode_width = 32;

constexpr std::int64_t audio_after = 60;  // seconds: the file service has it soon after the call [A]
constexpr std::size_t deepest = 32;
constexpr std::size_t most_events = 1000;                // of one answer; documented is one
constexpr std::int64_t latest_ms = 100'000'000'000'000;  // the year 5138

std::optional<json::object> read_object(std::string_view body) {
  json::parse_options options;
  options.max_depth = deepest;
  json::error_code error;
  json::value value = json::parse(body, error, {}, options);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

const json::value* member(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

/// A text or a number as text; empty for anything else.
std::string text_of(const json::value* value) {
  if (value == nullptr) return {};
  if (const json::string* const text = value->if_string()) return {text->data(), text->size()};
  if (value->is_int64()) return std::to_string(value->get_int64());
  if (value->is_uint64()) return std::to_string(value->get_uint64());
  return {};
}

std::string text_of(const json::object& object, std::string_view name) {
  return text_of(member(object, name));
}

/// Numbers are often texts.
std::optional<std::int64_t> integer_of(const json::object& object, std::string_view name) {
  return parse_integer(text_of(object, name));
}

/// Milliseconds since 1970; nothing where that is no time.
std::optional<std::int64_t> time_of(const json::object& object, std::string_view name) {
  const auto ms = integer_of(object, name);
  return ms && *ms > 0 && *ms < latest_ms ? ms : std::nullopt;
}

std::optional<std::string> storable(const std::string& text, std::size_t width, Facts& facts) {
  const std::string repaired = repair_utf8(text);
  if (repaired.empty()) return std::nullopt;
  return cut_to_width(repaired, width, facts.truncated);
}

std::optional<std::string> number_of(const json::object& object, std::string_view name,
                                     Facts& facts) {
  const std::string given = text_of(object, name);
  if (given.empty()) return std::nullopt;
  if (auto canonical = canonical_number(given)) return canonical;
  return storable(given, number_width, facts);
}

/// The content of an event: nothing, a call id alone, or an object.
struct Content {
  std::string call_id;
  json::object members;
};

Content read_content(const json::object& event) {
  Content content;
  const json::value* const given = member(event, "content");
  if (given == nullptr) return content;
  if (const json::object* const object = given->if_object()) {
    content.members = *object;
    content.call_id = text_of(*object, "callid");
    if (content.call_id.empty()) content.call_id = text_of(*object, "callId");
  } else {
    content.call_id = text_of(given);
  }
  return content;
}

/// What an event implies of moments that no event of its own tells.
void infer_times(HwMeaning meaning, std::int64_t ms, Facts& facts) {
  const TimeFact inferred{ms, TimeOrigin::inferred};
  if (meaning == HwMeaning::a_rings) {
    facts.a_call_time = inferred;
  } else if (meaning == HwMeaning::b_rings) {
    facts.b_call_time = inferred;
    facts.a_offhook_time = inferred;
  } else if (meaning == HwMeaning::talking) {
    facts.a_offhook_time = inferred;
    facts.b_offhook_time = inferred;
  }
}

void fill_own_time(EventName name, std::int64_t ms, Facts& facts) {
  const TimeFact own{ms, TimeOrigin::own};
  if (name == EventName::a_answered) facts.a_offhook_time = own;
  if (name == EventName::connected) facts.conn_time = own;
  if (name == EventName::closed) facts.close_time = own;
}

void fill_recording(const Content& content, Facts& facts) {
  const std::string file = repair_utf8(text_of(content.members, "fileName"));
  if (file.empty()) return;
  bool cut = false;
  facts.ch_audio_url = cut_to_width(file, url_width, cut);
  facts.audio_after = audio_after;
  if (!cut) return;
  facts.truncated = true;
  facts.ch_audio_url_whole = file;
}

class Hw final : public Channel {
 public:
  std::string_view kind() const noexcept override { return "hw"; }
  bool pushes() const noexcept override { return false; }

  Verified verify(const Inbound&, const Trust&) const override { return {}; }
  Answer answer() const noexcept override { return {"application/json", "{}"}; }

  Understood understand(const Delivery& delivery) const override;
};

void understand_event(const json::object& event, const Delivery& delivery, const DeliveryKey& key,
                      Understood& understood) {
  const std::string type = text_of(event, "eventType");
  if (type.empty()) {
    understood.problem = "hw: an event has no eventType";
    return;
  }
  const HwMeaning meaning = hw_meaning(type);
  if (meaning == HwMeaning::of_agent) {
    ++understood.ignored;
    return;
  }
  const Content content = read_content(event);
  ChannelEvent found;
  Event& told = found.event;
  Facts& facts = told.facts;
  told.key = event_key(key, static_cast<std::uint16_t>(understood.events.size()));
  told.name = hw_event_name(meaning);
  told.source = delivery.source;
  told.received_ms = delivery.received_ms;
  told.channel_ms = time_of(event, "eventGenTime");
  facts.ch_state = storable(type, state_width, facts);
  facts.channel_call_id = storable(content.call_id, call_id_width, facts);
  infer_times(meaning, told.channel_ms.value_or(told.received_ms), facts);
  if (told.channel_ms) fill_own_time(told.name, *told.channel_ms, facts);
  fill_hw_end(meaning, integer_of(content.members, "phoneState").value_or(0), facts);
  if (meaning == HwMeaning::recording) fill_recording(content, facts);
  if (meaning == HwMeaning::talking && text_of(content.members, "feature") == "0") {
    facts.inbound = true;
    facts.caller = number_of(content.members, "caller", facts);
    facts.called = number_of(content.members, "called", facts);
  }
  found.channel_call_id = facts.channel_call_id.value_or(std::string{});
  found.subject = delivery.subject;
  understood.events.push_back(std::move(found));
}

void understand_poll(const json::object& answer, const Delivery& delivery, Understood& understood) {
  const DeliveryKey key = delivery_key(delivery);
  const json::value* const given = member(answer, "event");
  if (given == nullptr) {
    understood.ignored = 1;
  } else if (const json::object* const one = given->if_object()) {
    understand_event(*one, delivery, key, understood);
  } else if (const json::array* const list = given->if_array()) {
    if (list->size() > most_events) {
      understood.problem = "hw: " + std::to_string(list->size()) + " events in an answer; " +
                           std::to_string(most_events) + " are the most that are read";
    }
    const std::size_t count = std::min(list->size(), most_events);
    for (std::size_t i = 0; i < count; ++i) {
      const json::object* const event = (*list)[i].if_object();
      if (event != nullptr) {
        understand_event(*event, delivery, key, understood);
      } else if (!(*list)[i].is_null()) {
        understood.problem = "hw: an event is neither an object nor null";
      }
    }
  } else {
    understood.problem = "hw: event is neither an object nor an array";
  }
}

/// How a call stands or ended; why it ended is not told.
void understand_query(const json::object& answer, const Delivery& delivery,
                      Understood& understood) {
  const json::value* const given = member(answer, "result");
  const json::object* const info = given == nullptr ? nullptr : given->if_object();
  const auto asked = parse_integer(delivery.subject);
  if (text_of(answer, "retcode") != "0" || info == nullptr || !asked) {
    understood.ignored = 1;  // a refused query says nothing about the call
    return;
  }
  ChannelEvent found;
  Event& told = found.event;
  Facts& facts = told.facts;
  told.key = event_key(delivery_key(delivery), 0);
  told.source = delivery.source;
  told.received_ms = delivery.received_ms;
  facts.channel_call_id = storable(text_of(*info, "callid"), call_id_width, facts);
  if (const auto begin = time_of(*info, "begintime")) {
    facts.a_call_time = TimeFact{*begin, TimeOrigin::inferred};
  }
  if (const auto end = time_of(*info, "endtime")) {
    told.name = EventName::closed;
    told.channel_ms = end;
    facts.close_time = TimeFact{*end, TimeOrigin::own};
    facts.close = CloseFact{"255", "no_final_event", ""};
    facts.close_after_connect = CloseFact{"0", "normal", ""};
    facts.close_doubt = 2;
    facts.engaged_on = true;  // events of it may still wait for their poll
  }
  found.call = asked;
  found.channel_call_id = facts.channel_call_id.value_or(std::string{});
  understood.events.push_back(std::move(found));
}

Understood Hw::understand(const Delivery& delivery) const {
  Understood understood;
  const std::optional<json::object> answer = read_object(delivery.body);
  if (!answer) {
    understood.problem =
        "hw: a body of " + std::to_string(delivery.body.size()) + " bytes is no JSON object";
  } else if (delivery.source == Source::query) {
    understand_query(*answer, delivery, understood);
  } else if (delivery.source == Source::poll) {
    understand_poll(*answer, delivery, understood);
  } else {
    understood.problem = "hw: the gateway never calls back, but this is a callback";
  }
  return understood;
}

}  // namespace

const Channel& hw_channel() noexcept {
  static const Hw channel;
  return channel;
}

HwAnswer read_hw_answer(std::string_view body) {
  HwAnswer answer;
  const std::optional<json::object> object = read_object(body);
  if (!object) return answer;
  const auto bounded = [&](std::string_view name, std::size_t width) {
    bool cut = false;
    return mask_numbers_in(cut_to_width(repair_utf8(text_of(*object, name)), width, cut));
  };
  answer.readable = true;
  bool cut = false;
  answer.retcode = cut_to_width(repair_utf8(text_of(*object, "retcode")), retcode_width, cut);
  answer.message = bounded("message", message_width);
  answer.call_id =
      cut_to_width(repair_utf8(text_of(member(*object, "result"))), call_id_width, cut);
  const json::value* const event = member(*object, "event");
  answer.has_event = event != nullptr && !(event->is_array() && event->get_array().empty());
  return answer;
}

}  // namespace cc
