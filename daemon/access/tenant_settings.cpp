#include "access/tenant_settings.hpp"

#include <algorithm>

#include <boost/json.hpp>

#include "config_tenants.hpp"
#include "text.hpp"
#include "yaml_reader.hpp"

namespace cc {
namespace {

namespace json = boost::json;

/// What differs from `usual`.
json::object display_json(const Display& display, const Display& usual) {
  json::object object;
  if (display.hide_customer != usual.hide_customer) {
    object["toAgent"] = display.hide_customer ? "main" : "customer";
  }
  if (display.hide_agent != usual.hide_agent) {
    object["toCustomer"] = display.hide_agent ? "main" : "agent";
  }
  return object;
}

/// Lines and columns of JSON that nobody has written by hand help nobody.
std::string without_places(const std::string& complaints) {
  std::string text;
  for (std::size_t at = 0; at < complaints.size();) {
    const std::size_t end = std::min(complaints.find('\n', at), complaints.size());
    std::string line = complaints.substr(at, end - at);
    if (const auto colon = line.find(": "); colon != std::string::npos) line.erase(0, colon + 2);
    if (!line.empty()) text.append(text.empty() ? "" : "\n").append(line);
    at = end + 1;
  }
  return text;
}

json::object& member(json::object& object, std::string_view name) {
  json::value& value = object[name];
  if (!value.is_object()) value.emplace_object();
  return value.get_object();
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> words;
  for (;;) {
    const auto comma = list.find(',');
    words.emplace_back(trim(list.substr(0, comma)));
    if (comma == std::string_view::npos) return words;
    list.remove_prefix(comma + 1);
  }
}

void set_text(json::object& object, std::string_view name, const OptText& wish) {
  if (!wish) return;
  if (*wish == "none") {
    object.erase(name);
  } else {
    object[name] = *wish;
  }
}

/// A figure as a number; what is none is left for the check to refuse.
void set_figure(json::object& object, std::string_view name, const OptText& wish) {
  const auto figure = wish ? parse_integer(*wish) : std::nullopt;
  if (figure) {
    object[name] = *figure;
  } else {
    set_text(object, name, wish);
  }
}

/// "toAgent=main,toCustomer=agent" over what is there.
Result<bool> set_display(json::object& display, const std::string& text) {
  for (const std::string& word : split(text)) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) {
      return Error{"display: must be like toAgent=main,toCustomer=agent, got \"" + word + "\""};
    }
    display[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return true;
}

Result<bool> set_displays(json::object& settings, const SettingsWish& wish) {
  if (wish.business && !wish.display) {
    return Error{"business: needs a display, which is of calls with this business"};
  }
  if (!wish.display) return true;
  json::object& owner = wish.business ? member(settings, "businesses") : settings;
  const std::string name = wish.business.value_or("display");
  if (*wish.display == "default") {
    owner.erase(name);
    return true;
  }
  return set_display(member(owner, name), *wish.display);
}

}  // namespace

std::string to_settings(const Tenant& tenant) {
  json::object object;
  if (!tenant.channels.empty()) object["channels"] = json::value_from(tenant.channels);
  if (!tenant.main_num.empty()) object["mainNum"] = tenant.main_num;
  if (!tenant.ext_num.empty()) object["extNum"] = tenant.ext_num;
  json::object display = display_json(tenant.display, Display{});
  if (!display.empty()) object["display"] = std::move(display);
  json::object businesses;
  for (const auto& [name, policy] : tenant.businesses) {
    businesses[name] = display_json(policy, tenant.display);
  }
  if (!businesses.empty()) object["businesses"] = std::move(businesses);
  json::object limits;
  const auto add = [&](const char* name, int figure) {
    if (figure != 0) limits[name] = figure;
  };
  add("callsPerSecond", tenant.limits.calls_per_second);
  add("burst", tenant.limits.burst);
  add("concurrentCalls", tenant.limits.concurrent_calls);
  if (!limits.empty()) object["limits"] = std::move(limits);
  if (tenant.recording_days) object["recordingDays"] = *tenant.recording_days;
  return json::serialize(object);
}

Result<Tenant> tenant_from_settings(const std::string& name, std::string_view settings) {
  Complaints complaints("settings");
  Tenant tenant;
  try {
    // JSON is YAML: what cc.yaml's reader takes and refuses holds for these too.
    const YAML::Node node = YAML::Load(std::string(settings));
    const YamlValue value(complaints, node, node.Mark(), "");
    std::vector<std::pair<YamlValue, std::string>> channels_named;
    tenant = read_tenant(name, value, channels_named);
  } catch (const YAML::Exception& error) {
    complaints.add(error.mark, "", "is not JSON: " + error.msg);
  }
  if (!complaints.empty()) return Error{without_places(complaints.text())};
  tenant.keys.clear();
  tenant.disabled = false;
  tenant.from_command = true;
  return tenant;
}

Result<std::string> change_settings(std::string_view settings, const SettingsWish& wish,
                                    const Config& config) {
  json::error_code failed;
  json::value document = json::parse(settings, failed);
  if (failed || !document.is_object()) return Error{"the settings that are stored are no JSON"};
  json::object& object = document.get_object();
  if (wish.channels && *wish.channels == "all") {
    object.erase("channels");
  } else if (wish.channels) {
    object["channels"] = json::value_from(split(*wish.channels));
  }
  set_text(object, "mainNum", wish.main_num);
  set_text(object, "extNum", wish.ext_num);
  set_figure(object, "recordingDays", wish.recording_days);
  const Result<bool> displays = set_displays(object, wish);
  if (!displays) return displays.error();
  json::object& limits = member(object, "limits");
  set_figure(limits, "callsPerSecond", wish.calls_per_second);
  set_figure(limits, "burst", wish.burst);
  set_figure(limits, "concurrentCalls", wish.concurrent_calls);
  for (const char* name : {"limits", "display", "businesses"}) {
    const json::value* part = object.if_contains(name);
    if (part != nullptr && part->is_object() && part->get_object().empty()) object.erase(name);
  }
  const std::string changed = json::serialize(document);
  const Result<Tenant> tenant = tenant_from_settings("new", changed);
  if (!tenant) return tenant.error();
  for (const std::string& channel : tenant->channels) {
    if (config.channels.contains(channel)) continue;
    return Error{"channels: there is no channel \"" + channel +
                 "\" in cc.yaml; name those that are there, or all"};
  }
  return changed;
}

}  // namespace cc
