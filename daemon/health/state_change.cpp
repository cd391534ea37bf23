#include "health/state_change.hpp"

#include <algorithm>

#include <boost/json.hpp>

namespace cc {
namespace {

namespace json = boost::json;

constexpr std::string_view change_sql =
    "INSERT INTO channel_change (channel, at, was, state, why) VALUES ($1, $2, $3, $4, left($5, "
    "256))";

constexpr std::string_view tell_sql =
    "INSERT INTO change (tenant, kind, at, data) SELECT t.tenant, 'channel.state', $2, $3::jsonb "
    "FROM unnest($1::varchar[]) AS t (tenant)";

std::vector<std::string> tenants_of(const Config& config, const std::string& channel) {
  std::vector<std::string> names;
  for (const auto& [name, tenant] : config.tenants) {
    const std::vector<std::string>& allowed = tenant.channels;
    if (allowed.empty() || std::find(allowed.begin(), allowed.end(), channel) != allowed.end()) {
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace

std::vector<pg::Statement> store_state_change(const Config& config, const StateChange& change,
                                              std::int64_t now_ms) {
  json::object data;
  data["channel"] = change.channel;
  data["was"] = change.was;
  data["state"] = change.state;
  data["why"] = change.why;
  std::vector<pg::Statement> list;
  list.push_back(
      {change_sql, pg::params(change.channel, now_ms, change.was, change.state, change.why)});
  list.push_back({tell_sql, pg::params(pg::array(tenants_of(config, change.channel)), now_ms,
                                       json::serialize(data))});
  return list;
}

}  // namespace cc
