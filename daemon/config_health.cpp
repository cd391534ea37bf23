#include "config_health.hpp"

#include <algorithm>
#include <optional>
#include <unistd.h>

namespace cc {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t location_width = 256;  // the column's

/// The URL up to its last segment, which is the channel's secret; nothing where it has none.
std::optional<std::string> location_of(const std::string& url) {
  const std::size_t host = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  if (host == 0 || url.find_first_of("?#@ \"\\\r\n\t") != std::string::npos) return std::nullopt;
  const std::size_t path = url.find('/', host);
  const std::size_t last = url.rfind('/');
  if (path == std::string::npos || path == host || last + 1 == url.size()) return std::nullopt;
  return url.substr(0, last + 1);
}

void read_canary(const YamlValue& value, Config& config,
                 std::vector<std::pair<YamlValue, std::string>>& channels_named) {
  YamlMap map(value);
  if (!map.valid()) return;
  Config::Canary canary;
  if (const auto channel = map.need("channel", "the code that the location's cc_channel says")) {
    if (const auto code = channel->text()) {
      canary.channel = *code;
      channels_named.emplace_back(*channel, *code);
    }
  }
  if (const auto file = map.find("caFile")) {
    if (const auto path = file->text()) {
      if (::access(path->c_str(), R_OK) != 0) file->complain("can't read " + *path);
      canary.ca_file = *path;
    }
  }
  const auto url = map.need("url", "file:/path or env:NAME of the callback location's URL");
  if (!url) return;
  const auto text = url->secret();
  if (!text) return;
  const auto location = location_of(*text);
  if (!location) {
    // What is there may be a secret however wrong it is.
    url->complain(
        "must hold http://host[:port]/path/<token> or https://…, with no user, query or space");
    return;
  }
  if (location->size() > location_width) {
    url->complain("the URL may have at most " + std::to_string(location_width) +
                  " characters before the token, got " + std::to_string(location->size()));
    return;
  }
  const bool twice =
      std::any_of(config.canaries.begin(), config.canaries.end(),
                  [&](const Config::Canary& other) { return other.location == *location; });
  if (twice) {
    url->complain("there is a canary for " + *location + " already; remove one");
    return;
  }
  canary.url = *text;
  canary.location = *location;
  config.canaries.push_back(std::move(canary));
}

}  // namespace

void read_health(const YamlValue& value, Config& config) {
  YamlMap map(value);
  auto& health = config.health;
  read(map, "slow", health.slow, &YamlValue::duration, Millis{50}, Millis{30s});
  read(map, "open", health.open, &YamlValue::duration, Millis{100}, Millis{1h});
  const bool most_given = value.node().IsMap() && static_cast<bool>(value.node()["openMost"]);
  read(map, "openMost", health.open_most, &YamlValue::duration, Millis{100}, Millis{1h});
  if (health.open_most < health.open) {
    if (most_given) {
      value.complain("openMost must not be below open");
    } else {
      health.open_most = health.open;
    }
  }
  read(map, "overdue", health.overdue, &YamlValue::duration, Millis{100}, Millis{10min});
  read(map, "canaryEvery", health.canary_every, &YamlValue::duration, Millis{1s}, Millis{1h});
}

void read_canaries(const YamlValue& value, Config& config,
                   std::vector<std::pair<YamlValue, std::string>>& channels_named) {
  for (const YamlValue& item : value.items()) read_canary(item, config, channels_named);
}

}  // namespace cc
