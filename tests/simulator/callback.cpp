#include "callback.hpp"

#include <algorithm>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace jiuyun {

namespace json = boost::json;

namespace {

bool is_number(std::string_view key) {
  constexpr std::string_view numbers[] = {"type", "userFlag", "subType", "duration", "byeType"};
  return std::find(std::begin(numbers), std::end(numbers), key) != std::end(numbers);
}

}  // namespace

std::string Callback::label() const {
  return action == "CallInvite" ? action + std::to_string(user_flag) : action;
}

CallbackBytes write_callback(Callback const& callback, CallbackScript const& script,
                             std::mt19937_64& random) {
  auto fields = callback.fields;
  for (auto& [key, value] : fields) {
    if (key != "userData") continue;
    if (script.drop_user_data) value.clear();
    if (script.ill_formed_user_data) value = "<&\"" + value + "\"&<";
  }
  if (script.extra_fields) {
    fields.emplace_back("subAppId", "");
    fields.emplace_back("vendorNote", "a field that the documentation doesn't name");
  }
  if (script.literal_null)
    for (auto& [key, value] : fields)
      if (value.empty()) value = "null";
  if (script.shuffle_fields) std::shuffle(fields.begin(), fields.end(), random);

  if (script.format == Format::xml) {
    // As the vendor does: concatenated, nothing is escaped.
    std::string body = "<?xml version='1.0'?><req>";
    for (auto const& [key, value] : fields) body += "<" + key + ">" + value + "</" + key + ">";
    return {"application/xml", body + "</req>"};
  }
  json::object object;
  for (auto const& [key, value] : fields) {
    if (script.literal_null && value == "null")
      object[key] = nullptr;
    else if (script.format == Format::json && is_number(key))
      object[key] = std::stoll(value);
    else
      object[key] = value;
  }
  if (script.json_root) {
    json::object root;
    root["req"] = std::move(object);
    object = std::move(root);
  }
  return {"application/json;charset=utf-8", json::serialize(object)};
}

}  // namespace jiuyun
