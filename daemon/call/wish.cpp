#include "call/wish.hpp"

#include <boost/json.hpp>

namespace cc {
namespace json = boost::json;

std::string wish_of(const NewCall& request) {
  json::object wish;
  const auto add = [&](const char* name, const OptText& value) {
    if (value) wish[name] = *value;
  };
  add("agent", request.agent);
  add("channel", request.channel);
  add("caller", request.caller);
  add("user", request.user);
  if (request.max_duration) wish["maxDuration"] = *request.max_duration;
  return json::serialize(wish);
}

void apply_wish(const OptText& wish, NewCall& request) {
  json::error_code error;
  const json::value value = wish ? json::parse(*wish, error) : json::value();
  const json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr) {
    if (!request.agent) request.agent = "";
    return;
  }
  const auto text = [&](const char* name) -> OptText {
    const json::value* member = object->if_contains(name);
    if (member == nullptr || !member->is_string()) return std::nullopt;
    return std::string(member->get_string());
  };
  request.agent = text("agent");
  request.channel = text("channel");
  request.caller = text("caller");
  request.user = text("user");
  request.max_duration.reset();
  if (const json::value* seconds = object->if_contains("maxDuration")) {
    if (seconds->is_int64()) request.max_duration = static_cast<int>(seconds->get_int64());
  }
}

Needs needs_of(const NewCall& request, const Display& display) {
  Needs needs;
  needs.hide_customer = display.hide_customer;
  needs.hide_agent = display.hide_agent;
  needs.record = request.record;
  needs.max_duration = request.max_duration.has_value();
  return needs;
}

}  // namespace cc
