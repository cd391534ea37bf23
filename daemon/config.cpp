#include "config.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <unistd.h>

#include "channel.hpp"
#include "config_channels.hpp"
#include "config_check.hpp"
#include "config_health.hpp"
#include "config_recordings.hpp"
#include "config_retention.hpp"
#include "config_tenants.hpp"
#include "text.hpp"
#include "yaml_reader.hpp"

namespace cc {
namespace {

using namespace std::chrono_literals;

void read_http(const YamlValue& value, Config::Http& http) {
  YamlMap map(value);
  if (const auto listen = map.find("listen")) {
    std::vector<std::string> addresses;
    for (const YamlValue& item : listen->items()) {
      const auto address = item.text();
      if (!address) continue;
      if (const auto wrong = wrong_endpoint(*address); !wrong.empty()) {
        item.complain(wrong + ", got \"" + *address + "\"");
      } else if (std::find(addresses.begin(), addresses.end(), *address) != addresses.end()) {
        item.complain("\"" + *address + "\" is listed twice; remove one");
      } else {
        addresses.push_back(*address);
      }
    }
    if (listen->node().IsSequence() && listen->node().size() == 0) {
      listen->complain("must name at least one address, like 127.0.0.1:8180");
    }
    http.listen = std::move(addresses);
  }
  if (const auto proxies = map.find("trustedProxies"))
    http.trusted_proxies = read_networks(*proxies);
  if (const auto url = map.find("publicUrl")) {
    if (auto text = read_url(*url)) http.public_url = *std::move(text);
  }
  read(map, "maxBody", http.max_body, &YamlValue::size, 1024U, 1U << 20);
  read(map, "headerTimeout", http.header_timeout, &YamlValue::duration, Millis{100}, Millis{60s});
  read(map, "bodyTimeout", http.body_timeout, &YamlValue::duration, Millis{100}, Millis{60s});
  read(map, "idleTimeout", http.idle_timeout, &YamlValue::duration, Millis{100}, Millis{1h});
  read(map, "maxConnections", http.max_connections, &YamlValue::integer, 1, 100'000);
}

void read_postgres(const YamlValue& value, Config& config) {
  YamlMap map(value);
  if (const auto conninfo = map.need("conninfo", "give libpq's connection string")) {
    if (const auto text = conninfo->text()) {
      if (auto checked = checked_conninfo(*conninfo, *text)) {
        config.postgres.conninfo = *std::move(checked);
      }
    }
  }
  std::string password;
  read(map, "password", password, &YamlValue::secret);
  if (!password.empty()) config.postgres.conninfo += " password=" + libpq_quoted(password);
  read(map, "pool", config.postgres.pool, &YamlValue::integer, 2, 200);
}

void read_redis(const YamlValue& value, Config& config) {
  YamlMap map(value);
  if (const auto address = map.need("address", "give unix:/path or address:port")) {
    if (const auto text = address->text()) {
      const auto wrong = wrong_endpoint(*text);
      if (!wrong.empty()) address->complain(wrong + ", got \"" + *text + "\"");
      config.redis.address = *text;
    }
  }
  read(map, "password", config.redis.password, &YamlValue::secret);
}

void read_stream(const YamlValue& value, Config& config) {
  YamlMap map(value);
  auto& stream = config.stream;
  if (const auto prefix = map.find("prefix")) {
    if (const auto text = prefix->text()) {
      if (text->size() > 64 || !consists_of(*text, ":._-{}", true)) {
        prefix->complain("must be at most 64 letters, digits and :._-{}");
      }
      stream.prefix = *text;
    }
  }
  read(map, "partitions", stream.partitions, &YamlValue::integer, 1, 1024);
  read(map, "batch", stream.batch, &YamlValue::integer, 1, 10'000);
  read(map, "trimLag", stream.trim_lag, &YamlValue::duration, Millis{0}, Millis{168h});
  read(map, "highWater", stream.high_water, &YamlValue::integer, 1, 1'000'000'000);
  read(map, "trimBytes", stream.trim_bytes, &YamlValue::size, 1U << 20, std::uint64_t{1} << 40);
}

void read_nginx(const YamlValue& value, Config& config,
                std::vector<std::pair<YamlValue, std::string>>& channels_named) {
  YamlMap map(value);
  if (const auto canaries = map.find("canaries")) {
    read_canaries(*canaries, config, channels_named);
  }
  const auto status = map.find("status");
  if (!status) return;
  for (const YamlValue& item : status->items()) {
    const auto url = item.text();
    if (!url) continue;
    if (!url->starts_with("http://") && !url->starts_with("https://")) {
      item.complain(
          "must be the URL of a location with cc_status, like "
          "http://127.0.0.1:8081/cc/status, got \"" +
          *url + "\"");
    }
    config.nginx_status.push_back(*url);
  }
}

void read_reaper(const YamlValue& value, Config& config) {
  YamlMap map(value);
  auto& reaper = config.reaper;
  read(map, "silence", reaper.silence, &YamlValue::duration, Millis{1s}, Millis{1h});
  read(map, "grace", reaper.grace, &YamlValue::duration, Millis{1s}, Millis{1h});
  read(map, "standstill", reaper.standstill, &YamlValue::duration, Millis{1s}, Millis{24h});
  read(map, "giveUp", reaper.give_up, &YamlValue::duration, Millis{1min}, Millis{720h});
  read(map, "queriesPerMinute", reaper.queries_a_minute, &YamlValue::integer, 1, 60'000);
}

/// "03:30", since midnight.
std::optional<Millis> time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hours = parse_integer(text.substr(0, 2)), minutes = parse_integer(text.substr(3));
  if (!hours || !minutes || *hours < 0 || *hours > 23 || *minutes < 0 || *minutes > 59) {
    return std::nullopt;
  }
  return std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
}

void read_reconciliation(const YamlValue& value, Config& config) {
  YamlMap map(value);
  const auto at = map.find("at");
  if (!at) return;
  const auto text = at->text();
  if (!text) return;
  if (const auto time = time_of_day(*text)) {
    config.reconcile_at = *time;
  } else {
    at->complain("must be a time of day in UTC+8 like \"03:30\", in quotes, got \"" + *text + "\"");
  }
}

void read_log(const YamlValue& value, Config& config) {
  YamlMap map(value);
  read(map, "level", config.log.level, &YamlValue::one_of,
       std::vector<std::string>{"trace", "debug", "info", "warn", "error"});
  read(map, "format", config.log.format, &YamlValue::one_of,
       std::vector<std::string>{"text", "json"});
}

void read_calls(const YamlValue& value, Config& config) {
  YamlMap map(value);
  Millis most{1h};
  read(map, "maxDuration", most, &YamlValue::duration, Millis{1s}, Millis{8h});
  if (most % 1s != 0ms) {
    value.complain("maxDuration must be whole seconds");
  }
  config.default_max_duration = static_cast<int>(most / 1s);
}

void check_names(const std::vector<std::pair<YamlValue, std::string>>& named, const auto& known,
                 const std::string& what) {
  std::vector<std::string> names;
  names.reserve(known.size());
  for (const auto& [name, unused] : known) names.push_back(name);
  for (const auto& [value, name] : named) {
    if (known.contains(name)) continue;
    const auto meant = nearest(name, names);
    std::string says = "there is no ";
    says.append(what).append(" \"").append(name).append("\"; ");
    if (meant) {
      says.append("did you mean \"").append(*meant).append("\"?");
    } else {
      says.append("add it under ").append(what).append("s:");
    }
    value.complain(says);
  }
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "ccd";
  return name.data();
}

void read_daemon(const YamlValue& value, Config& config) {
  YamlMap map(value);
  if (const auto id = map.find("id")) {
    if (const auto text = id->text()) {
      if (!is_name(*text, 64)) id->complain("must be 1 to 64 letters, digits and ._-");
      config.daemon_id = *text;
    }
  }
}

/// What is polled has to be stored and its passwords sealed, also while Redis is away.
void check_polled(const YamlValue& channel, const Config& config) {
  if (config.agents.key.empty()) {
    channel.complain("needs agents: {key: file:/…}, which seals the agents' passwords");
  }
  if (config.spool.directory.empty()) {
    channel.complain("needs spool: {directory: /…}, for what is polled while Redis is away");
  }
}

/// Where a canary can be told from calls: the channel has to call us back.
void check_canaries(const std::vector<std::pair<YamlValue, std::string>>& named,
                    const Config& config) {
  for (const auto& [value, code] : named) {
    const auto channel = config.channels.find(code);
    if (channel == config.channels.end()) continue;  // has been said
    const Channel* const kind = find_channel(channel->second.kind);
    if (kind != nullptr && !kind->pushes()) {
      value.complain("channel \"" + code + "\" (" + channel->second.kind +
                     ") is polled and has no callback location; remove this canary");
    }
  }
}

void read_all(const YamlValue& root, Config& config) {
  YamlMap map(root);
  std::vector<std::pair<YamlValue, std::string>> channels_named, tenants_named, canaries_named;
  config.daemon_id = host_name();
  if (const auto part = map.find("daemon")) read_daemon(*part, config);
  if (const auto part = map.find("http")) read_http(*part, config.http);
  if (const auto part = map.need("postgres", "postgres: {conninfo: …}")) {
    read_postgres(*part, config);
  }
  if (const auto part = map.need("redis", "redis: {address: …}")) read_redis(*part, config);
  if (const auto part = map.find("stream")) read_stream(*part, config);
  if (const auto part = map.find("nginx")) read_nginx(*part, config, canaries_named);
  if (const auto part = map.find("health")) read_health(*part, config);
  if (const auto part = map.find("reaper")) read_reaper(*part, config);
  if (const auto part = map.find("reconciliation")) read_reconciliation(*part, config);
  if (const auto part = map.find("log")) read_log(*part, config);
  if (const auto part = map.find("calls")) read_calls(*part, config);
  if (const auto part = map.find("retention")) config.retention = read_retention(*part);

  if (const auto part = map.find("recordings")) config.recordings = read_recordings(*part);
  if (const auto part = map.find("agents")) read_agents(*part, config);
  if (const auto part = map.find("spool")) read_spool(*part, config);

  if (const auto part = map.find("channels")) {
    YamlMap channels(*part);
    for (const auto& [code, value] : channels.entries()) {
      ChannelConfig channel = read_channel(code, value, tenants_named);
      channel.remembered = std::chrono::days(config.retention.events);
      if (channel.kind == "hw") check_polled(value, config);
      config.channels.emplace(code, std::move(channel));
    }
  }
  if (const auto part = map.find("tenants")) {
    YamlMap tenants(*part);
    for (const auto& [name, value] : tenants.entries()) {
      config.tenants.emplace(name, read_tenant(name, value, channels_named));
    }
    check_keys(config, *part);
  }
  check_names(channels_named, config.channels, "channel");
  check_names(canaries_named, config.channels, "channel");
  check_canaries(canaries_named, config);
  check_names(tenants_named, config.tenants, "tenant");
}

}  // namespace

Result<Config> read_config(const std::string& path) {
  if (::access(path.c_str(), R_OK) != 0) {
    return Error{path +
                 ": can't be read: " + std::error_code(errno, std::generic_category()).message()};
  }
  Complaints complaints(path);
  Config config;
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAllFromFile(path);
    if (documents.size() == 1) {
      read_all(YamlValue(complaints, documents[0], documents[0].Mark(), ""), config);
    } else {
      complaints.add(YAML::Mark::null_mark(), "",
                     documents.empty() ? "is empty; start from conf/cc.yaml"
                                       : "must be one document; remove the \"---\" lines");
    }
  } catch (const YAML::Exception& error) {
    complaints.add(error.mark, "", "is not YAML: " + error.msg);
  }
  if (!complaints.empty()) return Error{complaints.text()};
  return config;
}

}  // namespace cc
