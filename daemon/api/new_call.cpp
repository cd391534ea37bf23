#include "new_call.hpp"

#include <optional>

#include <boost/json.hpp>

#include "fields.hpp"
#include "json_body.hpp"
#include "key_ring.hpp"
#include "phone.hpp"
#include "strict_json.hpp"
#include "target.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

constexpr std::size_t max_biz_data = 4096;  // bytes
constexpr int longest_call = 8 * 3600;      // seconds

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
      if (member.key() == "callId") continue;
      fields.refuse("called." + shown_name(member.key()),
                    "unknown field: called holds callId only");
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
  call.main_num = fields.number("mainNum");
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
  if (const auto agent = fields.text("agent", 64)) call.agent = plain_agent(*agent);
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
  if (!wrong.empty()) return wrong_fields(std::move(wrong));
  call.body_hash = sha256(canonical_text(call));
  apply_defaults(call, tenant);
  return call;
}

}  // namespace cc::api
