#include "record_json.hpp"

#include <algorithm>
#include <string_view>

#include <boost/json.hpp>
#include <openssl/evp.h>

#include "phone.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

template <class T>
json::value or_null(const std::optional<T>& value) {
  if (!value) return nullptr;
  return json::value(*value);
}

json::value number(const OptText& value, bool whole) {
  if (!value) return nullptr;
  return json::value(whole ? *value : mask_number(*value));
}

/// The channel's words may repeat the number that they are about.
json::value words(const OptText& value, bool whole) {
  if (!value) return nullptr;
  return json::value(whole ? *value : mask_numbers_in(*value));
}

/// The channel's codes and addresses stay what they are, unless something in them looks like a
/// number.
json::value code_or_address(const OptText& value, bool whole) {
  if (!value) return nullptr;
  return json::value(whole ? *value : mask_number_shapes_in(*value));
}

/// The channel's name of a call, which must not change: only one that is nothing but a number is no
/// name.
json::value name_of_call(const OptText& value, bool whole) {
  return number(value, whole || !value || !is_number_shaped(*value));
}

template <class T>
const std::optional<T>& first(const std::optional<T>& a, const std::optional<T>& b) {
  return a ? a : b;
}

std::string_view to_text(TimeOrigin origin) noexcept {
  switch (origin) {
    case TimeOrigin::own:
      return "own";
    case TimeOrigin::observed:
      return "observed";
    case TimeOrigin::inferred:
      return "inferred";
  }
  return "";
}

void add_time(json::object& object, std::string_view name, const std::optional<TimeFact>& fact) {
  if (!fact) return;
  json::object& time = object[name].emplace_object();
  time["at"] = fact->ms;
  time["origin"] = to_text(fact->origin);
}

/// Which of an event's numbers are the customer's. An inbound event may name them either way round.
struct Hidden {
  bool caller = false, called = false, any = false;
};

Hidden hidden_numbers(const Timeline& timeline, Sight sight) {
  if (sight.numbers) return {};
  const bool inbound = timeline.direction != "out" ||
                       std::any_of(timeline.events.begin(), timeline.events.end(),
                                   [](const TimelineEvent& e) { return e.event.facts.inbound; });
  return Hidden{inbound, true, true};
}

/// What the event says, absent facts left out.
json::object effect_of(const Facts& facts, Hidden hidden, Sight sight) {
  json::object object;
  const auto add = [&](std::string_view name, const OptText& value) {
    if (value) object[name] = *value;
  };
  const auto add_words = [&](std::string_view name, const OptText& value) {
    if (value) object[name] = words(value, !hidden.any);
  };
  const auto add_code = [&](std::string_view name, const OptText& value) {
    if (value) object[name] = code_or_address(value, !hidden.any);
  };
  add_time(object, "aCallTime", facts.a_call_time);
  add_time(object, "bCallTime", facts.b_call_time);
  add_time(object, "aOffhookTime", facts.a_offhook_time);
  add_time(object, "bOffhookTime", facts.b_offhook_time);
  add_time(object, "connTime", facts.conn_time);
  add_time(object, "closeTime", facts.close_time);
  if (facts.duration) object["duration"] = *facts.duration;
  if (facts.never_connected) object["neverConnected"] = true;
  if (facts.close) {
    object["closeType"] = facts.close->type;
    object["closeDetail"] = code_or_address(facts.close->detail, !hidden.any);
    if (!facts.close->by.empty()) object["closedBy"] = facts.close->by;
  }
  // What it would mean of a call that was further; the record has what it means of this one.
  if (facts.close_after_answer) {
    object["closeTypeAfterAnswer"] = facts.close_after_answer->type;
  }
  if (facts.close_after_connect) {
    object["closeTypeAfterConnect"] = facts.close_after_connect->type;
  }
  if (facts.close_doubt) object["closeGuessed"] = true;
  if (facts.on_hook) object["onHook"] = true;
  add_code("chState", facts.ch_state);
  if (facts.channel_call_id) {
    object["channelCallId"] = name_of_call(facts.channel_call_id, !hidden.any);
  }
  if (facts.caller) object["caller"] = number(facts.caller, !hidden.caller);
  if (facts.called) object["called"] = number(facts.called, !hidden.called);
  if (facts.inbound) object["inbound"] = true;
  if (sight.admin) {
    add_code("chAudioUrl", first(facts.ch_audio_url_whole, facts.ch_audio_url));
  }
  add_code("ivrUrl", facts.ivr_url);
  add_words("ivrText", facts.ivr_text);
  if (facts.truncated) object["truncated"] = true;
  add("channel", facts.channel);
  add("agent", facts.agent);
  add_words("reason", facts.reason);
  add_code("code", facts.code);
  add_words("message", facts.message);
  add("audioUrl", facts.audio_url);
  add("file", facts.file);
  add("requestId", facts.request_id);
  return object;
}

}  // namespace

Sight sight_of(const Principal& key) noexcept {
  return {key.may(Scope::numbers), key.may(Scope::admin)};
}

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // OpenSSL adds a NUL
  // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL's idea of bytes
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
  text.resize(static_cast<std::size_t>(length));
  return text;
}

json::object to_object(const StoredRecord& record, Sight sight) {
  const Constants& constants = record.constants;
  const Folded& folded = record.folded;
  const bool inbound = constants.direction != "out";
  // A call that nobody here began counts as inbound, though the customer may be the one who was
  // called: only a line is certainly no customer.
  const OptText& called = first(folded.called, constants.called);
  json::object object;
  object.reserve(56);
  object["callId"] = std::to_string(constants.id);
  object["tenant"] = constants.tenant;
  object["mainNum"] = or_null(constants.main_num);
  object["extNum"] = or_null(constants.ext_num);
  object["agent"] = or_null(folded.agent);
  object["channelCallId"] = name_of_call(folded.call_id, sight.numbers);
  object["caller"] = number(first(folded.caller, constants.caller), sight.numbers || !inbound);
  object["called"] = number(called, sight.numbers || (inbound && called == folded.agent));
  object["bizData"] = or_null(constants.biz_data);
  object["channel"] = or_null(folded.channel);
  object["chState"] = code_or_address(folded.ch_state, sight.numbers);
  object["state"] = folded.state;
  object["aCallTime"] = or_null(folded.a_call_time);
  object["bCallTime"] = or_null(folded.b_call_time);
  object["aOffhookTime"] = or_null(folded.a_offhook_time);
  object["bOffhookTime"] = or_null(folded.b_offhook_time);
  object["connTime"] = or_null(folded.conn_time);
  object["closeTime"] = or_null(folded.close_time);
  object["duration"] = or_null(folded.duration);
  if (sight.admin) object["chAudioUrl"] = code_or_address(folded.ch_audio_url, sight.numbers);
  object["audioUrl"] = or_null(folded.audio_url);
  object["ivrUrl"] = code_or_address(folded.ivr_url, sight.numbers);
  object["ivrText"] = words(folded.ivr_text, sight.numbers);
  object["closeType"] = or_null(folded.close_type);
  object["updated"] = record.updated;
  object["created"] = constants.created;
  // CC's own
  object["direction"] = constants.direction;
  object["initiator"] = constants.initiator;
  object["business"] = or_null(constants.business);
  object["bizType"] = or_null(constants.biz_type);
  object["bizId"] = or_null(constants.biz_id);
  object["userId"] = or_null(constants.user_id);
  object["progress"] = folded.progress;
  object["closeDetail"] = code_or_address(folded.close_detail, sight.numbers);
  object["closedBy"] = or_null(folded.closed_by);
  object["closeSource"] = or_null(folded.close_source);
  object["displayRequested"] = words(constants.display_requested, sight.numbers);
  object["maxDuration"] = constants.max_duration;
  json::object& recording = object["recording"].emplace_object();
  recording["state"] = or_null(folded.recording_state);
  recording["reason"] = or_null(folded.recording_reason);
  recording["expectedAt"] = or_null(folded.recording_expected_at);
  object["lateLife"] = folded.late_life;
  object["recovered"] = constants.recovered;
  object["truncated"] = folded.truncated;
  object["version"] = record.version;
  return object;
}

std::string to_json(const StoredRecord& record, Sight sight) {
  return json::serialize(to_object(record, sight));
}

json::object to_object(const Timeline& timeline, std::int64_t call, Sight sight) {
  const Hidden hidden = hidden_numbers(timeline, sight);
  json::object object;
  object["callId"] = std::to_string(call);
  json::array& attempts = object["attempts"].emplace_array();
  for (const TimelineAttempt& attempt : timeline.attempts) {
    json::object item;
    item["attempt"] = attempt.attempt;
    item["channel"] = attempt.channel;
    item["agent"] = attempt.agent;
    item["state"] = attempt.state;
    item["superseded"] = attempt.superseded;
    item["channelCallId"] = name_of_call(attempt.channel_call_id, !hidden.any);
    item["reason"] = words(attempt.reason, !hidden.any);
    item["code"] = code_or_address(attempt.code, !hidden.any);
    item["message"] = words(attempt.message, !hidden.any);
    item["created"] = or_null(attempt.created);
    item["sent"] = or_null(attempt.sent);
    item["answered"] = or_null(attempt.answered);
    item["requestId"] = or_null(attempt.request_id);
    attempts.push_back(std::move(item));
  }
  json::array& events = object["events"].emplace_array();
  for (const TimelineEvent& stored : timeline.events) {
    const Event& event = stored.event;
    json::object item;
    item["name"] = cc::to_text(event.name);
    item["source"] = cc::to_text(event.source);
    item["at"] = event.received_ms;
    item["channelTime"] = or_null(event.channel_ms);
    if (event.attempt > 0) {
      item["attempt"] = event.attempt;
    } else {
      item["attempt"] = nullptr;
    }
    item["effect"] = effect_of(event.facts, hidden, sight);
    if (sight.admin && sight.numbers && !stored.raw.empty()) item["raw"] = base64(stored.raw);
    events.push_back(std::move(item));
  }
  json::object& recording = object["recording"].emplace_object();
  recording["state"] = or_null(timeline.recording_state);
  recording["reason"] = or_null(timeline.recording_reason);
  recording["expectedAt"] = or_null(timeline.recording_expected_at);
  return object;
}

std::string to_json(const Timeline& timeline, std::int64_t call, Sight sight) {
  return json::serialize(to_object(timeline, call, sight));
}

}  // namespace cc::api
