#include "event.hpp"

#include <array>
#include <charconv>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "text.hpp"

namespace cc {

namespace {

namespace json = boost::json;

// In the order of EventName.
constexpr std::array<std::string_view, 24> event_names = {"a.calling",         "a.ringing",
                                                          "a.answered",        "b.calling",
                                                          "b.ringing",         "b.answered",
                                                          "connected",         "closed",
                                                          "recorded",          "other",
                                                          "attempt.planned",   "attempt.sent",
                                                          "attempt.accepted",  "attempt.refused",
                                                          "attempt.unknown",   "attempt.superseded",
                                                          "hangup.requested",  "hangup.accepted",
                                                          "hangup.closed",     "reaped",
                                                          "recording.stored",  "recording.absent",
                                                          "recording.deleted", "line.released"};

constexpr std::array<std::string_view, 3> origin_names = {"own", "observed", "inferred"};

constexpr std::size_t largest_json = 256 * 1024;
constexpr std::size_t deepest_json = 8;

/// Each fact once: writing and reading go through the same list.
template <class FactsType, class Visitor>
void visit_facts(FactsType& facts, Visitor&& visit) {
  visit("a_call_time", facts.a_call_time);
  visit("b_call_time", facts.b_call_time);
  visit("a_offhook_time", facts.a_offhook_time);
  visit("b_offhook_time", facts.b_offhook_time);
  visit("conn_time", facts.conn_time);
  visit("close_time", facts.close_time);
  visit("duration", facts.duration);
  visit("never_connected", facts.never_connected);
  visit("close", facts.close);
  visit("close_after_answer", facts.close_after_answer);
  visit("close_after_connect", facts.close_after_connect);
  visit("close_doubt", facts.close_doubt);
  visit("engaged_on", facts.engaged_on);
  visit("on_hook", facts.on_hook);
  visit("ch_state", facts.ch_state);
  visit("ch_audio_url", facts.ch_audio_url);
  visit("ch_audio_url_whole", facts.ch_audio_url_whole);
  visit("audio_after", facts.audio_after);
  visit("channel_call_id", facts.channel_call_id);
  visit("ivr_url", facts.ivr_url);
  visit("ivr_text", facts.ivr_text);
  visit("caller", facts.caller);
  visit("called", facts.called);
  visit("inbound", facts.inbound);
  visit("truncated", facts.truncated);
  visit("channel", facts.channel);
  visit("agent", facts.agent);
  visit("reason", facts.reason);
  visit("code", facts.code);
  visit("message", facts.message);
  visit("audio_url", facts.audio_url);
  visit("file", facts.file);
  visit("request_id", facts.request_id);
}

bool is_printable_ascii(std::string_view text) noexcept {
  for (const char c : text) {
    if (c < 0x20 || c > 0x7E) return false;
  }
  return true;
}

void append_string(std::string& out, std::string_view text) {
  std::string repaired;
  if (!is_printable_ascii(text)) {
    repaired = repair_utf8(text);  // jsonb takes neither broken UTF-8 nor NUL
    text = repaired;
  }
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += to_hex(std::string_view(&c, 1));
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_number(std::string& out, std::int64_t number) {
  std::array<char, 24> buffer{};
  out.append(buffer.data(), std::to_chars(buffer.data(), buffer.data() + 24, number).ptr);
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void operator()(std::string_view name, const std::optional<TimeFact>& time) {
    if (!time) return;
    key(name);
    out_ += '[';
    append_number(out_, time->ms);
    out_ += ",\"";
    out_ += origin_names[static_cast<std::size_t>(time->origin)];
    out_ += "\"]";
  }

  void operator()(std::string_view name, const std::optional<std::int64_t>& number) {
    if (!number) return;
    key(name);
    append_number(out_, *number);
  }

  void operator()(std::string_view name, bool flag) {
    if (!flag) return;
    key(name);
    out_ += "true";
  }

  void operator()(std::string_view name, const std::optional<std::string>& text) {
    if (!text) return;
    key(name);
    append_string(out_, *text);
  }

  void operator()(std::string_view name, const std::optional<CloseFact>& close) {
    if (!close) return;
    key(name);
    out_ += "{\"type\":";
    append_string(out_, close->type);
    out_ += ",\"detail\":";
    append_string(out_, close->detail);
    out_ += ",\"by\":";
    append_string(out_, close->by);
    out_ += '}';
  }

 private:
  void key(std::string_view name) {
    out_ += out_.size() == 1 ? "\"" : ",\"";
    out_ += name;
    out_ += "\":";
  }

  std::string& out_;
};

/// Fills facts from an object; remembers the first fact that is not of its kind.
class Reader {
 public:
  explicit Reader(const json::object& object) : object_(object) {}

  std::string_view wrong() const noexcept { return wrong_; }

  void operator()(std::string_view name, std::optional<TimeFact>& time) {
    const json::value* const value = find(name);
    if (value == nullptr) return;
    const json::array* const pair = value->if_array();
    if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_int64() || !(*pair)[1].is_string()) {
      return complain(name);
    }
    const std::string_view origin = (*pair)[1].get_string();
    for (std::size_t i = 0; i < origin_names.size(); ++i) {
      if (origin_names[i] == origin) {
        time = TimeFact{(*pair)[0].get_int64(), static_cast<TimeOrigin>(i)};
        return;
      }
    }
    complain(name);
  }

  void operator()(std::string_view name, std::optional<std::int64_t>& number) {
    const json::value* const value = find(name);
    if (value == nullptr) return;
    if (!value->is_int64()) return complain(name);
    number = value->get_int64();
  }

  void operator()(std::string_view name, bool& flag) {
    const json::value* const value = find(name);
    if (value == nullptr) return;
    if (!value->is_bool()) return complain(name);
    flag = value->get_bool();
  }

  void operator()(std::string_view name, std::optional<std::string>& text) {
    const json::value* const value = find(name);
    if (value == nullptr) return;
    if (!value->is_string()) return complain(name);
    text = std::string(std::string_view(value->get_string()));
  }

  void operator()(std::string_view name, std::optional<CloseFact>& close) {
    const json::value* const value = find(name);
    if (value == nullptr) return;
    const json::object* const object = value->if_object();
    if (object == nullptr) return complain(name);
    CloseFact fact;
    for (auto [part, to] : {std::pair{"type", &fact.type}, std::pair{"detail", &fact.detail},
                            std::pair{"by", &fact.by}}) {
      const json::value* const text = object->if_contains(part);
      if (text == nullptr || !text->is_string()) return complain(name);
      *to = std::string_view(text->get_string());
    }
    close = std::move(fact);
  }

 private:
  const json::value* find(std::string_view name) const {
    const json::value* const value = object_.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  void complain(std::string_view name) {
    if (wrong_.empty()) wrong_ = name;
  }

  const json::object& object_;
  std::string_view wrong_;
};

}  // namespace

std::string_view to_text(EventName name) noexcept {
  const auto index = static_cast<std::size_t>(name);
  return index < event_names.size() ? event_names[index] : std::string_view("other");
}

std::optional<EventName> event_name_from_text(std::string_view text) noexcept {
  for (std::size_t i = 0; i < event_names.size(); ++i) {
    if (event_names[i] == text) return static_cast<EventName>(i);
  }
  return std::nullopt;
}

bool is_trailing(const Event& event) noexcept {
  return !event.facts.channel_call_id &&
         (event.name == EventName::closed || event.name == EventName::recorded);
}

std::string to_json(const Facts& facts) {
  std::string out;
  out.reserve(320);
  out += '{';
  visit_facts(facts, Writer(out));
  out += '}';
  return out;
}

Result<Facts> facts_from_json(std::string_view text) {
  if (text.size() > largest_json) {
    return Error{"facts of " + std::to_string(text.size()) + " bytes are too long, " +
                 std::to_string(largest_json) + " are the most"};
  }
  std::array<unsigned char, 4096> buffer;  // enough for nearly every event: no allocation
  json::monotonic_resource memory(buffer.data(), buffer.size());
  json::parse_options options;
  options.max_depth = deepest_json;
  json::error_code error;
  const json::value value = json::parse(text, error, &memory, options);
  if (error) return Error{"facts are no JSON: " + error.message()};
  const json::object* const object = value.if_object();
  if (object == nullptr) return Error{"facts are no JSON object"};
  Facts facts;
  Reader reader(*object);
  visit_facts(facts, reader);
  if (!reader.wrong().empty()) {
    return Error{"fact '" + std::string(reader.wrong()) + "' is not of its kind"};
  }
  return facts;
}

}  // namespace cc
