#include "new_call.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <boost/json.hpp>

#include "key_ring.hpp"
#include "phone.hpp"
#include "strict_json.hpp"
#include "target.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

constexpr std::size_t max_biz_data = 4096;  // bytes
constexpr int longest_call = 8 * 3600;      // seconds

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

bool printable(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// Takes fields out of an object and gathers what is wrong with them. null counts as absent.
class Fields {
 public:
  explicit Fields(const json::object& object) : object_(object) {}

  const json::value* find(std::string_view name) {
    known_.push_back(name);
    const json::value* value = object_.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  void refuse(std::string_view name, std::string reason) {
    wrong_.push_back({std::string(name), std::move(reason)});
  }

  /// 1 to `width` printable characters.
  OptText text(std::string_view name, std::size_t width) {
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    const json::string* content = value->if_string();
    if (content == nullptr) {
      refuse(name, "must be text");
    } else if (content->empty() || characters(*content) > width) {
      refuse(name, "must have 1 to " + std::to_string(width) + " characters");
    } else if (!printable(*content)) {
      refuse(name, "must not hold control characters");
    } else {
      return std::string(*content);
    }
    return std::nullopt;
  }

  OptText number(std::string_view name) {
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    const json::string* content = value->if_string();
    auto canonical = content == nullptr || content->size() > 64
                         ? std::nullopt
                         : canonical_number(std::string_view(*content));
    if (!canonical) refuse(name, "must be a phone number as text: 3 to 15 digits");
    return canonical;
  }

  OptText digits(std::string_view name, std::size_t width) {
    auto content = text(name, width);
    if (content && !std::all_of(content->begin(), content->end(),
                                [](char c) { return c >= '0' && c <= '9'; })) {
      refuse(name, "must be digits");
      return std::nullopt;
    }
    return content;
  }

  std::optional<bool> boolean(std::string_view name) {
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (const bool* content = value->if_bool()) return *content;
    refuse(name, "must be true or false");
    return std::nullopt;
  }

  std::optional<int> integer(std::string_view name, int least, int most) {
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    const std::int64_t* content = value->if_int64();
    if (content != nullptr && *content >= least && *content <= most) {
      return static_cast<int>(*content);
    }
    refuse(name,
           "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
  }

  /// What is wrong, unknown fields included. To be asked last.
  std::vector<InvalidParam> wrong() && {
    for (const auto& member : object_) {
      const std::string_view name = member.key();
      if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
      std::string shown(name.substr(0, 64));
      if (!printable(shown) || shown.size() < name.size()) shown = "(a field)";
      refuse(mask_numbers_in(shown), "unknown field");
    }
    return std::move(wrong_);
  }

 private:
  const json::object& object_;
  std::vector<std::string_view> known_;
  std::vector<InvalidParam> wrong_;
};

void read_called(Fields& fields, NewCall& call) {
  const json::value* value = fields.find("called");
  if (value == nullptr) {
    fields.refuse("called", "is required: the customer's number, or {\"callId\": \"…\"}");
    return;
  }
  if (const json::object* object = value->if_object()) {
    const json::value* id = object->if_contains("callId");
    const json::string* text = id == nullptr ? nullptr : id->if_string();
    call.called_of = text == nullptr ? std::nullopt : parse_call_id(std::string_view(*text));
    if (!call.called_of) fields.refuse("called.callId", "must be a call's id, as text");
    for (const auto& member : *object) {
      if (member.key() != "callId") fields.refuse("called", "may hold callId only");
    }
    return;
  }
  if (auto canonical = fields.number("called")) call.called = *std::move(canonical);
}

void read_biz_data(Fields& fields, NewCall& call) {
  const json::value* value = fields.find("bizData");
  if (value == nullptr) return;
  const json::string* content = value->if_string();
  if (content == nullptr) {
    fields.refuse("bizData", "must be text; JSON of your own goes in as one string");
  } else if (content->size() > max_biz_data) {
    fields.refuse("bizData", "must have at most 4096 bytes of UTF-8");
  } else if (content->find('\0') != json::string::npos) {
    fields.refuse("bizData", "must not hold U+0000");
  } else {
    call.biz_data = std::string(*content);
  }
}

/// The same request gives the same text, whatever the order of its fields, white space, escapes,
/// and the form of its numbers; the tenant's defaults, which may change in between, are not in it.
std::string canonical_text(const NewCall& call) {
  json::object object;
  const auto add = [&](std::string_view name, const OptText& value) {
    if (value) object[name] = *value;
  };
  if (call.called_of) {
    object["calledOf"] = *call.called_of;
  } else {
    object["called"] = call.called;
  }
  add("caller", call.caller);
  add("agent", call.agent);
  add("channel", call.channel);
  add("user", call.user);
  object["initiator"] = call.initiator;
  add("business", call.business);
  add("bizType", call.biz_type);
  add("bizId", call.biz_id);
  add("bizData", call.biz_data);
  add("mainNum", call.main_num);
  add("extNum", call.ext_num);
  if (call.max_duration) object["maxDuration"] = *call.max_duration;
  object["record"] = call.record;
  return "POST /v1/calls 1\n" + json::serialize(object);
}

void read_main_number(Fields& fields, NewCall& call, const Tenant& tenant) {
  call.main_num = fields.digits("mainNum", 16);
  call.ext_num = fields.digits("extNum", 8);
  if (call.ext_num && !call.main_num && tenant.main_num.empty()) {
    fields.refuse("extNum", "needs a mainNum: the tenant has no default");
  }
}

void apply_defaults(NewCall& call, const Tenant& tenant) {
  if (call.main_num || tenant.main_num.empty()) return;
  call.main_num = tenant.main_num;
  if (!call.ext_num && !tenant.ext_num.empty()) call.ext_num = tenant.ext_num;
}

}  // namespace

std::variant<NewCall, Problem> read_new_call(std::string_view body, const Tenant& tenant) {
  const auto parsed = parse_strictly(body);
  if (!parsed) {
    return Problem{ProblemType::malformed_request,
                   "The body is " + parsed.error().message,
                   {{"body", parsed.error().message}},
                   {}};
  }
  const json::object* object = parsed->if_object();
  if (object == nullptr) {
    return Problem{ProblemType::invalid_request,
                   "The body must be a JSON object.",
                   {{"body", "must be an object"}},
                   {}};
  }
  Fields fields(*object);
  NewCall call;
  read_called(fields, call);
  call.caller = fields.number("caller");
  call.agent = fields.text("agent", 64);
  call.channel = fields.text("channel", 8);
  call.user = fields.text("user", 64);
  if (const auto initiator = fields.text("initiator", 64)) {
    if (*initiator != "agent" && *initiator != "customer") {
      fields.refuse("initiator", "must be agent or customer");
    }
    call.initiator = *initiator;
  }
  call.business = fields.text("business", 32);
  call.biz_type = fields.text("bizType", 32);
  call.biz_id = fields.text("bizId", 64);
  read_biz_data(fields, call);
  read_main_number(fields, call, tenant);
  call.max_duration = fields.integer("maxDuration", 1, longest_call);
  call.record = fields.boolean("record").value_or(true);
  if (call.caller && !call.called.empty() && *call.caller == call.called) {
    fields.refuse("called", "is the caller's own number");
  }
  if (call.initiator == "customer" && !call.main_num && tenant.main_num.empty()) {
    fields.refuse("mainNum",
                  "is required with initiator customer: the agent sees it instead of the "
                  "customer's number, and the tenant has no default");
  }
  auto wrong = std::move(fields).wrong();
  if (!wrong.empty()) {
    const std::string count = std::to_string(wrong.size());
    return Problem{ProblemType::invalid_request,
                   wrong.size() == 1 ? wrong[0].name + " " + wrong[0].reason + "."
                                     : count + " fields are wrong; invalidParams names them.",
                   std::move(wrong),
                   {}};
  }
  call.body_hash = sha256(canonical_text(call));
  apply_defaults(call, tenant);
  return call;
}

}  // namespace cc::api
