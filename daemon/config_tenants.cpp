#include "config_tenants.hpp"

#include <algorithm>
#include <map>

#include "config_check.hpp"
#include "text.hpp"
#include "utc_time.hpp"

namespace cc {
namespace {

std::int64_t read_expiry(const YamlValue& value) {
  const auto text = value.text();
  if (!text) return 0;
  if (const auto expiry = parse_expiry(*text)) return *expiry;
  value.complain(
      "must be a date (its last day, UTC) or a time with its zone, like 2027-01-31 or "
      "2027-01-31T12:00:00+08:00, got \"" +
      *text + "\"");
  return 0;
}

std::optional<ApiKey> read_key(const YamlValue& value) {
  ApiKey key;
  YamlMap map(value);
  if (!map.valid()) return std::nullopt;
  if (const auto id = map.need("id", "a name that logs may show")) {
    if (const auto text = id->text()) {
      if (!is_name(*text, 64)) id->complain("must be 1 to 64 letters, digits and ._-");
      key.id = *text;
    }
  }
  if (const auto sha256 = map.need("sha256", "make it with: printf %s \"$KEY\" | sha256sum")) {
    if (auto text = sha256->secret_or_text()) {
      // sha256sum prints a file name behind the digest
      *text = text->substr(0, text->find(' '));
      const auto raw = from_hex(*text);
      if (!raw || raw->size() != 32) {
        sha256->complain("must be 64 hex digits, got " + std::to_string(text->size()) +
                         " characters; make it with: printf %s \"$KEY\" | sha256sum");
      } else {
        key.secrets.push_back({to_hex(*raw)});
      }
    }
  }
  if (const auto expires = map.find("expires")) {
    const std::int64_t expires_ms = read_expiry(*expires);
    for (ApiKey::Secret& secret : key.secrets) secret.expires_ms = expires_ms;
  }
  if (const auto addresses = map.find("addresses")) {
    key.addresses = read_networks(*addresses);
    // An empty list of places would be read as "from nowhere" by one and "from anywhere" by
    // another.
    if (addresses->node().IsSequence() && addresses->node().size() == 0) {
      addresses->complain(
          "names no network; leave it out for a key that may be used from anywhere");
    }
  }
  if (const auto scopes = map.need("scopes", "like [call, read]")) {
    for (const YamlValue& item : scopes->items()) {
      const auto scope = item.one_of({"call", "read", "numbers", "admin"});
      if (scope && !key.scopes.insert(*scope).second) item.complain("is listed twice");
    }
    if (scopes->node().IsSequence() && scopes->node().size() == 0) {
      scopes->complain("a key without a scope can do nothing; name at least one");
    }
  }
  return key;
}

/// toAgent, toCustomer: what is absent stays as it is.
void read_display(const YamlValue& value, Display& display) {
  YamlMap map(value);
  const auto read_one = [&](std::string_view key, const std::string& shown, bool& hidden) {
    const auto found = map.find(key);
    if (!found) return;
    if (const auto word = found->one_of({shown, "main"})) hidden = *word == "main";
  };
  read_one("toAgent", "customer", display.hide_customer);
  read_one("toCustomer", "agent", display.hide_agent);
}

CallLimits read_limits(const YamlValue& value) {
  constexpr int most = 100'000;
  CallLimits limits;
  YamlMap map(value);
  read(map, "callsPerSecond", limits.calls_per_second, &YamlValue::integer, 1, most);
  read(map, "burst", limits.burst, &YamlValue::integer, 1, most);
  read(map, "concurrentCalls", limits.concurrent_calls, &YamlValue::integer, 1, most);
  if (limits.burst != 0 && limits.calls_per_second == 0) {
    value.complain("burst needs callsPerSecond: how fast it is filled again");
  }
  return limits;
}

void read_businesses(const YamlValue& value, Tenant& tenant) {
  constexpr std::size_t business_width = 32;  // the column's
  YamlMap map(value);
  for (const auto& [name, policy] : map.entries()) {
    bool too_long = false;
    cut_to_width(name, business_width, too_long);
    if (name.empty() || too_long) {
      policy.complain("a business' name must be 1 to 32 characters");
    }
    Display display = tenant.display;
    read_display(policy, display);
    tenant.businesses.emplace(name, display);
  }
}

}  // namespace

std::optional<std::int64_t> parse_expiry(std::string_view text) noexcept {
  constexpr std::int64_t day_ms = 86'400'000;
  if (const auto time = parse_rfc3339(text)) return time;
  if (const auto date = parse_utc_date(text)) return *date + day_ms;
  return std::nullopt;
}

Tenant read_tenant(const std::string& name, const YamlValue& value,
                   std::vector<std::pair<YamlValue, std::string>>& channels_named) {
  Tenant tenant;
  tenant.name = name;
  if (!is_name(name, 32)) {
    value.complain("a tenant's name must be 1 to 32 letters, digits and ._-");
  }
  YamlMap map(value);
  if (const auto channels = map.find("channels")) {
    for (const YamlValue& item : channels->items()) {
      const auto code = item.text();
      if (!code) continue;
      if (std::find(tenant.channels.begin(), tenant.channels.end(), *code) !=
          tenant.channels.end()) {
        item.complain("is listed twice");
        continue;
      }
      tenant.channels.push_back(*code);
      channels_named.emplace_back(item, *code);
    }
  }
  const auto number = [&](std::string_view key, std::size_t width, std::string& target) {
    const auto found = map.find(key);
    if (!found) return;
    const auto text = found->text();
    if (text && !is_digits(*text, width)) {
      found->complain("must be 1 to " + std::to_string(width) + " digits");
    }
    if (text) target = *text;
  };
  number("mainNum", 16, tenant.main_num);
  number("extNum", 8, tenant.ext_num);
  if (const auto days = map.find("recordingDays")) {
    constexpr std::int64_t most_days = 36'500;
    if (const auto count = days->integer(0, most_days)) {
      tenant.recording_days = static_cast<int>(*count);
    }
  }
  read(map, "disabled", tenant.disabled, &YamlValue::boolean);
  if (const auto limits = map.find("limits")) tenant.limits = read_limits(*limits);
  if (const auto display = map.find("display")) read_display(*display, tenant.display);
  if (const auto list = map.find("businesses")) read_businesses(*list, tenant);
  if (const auto keys = map.find("keys")) {
    for (const YamlValue& item : keys->items()) {
      auto key = read_key(item);
      if (!key) continue;
      const bool known = std::any_of(tenant.keys.begin(), tenant.keys.end(),
                                     [&](const ApiKey& other) { return other.id == key->id; });
      if (known && !key->id.empty()) item.complain("id \"" + key->id + "\" is given twice");
      tenant.keys.push_back(*std::move(key));
    }
  }
  return tenant;
}

void check_keys(const Config& config, const YamlValue& tenants) {
  std::map<std::string, std::string> seen;
  for (const auto& [name, tenant] : config.tenants) {
    for (const ApiKey& key : tenant.keys) {
      if (key.secrets.empty()) continue;
      const auto [other, added] = seen.emplace(key.secrets.front().sha256, name + "/" + key.id);
      if (!added) {
        tenants.complain("keys " + other->second + " and " + name + "/" + key.id +
                         " have the same sha256; give each its own");
      }
    }
  }
}

}  // namespace cc
