#include "tenant_command.hpp"

#include <cstdio>
#include <optional>

#include <boost/json.hpp>

#include "access/tenant_desk.hpp"
#include "beijing_time.hpp"
#include "phone.hpp"

namespace cc {
namespace {

namespace json = boost::json;

constexpr const char* help = R"(ccd tenant - who may ask, for what and how much

usage: ccd [--config FILE] tenant create NAME [SETTINGS]
       ccd [--config FILE] tenant set NAME SETTINGS
       ccd [--config FILE] tenant list [--json]
       ccd [--config FILE] tenant show NAME [--json]
       ccd [--config FILE] tenant disable|enable NAME

  create         a tenant without keys; `ccd key create` makes them
  set            what is given is changed, the rest stays
  list, show     those of cc.yaml too; they are changed there, and only there
  disable        its keys open nothing (403) until it is enabled; calls under way go on
      --json     an object a line

  SETTINGS       as under tenants: in cc.yaml
      --channels e9,hw        that its calls may take; all: those that are there and will be
      --main-number N         shown where a number is hidden, and stored with its calls
      --ext-number N          its extension
      --display toAgent=main,toCustomer=agent
                              which number a phone shows: customer (agent) or main; default: the
                              usual one
      --business B            --display is of calls with this `business` only
      --calls-per-second N    requests for calls, of all daemons together
      --burst N               of them at once after a pause; default: as many as a second
      --concurrent-calls N    that are not over
      --recording-days N      its recordings are kept; 0: for ever
                              none takes a number, a limit or the days away; without days they are
                              kept as retention.recordings says
  -c, --config FILE     cc.yaml; default /etc/cc/cc.yaml
  -h, --help

What is changed is in force at all daemons about a second later, and told in the audit log.

exit codes: 0 all right; 1 went wrong, or there is no such tenant; 2 wrong usage or configuration
)";

struct Wish : CommandLine {
  SettingsWish settings;
  bool json = false;
};

/// What is wrong with the words taken together; empty if nothing is.
std::string check_wish(const Wish& wish) {
  const std::string& action = wish.action;
  const bool changes = action == "create" || action == "set";
  const bool shows = action == "list" || action == "show";
  if (!changes && !shows && action != "disable" && action != "enable") {
    return action.empty() ? "say what to do: create, set, list, show, disable or enable"
                          : "unknown action \"" + action + "\"";
  }
  if (action == "list" && !wish.operands.empty()) return "list takes options only";
  if (action != "list" && wish.operands.size() != 1) return action + " needs the tenant's NAME";
  if (!changes && !wish.settings.empty()) return "settings are of create and set";
  if (!shows && wish.json) return "--json is of list and show";
  if (action == "set" && wish.settings.empty()) return "set needs something to change";
  return {};
}

/// A tenant of either kind, as it is told.
struct Shown {
  std::string name, settings;
  bool of_file = false, disabled = false;
  OptMs created, updated;
  std::size_t keys = 0;
};

std::vector<Shown> gather(const Config& config, const StoredAccess& stored) {
  std::map<std::string, Shown> all;
  for (const StoredTenant& tenant : stored.tenants) {
    all[tenant.name] = {tenant.name,    tenant.settings, false, tenant.disabled,
                        tenant.created, tenant.updated,  0};
  }
  for (const auto& [name, tenant] : config.tenants) {
    all[name] = {name,         to_settings(tenant), true, tenant.disabled, std::nullopt,
                 std::nullopt, tenant.keys.size()};
  }
  for (const StoredKey& key : stored.keys) {
    if (const auto owner = all.find(key.tenant); owner != all.end()) ++owner->second.keys;
  }
  std::vector<Shown> list;
  for (auto& [name, shown] : all) list.push_back(std::move(shown));
  return list;
}

void tell_json(const Shown& shown) {
  json::object object;
  object["tenant"] = shown.name;
  object["from"] = shown.of_file ? "cc.yaml" : "command";
  object["disabled"] = shown.disabled;
  object["settings"] = json::parse(shown.settings);
  object["keys"] = shown.keys;
  object["created"] = nullptr;
  if (shown.created) object["created"] = *shown.created;
  object["updated"] = nullptr;
  if (shown.updated) object["updated"] = *shown.updated;
  std::puts(json::serialize(object).c_str());
}

std::string plain(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (!value.is_array()) return json::serialize(value);
  std::string text;
  for (const json::value& item : value.get_array()) text += (text.empty() ? "" : ",") + plain(item);
  return text;
}

/// "channels=e9 mainNum=4001234567 limits.burst=3", in the settings' order.
std::string flat(const json::object& settings, const std::string& above, std::string_view between) {
  std::string text;
  for (const auto& [name, value] : settings) {
    const std::string path = above + std::string(name);
    if (!text.empty()) text += between;
    text += value.is_object() ? flat(value.get_object(), path + ".", between)
                              : path + "=" + plain(value);
  }
  return text;
}

void tell_line(const Shown& shown) {
  std::printf("%-32s  %-8s  %-8s  %4zu  %s\n", shown.name.c_str(),
              shown.of_file ? "cc.yaml" : "command", shown.disabled ? "disabled" : "enabled",
              shown.keys, flat(json::parse(shown.settings).as_object(), "", " ").c_str());
}

void tell_all(const Shown& shown) {
  std::printf("tenant    %s\n", shown.name.c_str());
  std::printf("stands in %s\n", shown.of_file ? "cc.yaml" : "PostgreSQL, made by ccd tenant");
  std::printf("state     %s\n", shown.disabled ? "disabled: its keys open nothing" : "enabled");
  std::printf("keys      %zu; see ccd key list %s\n", shown.keys, shown.name.c_str());
  if (shown.created) std::printf("made      %s\n", format_utc(*shown.created).c_str());
  if (shown.updated) std::printf("changed   %s\n", format_utc(*shown.updated).c_str());
  const json::value settings = json::parse(shown.settings);
  const std::string told = flat(settings.as_object(), "", "\n          ");
  std::printf("settings  %s\n", told.empty() ? "none: all channels, no limits" : told.c_str());
}

asio::awaitable<int> tell_tenants(Tools tools, const Config& config, Wish wish) {
  const StoredAccess stored = co_await read_access(tools.pool);
  std::size_t count = 0;
  if (wish.action == "list" && !wish.json) {
    std::printf("%-32s  %-8s  %-8s  %4s  %s\n", "tenant", "from", "state", "keys", "settings");
  }
  for (const Shown& shown : gather(config, stored)) {
    if (!wish.operands.empty() && shown.name != wish.operands.front()) continue;
    ++count;
    if (wish.json) {
      tell_json(shown);
    } else if (wish.action == "list") {
      tell_line(shown);
    } else {
      tell_all(shown);
    }
  }
  if (wish.action == "list" && !wish.json) std::printf("%zu tenants\n", count);
  if (wish.action == "list" || count > 0) co_return exit_right;
  std::fprintf(stderr, "ccd tenant: there is no tenant \"%s\"; `ccd tenant list` shows them\n",
               wish.operands.front().c_str());
  co_return exit_wrong;
}

int refused(const Error& error) {
  std::fprintf(stderr, "ccd tenant: %s\n", error.message.c_str());
  return exit_wrong;
}

asio::awaitable<int> change(Tools tools, const Config& config, Wish wish) {
  TenantDesk desk(tools.pool, config, tools.clock, command_user());
  const std::string name = wish.operands.front();
  if (wish.action == "create" || wish.action == "set") {
    const bool is_new = wish.action == "create";
    auto changing = is_new ? desk.create(name, wish.settings) : desk.change(name, wish.settings);
    const Result<StoredTenant> tenant = co_await std::move(changing);
    if (!tenant) co_return refused(tenant.error());
    const std::string next = is_new ? "; now make its keys: ccd key create " + name + " …" : "";
    std::printf("tenant %s is %s%s\n", name.c_str(), is_new ? "made" : "changed", next.c_str());
    co_return exit_right;
  }
  const bool disabled = wish.action == "disable";
  auto changing = desk.disable(name, disabled);
  const Result<bool> done = co_await std::move(changing);
  if (!done) co_return refused(done.error());
  std::printf("tenant %s %s%s\n", name.c_str(), *done ? "is " : "was already ",
              disabled ? "disabled" : "enabled");
  co_return exit_right;
}

}  // namespace

int tenant_command(std::span<char* const> words, std::string config_path, const ReadConfig& read) {
  Wish wish;
  wish.config_path = std::move(config_path);
  SettingsWish& settings = wish.settings;
  const CommandOptions options{{{"--channels", &settings.channels},
                                {"--main-number", &settings.main_num},
                                {"--ext-number", &settings.ext_num},
                                {"--display", &settings.display},
                                {"--business", &settings.business},
                                {"--calls-per-second", &settings.calls_per_second},
                                {"--burst", &settings.burst},
                                {"--concurrent-calls", &settings.concurrent_calls},
                                {"--recording-days", &settings.recording_days}},
                               {{"--json", &wish.json}}};
  std::string problem = read_words(words, options, wish);
  if (problem.empty() && !wish.help) problem = check_wish(wish);
  if (!problem.empty()) return wrong_usage("tenant", problem);
  if (wish.help) {
    std::fputs(help, stdout);
    return exit_right;
  }
  const std::optional<Config> config = read(wish.config_path);
  if (!config) return exit_usage;
  return run_command(*config, [&](Tools tools) {
    if (wish.action == "list" || wish.action == "show") return tell_tenants(tools, *config, wish);
    return change(tools, *config, wish);
  });
}

}  // namespace cc
