#include "e9.hpp"

#include <algorithm>
#include <array>

#include "beijing_time.hpp"
#include "e9_fields.hpp"
#include "phone.hpp"
#include "text.hpp"

namespace cc {

namespace {

// The columns' widths (design.md section 4).
constexpr std::size_t call_id_width = ChannelCallId::width;
constexpr std::size_t state_width = 32;
constexpr std::size_t url_width = 512;
constexpr std::size_t close_code_width = 16;

constexpr std::string_view echo_mark = "cc1.";
constexpr int most_attempts = 9;  // one digit; rules.md allows 3
constexpr std::string_view accepted_status = "000000";

/// Only a token that is configured counts; every one is compared, so that time tells nothing.
bool token_accepted(std::string_view token, const std::vector<std::string>& accepted) noexcept {
  bool found = false;
  for (const std::string& candidate : accepted) {
    const bool equal = equal_in_constant_time(token, candidate);
    found |= equal && !candidate.empty();
  }
  return found;
}

class E9 final : public Channel {
 public:
  std::string_view kind() const noexcept override { return "e9"; }

  Verified verify(const Inbound& inbound, const Trust& trust) const override {
    Verified verified;
    if (inbound.method != "POST") {
      verified.verdict = Verdict::bad_method;
      return verified;
    }
    if (!address_accepted(inbound.address, trust)) {
      verified.verdict = Verdict::bad_address;
      return verified;
    }
    if (!token_accepted(inbound.token, trust.tokens)) return verified;
    verified.verdict = Verdict::accepted;
    const E9Fields fields = read_e9_identity(inbound.body);
    std::string scratch;
    const std::string_view app = fields.view(E9Field::app_id, scratch);
    if (!app.empty() && !trust.app_ids.empty() &&
        std::find(trust.app_ids.begin(), trust.app_ids.end(), app) == trust.app_ids.end()) {
      verified.verdict = Verdict::foreign_app;
      return verified;
    }
    verified.channel_call_id.assign(fields.view(E9Field::call_id, scratch));
    return verified;
  }

  /// The vendor's documented answer; it says that it doesn't read it.
  Answer answer() const noexcept override {
    return {"application/xml;charset=utf-8",
            "<?xml version='1.0' encoding='utf-8'?><Response><statusCode>0000</statusCode>"
            "<statusMsg>Success</statusMsg></Response>"};
  }

  CanaryBody canary(std::string_view id, std::string_view account) const override {
    std::string body = "<?xml version='1.0'?><req><action>Canary</action><type>1</type><appId>";
    body.append(account).append("</appId><callId>").append(id).append("</callId></req>");
    return {"application/xml", std::move(body)};
  }

  Understood understand(const Delivery& delivery) const override;
};

/// One body's fields on their way into one event: storable values only.
class Reading {
 public:
  Reading(const E9Fields& fields, Facts& facts) : fields_(fields), facts_(facts) {}

  bool has(E9Field field) const { return !value(field).empty(); }

  std::string value(E9Field field) const { return fields_.text(field); }

  /// Repaired, cut at the column's width; nothing where the field says nothing.
  std::optional<std::string> text(E9Field field, std::size_t width) {
    std::string whole = repair_utf8(value(field));
    if (whole.empty()) return std::nullopt;
    return cut_to_width(whole, width, facts_.truncated);
  }

  std::optional<std::int64_t> time(E9Field field) const { return parse_beijing(value(field)); }

  std::optional<TimeFact> time_fact(E9Field field, TimeOrigin origin) const {
    const auto ms = time(field);
    if (!ms) return std::nullopt;
    return TimeFact{*ms, origin};
  }

  std::optional<std::string> number(E9Field field) {
    auto canonical = canonical_number(value(field));
    return canonical ? canonical : text(field, number_width);
  }

  std::optional<std::int64_t> duration() const {
    const auto seconds = parse_integer(value(E9Field::duration));
    if (!seconds || *seconds < 0 || *seconds > longest_duration) return std::nullopt;
    return seconds;
  }

 private:
  static constexpr std::size_t number_width = 16;
  static constexpr std::int64_t longest_duration = 0x7FFFFFFF;  // the column is an int

  const E9Fields& fields_;
  Facts& facts_;
};

struct ByeType {
  std::string_view type;
  std::string_view detail;
  std::string_view by;
};

// By the vendor's numbers, which are also ours. Who hung up is not told: only what the channel
// itself ended is known to be its doing.
constexpr std::array<ByeType, 8> bye_types = {{
    {"0", "normal", ""},
    {"1", "a_unreachable", ""},
    {"2", "b_unreachable", ""},
    {"3", "a_busy", ""},
    {"4", "b_busy", ""},
    {"5", "max_duration", "channel"},
    {"6", "channel_error", "channel"},
    {"7", "network_error", "channel"},
}};

/// Codes that say that a leg was never reached.
bool names_an_unreached_leg(const CloseFact& close) {
  return close.type >= "1" && close.type <= "4" && close.type.size() == 1;
}

std::optional<CloseFact> close_fact(Reading& reading) {
  const auto code = reading.text(E9Field::bye_type, close_code_width);
  if (!code) return std::nullopt;
  const auto number = parse_integer(*code);
  if (number && *number >= 0 && *number < static_cast<std::int64_t>(bye_types.size())) {
    const ByeType& known = bye_types[static_cast<std::size_t>(*number)];
    return CloseFact{std::string(known.type), std::string(known.detail), std::string(known.by)};
  }
  return CloseFact{"255", "other:" + *code, ""};
}

void read_end(Reading& reading, Facts& facts) {
  facts.close_time = reading.time_fact(E9Field::end_time, TimeOrigin::own);
  if (!facts.close_time) {
    facts.close_time = reading.time_fact(E9Field::date_created, TimeOrigin::inferred);
  }
  facts.duration = reading.duration();
  facts.close = close_fact(reading);
  if (!reading.has(E9Field::start_time_b)) {
    const bool unreached = facts.close && names_an_unreached_leg(*facts.close);
    facts.never_connected = facts.duration ? *facts.duration == 0 : unreached;
  }
}

/// What any of the vendor's events may carry.
void read_common(Reading& reading, Facts& facts) {
  facts.ch_state = reading.text(E9Field::action, state_width);
  facts.caller = reading.number(E9Field::caller);
  facts.called = reading.number(E9Field::called);
  facts.channel_call_id = reading.text(E9Field::call_id, call_id_width);
  facts.a_offhook_time = reading.time_fact(E9Field::start_time_a, TimeOrigin::own);
  facts.b_offhook_time = reading.time_fact(E9Field::start_time_b, TimeOrigin::own);
  if (facts.a_offhook_time && facts.b_offhook_time) {
    facts.conn_time = TimeFact{facts.b_offhook_time->ms, TimeOrigin::inferred};
  }
  const std::string url = repair_utf8(reading.value(E9Field::record_url));
  if (url.empty()) return;
  bool cut = false;
  facts.ch_audio_url = cut_to_width(url, url_width, cut);
  if (!cut) return;
  facts.truncated = true;
  facts.ch_audio_url_whole = url;
}

EventName name_of(Reading& reading, Source source) {
  // An answer about a call that still lives has the shape of a Hangup too; its end tells.
  if (source == Source::query) {
    const bool ended = reading.has(E9Field::end_time) || reading.has(E9Field::bye_type);
    return ended ? EventName::closed : EventName::other;
  }
  const std::string action = reading.value(E9Field::action);
  if (action == "Hangup") return EventName::closed;
  if (action == "CallEstablish") return EventName::connected;
  if (action != "CallInvite") return EventName::other;
  const std::string flag = reading.value(E9Field::user_flag);
  if (flag == "0") return EventName::a_calling;
  if (flag == "1") return EventName::b_calling;
  return EventName::other;
}

bool known_action(std::string_view action) noexcept {
  return action == "CallInvite" || action == "CallEstablish" || action == "Hangup";
}

void read_moment(EventName name, Reading& reading, Facts& facts) {
  const auto own = reading.time_fact(E9Field::date_created, TimeOrigin::own);
  const auto inferred = reading.time_fact(E9Field::date_created, TimeOrigin::inferred);
  if (name == EventName::a_calling) {
    facts.a_call_time = own;
  } else if (name == EventName::b_calling) {
    facts.b_call_time = own;
    if (!facts.a_offhook_time) facts.a_offhook_time = inferred;
  } else if (name == EventName::connected) {
    if (own) facts.conn_time = own;
    if (!facts.b_offhook_time) facts.b_offhook_time = inferred;
  } else if (name == EventName::closed) {
    read_end(reading, facts);
  }
}

/// Whether a query's answer holds more than its status.
bool says_something(const E9Fields& fields) noexcept {
  return fields.found(E9Field::action) || fields.found(E9Field::call_id) ||
         fields.found(E9Field::end_time) || fields.found(E9Field::bye_type) ||
         fields.found(E9Field::date_created);
}

/// Why a body gives no event, or nothing where it does.
std::string unreadable(const E9Fields& fields, const Delivery& delivery) {
  const std::string size = std::to_string(delivery.body.size());
  if (fields.syntax == E9Syntax::none) {
    return "e9: a body of " + size + " bytes starts neither as XML nor as JSON";
  }
  if (!fields.any()) return "e9: none of the vendor's fields is in a body of " + size + " bytes";
  return {};
}

Understood E9::understand(const Delivery& delivery) const {
  Understood understood;
  const E9Fields fields = read_e9_fields(delivery.body);
  understood.problem = unreadable(fields, delivery);
  if (!understood.problem.empty()) return understood;

  const bool query = delivery.source == Source::query;
  if (query && fields.found(E9Field::status_code)) {
    // A refused query (too early, too old, too many) says nothing about the call.
    const bool refused = fields.text(E9Field::status_code) != accepted_status;
    if (refused || !says_something(fields)) {
      understood.ignored = 1;
      return understood;
    }
  }

  ChannelEvent found;
  Facts& facts = found.event.facts;
  Reading reading(fields, facts);
  read_common(reading, facts);
  const auto echo = parse_echo(reading.value(E9Field::user_data));
  if (echo) {
    found.call = echo->call;
    found.event.attempt = echo->attempt;
  }
  if (query) {
    // We asked about this call; an echo that names another one is not believed.
    if (const auto asked = parse_integer(delivery.subject)) {
      if (echo && echo->call != *asked) found.event.attempt = 0;
      found.call = asked;
    }
  }
  found.channel_call_id = facts.channel_call_id.value_or(std::string{});
  if (found.channel_call_id.empty() && !found.call &&
      !known_action(reading.value(E9Field::action))) {
    understood.problem = "e9: neither callId nor our userData nor a known action is in the body";
    return understood;
  }

  found.subject = delivery.source == Source::poll ? delivery.subject : std::string{};
  found.event.key = event_key(delivery_key(delivery), 0);
  found.event.source = delivery.source;
  found.event.received_ms = delivery.received_ms;
  found.event.channel_ms = reading.time(E9Field::date_created);
  found.event.name = name_of(reading, delivery.source);
  read_moment(found.event.name, reading, facts);
  understood.events.push_back(std::move(found));
  return understood;
}

}  // namespace

const Channel& e9_channel() noexcept {
  static const E9 channel;
  return channel;
}

std::string make_echo(std::int64_t call, int attempt) {
  return std::string(echo_mark) + std::to_string(call) + "." + std::to_string(attempt);
}

std::optional<Echo> parse_echo(std::string_view user_data) noexcept {
  if (!user_data.starts_with(echo_mark)) return std::nullopt;
  user_data.remove_prefix(echo_mark.size());
  const auto dot = user_data.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view call_text = user_data.substr(0, dot);
  const std::string_view attempt_text = user_data.substr(dot + 1);
  const auto call = parse_integer(call_text);
  const auto attempt = parse_integer(attempt_text);
  // No sign, no leading zero: exactly what make_echo writes.
  if (!call || *call <= 0 || call_text[0] == '0') return std::nullopt;
  if (!attempt || *attempt <= 0 || *attempt > most_attempts || attempt_text[0] == '0') {
    return std::nullopt;
  }
  return Echo{*call, static_cast<int>(*attempt)};
}

}  // namespace cc
