#include "config_channels.hpp"

#include <unistd.h>

#include "channel.hpp"
#include "config_check.hpp"
#include "config_recordings.hpp"
#include "text.hpp"
#include "vault.hpp"

namespace cc {
namespace {

using namespace std::chrono_literals;

/// Jiuyun's identifiers are 32 characters each (channels.md).
void read_e9_id(YamlMap& map, std::string_view key, std::string& target, bool is_secret) {
  const auto value = map.need(key, "use file:/path or env:NAME; Jiuyun's portal shows it");
  if (!value) return;
  auto content = is_secret ? value->secret() : value->secret_or_text();
  if (!content) return;
  if (content->size() != 32 || !consists_of(*content, "", true)) {
    value->complain("must be 32 letters and digits, got " + std::to_string(content->size()) +
                    " characters; copy it anew from Jiuyun's portal");
    return;
  }
  target = *std::move(content);
}

void read_base_url(YamlMap& map, std::string& target) {
  const auto value = map.find("baseUrl");
  if (!value) return;
  if (auto url = read_url(*value)) target = *std::move(url);
}

void read_e9(YamlMap& map, E9Account& account) {
  read_base_url(map, account.base_url);
  if (const auto version = map.find("softVersion")) {
    if (const auto text = version->text()) {
      if (text->size() != 10 || !consists_of(*text, "-", false)) {
        version->complain("must be a date like 2016-01-01");
      }
      account.soft_version = *text;
    }
  }
  read_e9_id(map, "accountSid", account.account_sid, false);
  read_e9_id(map, "authToken", account.auth_token, true);
  read_e9_id(map, "appId", account.app_id, false);
  read_ca_file(map, account.ca_file);
}

/// Passwords and sessions travel on this road: without TLS only where somebody has said so.
void read_hw(YamlMap& map, HwAccount& account) {
  const auto url = map.need("baseUrl", "like https://cc-gateway:8043/agentgateway/resource");
  if (url) read_base_url(map, account.base_url);
  bool plain = false;
  read(map, "plainHttp", plain, &YamlValue::boolean);
  if (url && account.base_url.starts_with("http://") && !plain) {
    url->complain(
        "must be https://…: agents' passwords would travel in clear. plainHttp: true allows it");
  }
  read_ca_file(map, account.ca_file);
  if (const auto pause = map.find("pollPause")) {
    YamlMap bounds(*pause);
    read(bounds, "least", account.pause_least, &YamlValue::duration, Millis{200}, Millis{10s});
    read(bounds, "most", account.pause_most, &YamlValue::duration, Millis{200}, Millis{10s});
    if (account.pause_most < account.pause_least) pause->complain("most must not be below least");
  }
  read(map, "pollTimeout", account.poll_timeout, &YamlValue::duration, Millis{12s}, Millis{60s});
  read(map, "signInsPerSecond", account.sign_ins_a_second, &YamlValue::integer, 1, 10'000);
}

void read_capabilities(YamlMap& channel, const std::string& kind, Capabilities& can) {
  can.max_duration = kind != "hw";  // its calls have no such parameter
  const auto value = channel.find("capabilities");
  if (!value) return;
  YamlMap map(*value);
  read(map, "hideCustomer", can.hide_customer, &YamlValue::boolean);
  read(map, "hideAgent", can.hide_agent, &YamlValue::boolean);
  read(map, "record", can.record, &YamlValue::boolean);
  const auto most = map.find("maxDuration");
  if (!most) return;
  const auto limits = most->boolean();
  if (limits && *limits && kind == "hw") {
    most->complain("a channel of kind hw can't limit a call's duration; leave it out");
  }
  can.max_duration = limits.value_or(can.max_duration);
}

/// Empty after complaining.
std::string read_key(const YamlValue& value) {
  const auto hex = value.secret();
  if (!hex) return {};
  const auto raw = from_hex(*hex);
  if (!raw || raw->size() != Vault::key_size) {
    value.complain("must be " + std::to_string(2 * Vault::key_size) + " hex digits, got " +
                   std::to_string(hex->size()) + " characters; make it with: openssl rand -hex " +
                   std::to_string(Vault::key_size));
    return {};
  }
  return *raw;
}

}  // namespace

ChannelConfig read_channel(const std::string& code, const YamlValue& value,
                           std::vector<std::pair<YamlValue, std::string>>& tenants_named) {
  ChannelConfig channel;
  channel.code = code;
  YamlMap map(value);
  if (code.empty() || code.size() > 8 || !consists_of(code, "", false)) {
    value.complain("a channel's code must be 1 to 8 characters of a-z and 0-9");
  }
  if (const auto kind = map.need("kind", "one of: " + known_kinds())) {
    if (const auto text = kind->text()) {
      if (find_channel(*text) == nullptr) {
        kind->complain("unknown kind \"" + *text + "\"; known: " + known_kinds());
      }
      channel.kind = *text;
    }
  }
  read(map, "enabled", channel.enabled, &YamlValue::boolean);
  read(map, "priority", channel.priority, &YamlValue::integer, 0, 10'000);
  read(map, "weight", channel.weight, &YamlValue::integer, 1, 10'000);
  read(map, "connectTimeout", channel.connect_timeout, &YamlValue::duration, Millis{50},
       Millis{60s});
  read(map, "answerTimeout", channel.answer_timeout, &YamlValue::duration, Millis{50},
       Millis{120s});
  if (const auto tenant =
          map.need("defaultTenant", "calls that nobody is found for belong to it")) {
    if (const auto text = tenant->text()) {
      channel.default_tenant = *text;
      tenants_named.emplace_back(*tenant, *text);
    }
  }
  read_capabilities(map, channel.kind, channel.can);
  read_channel_recordings(map, channel);
  if (channel.kind == "e9") {
    read_e9(map, channel.e9);
  } else if (channel.kind == "hw") {
    read_hw(map, channel.hw);
  } else {
    map.entries();  // the kind's own keys mean nothing without a kind: no second complaint
  }
  return channel;
}

void read_agents(const YamlValue& value, Config& config) {
  YamlMap map(value);
  if (const auto key = map.need("key", "make it with: openssl rand -hex 32 > FILE")) {
    config.agents.key = read_key(*key);
  }
  config.agents.previous_keys.clear();
  const auto previous = map.find("previousKeys");
  if (!previous) return;
  for (const YamlValue& item : previous->items()) {
    if (std::string key = read_key(item); !key.empty()) {
      config.agents.previous_keys.push_back(std::move(key));
    }
  }
}

void read_spool(const YamlValue& value, Config& config) {
  YamlMap map(value);
  if (const auto directory = map.need("directory", "like /var/lib/ccd/spool")) {
    if (auto path = directory->text()) {
      if (!path->starts_with('/')) {
        directory->complain("must be an absolute path, got \"" + *path + "\"");
      } else if (::access(path->c_str(), R_OK | W_OK | X_OK) != 0) {
        directory->complain("can't be read and written: " + *path +
                            "; make it for ccd's user alone");
      }
      config.spool.directory = *std::move(path);
    }
  }
  read(map, "max", config.spool.max, &YamlValue::size, 1U << 20, std::uint64_t{1} << 40);
  read(map, "replay", config.spool.replay, &YamlValue::integer, 1, 1'000'000);
}

}  // namespace cc
