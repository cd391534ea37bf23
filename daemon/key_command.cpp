#include "key_command.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

#include <boost/json.hpp>

#include "access/key_desk.hpp"
#include "beijing_time.hpp"
#include "config_tenants.hpp"
#include "network.hpp"
#include "text.hpp"
#include "yaml_reader.hpp"

namespace cc {
namespace {

namespace json = boost::json;

constexpr const char* help = R"(ccd key - the keys of applications

usage: ccd [--config FILE] key create TENANT ID --scopes call,read [--expires WHEN]
                               [--addresses NETWORKS] [--note TEXT]
       ccd [--config FILE] key rotate TENANT ID [--grace TIME] [--expires WHEN]
       ccd [--config FILE] key revoke TENANT ID [--old]
       ccd [--config FILE] key list [TENANT] [--json]

  create         prints the key, once: nobody can learn it again, only its SHA-256 is kept
      ID         a name for logs: 1 to 64 letters, digits and ._-
      --scopes   of call (make and end calls), read, numbers (see customers' numbers), admin
      --expires WHEN   90d, or its last day (2027-01-31, UTC), or a time with its zone
      --addresses A,B  networks that it may be used from: 203.0.113.0/24,2001:db8::/32
      --note TEXT      for people, up to 256 characters
  rotate         prints another key of the same name, scopes and networks, once; the one before
                 can still be used for a while, so that applications can change over one by one
      --grace TIME     for so long: 30m, 24h, 7d; default 24h
      --expires WHEN   default: it lives as long as the one before was given
  revoke         nobody can use it any more: 401
      --old      only the older one of two, before its time
  list           what they may, when they expire and were last used; those of cc.yaml too, which
                 are changed there, and only there
      --json     an object a line
  -c, --config FILE     cc.yaml; default /etc/cc/cc.yaml
  -h, --help

What is changed is in force at all daemons about a second later, and told in the audit log.

exit codes: 0 all right; 1 went wrong, or there is no such key or tenant; 2 wrong usage or
            configuration
)";

constexpr std::size_t longest_note = 256, most_networks = 64;
constexpr Millis longest_grace{std::int64_t{365} * 86'400'000};

struct Wish : CommandLine {
  OptText scopes, expires, addresses, note, grace;
  bool old = false, json = false;
};

/// What is wrong with the words taken together; empty if nothing is.
std::string check_wish(const Wish& wish) {
  const std::string& action = wish.action;
  const bool create = action == "create", rotate = action == "rotate", list = action == "list";
  if (!create && !rotate && !list && action != "revoke") {
    return action.empty() ? "say what to do: create, rotate, revoke or list"
                          : "unknown action \"" + action + "\"";
  }
  if (list && wish.operands.size() > 1) return "list takes one TENANT at most";
  if (!list && wish.operands.size() != 2) return action + " needs TENANT and the key's ID";
  if (create && !wish.scopes) return "create needs --scopes: call, read, numbers, admin";
  if (!create && (wish.scopes || wish.addresses || wish.note)) {
    return "--scopes, --addresses and --note are of create; for others make another key";
  }
  if (!create && !rotate && wish.expires) return "--expires is of create and rotate";
  if (!rotate && wish.grace) return "--grace is of rotate";
  if (action != "revoke" && wish.old) return "--old is of revoke";
  if (!list && wish.json) return "--json is of list";
  return {};
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

bool is_control(char c) {
  return (c >= 0 && c < 0x20) || c == 0x7f;
}

/// The rest of what is wrong with the words; empty if nothing is.
std::string read_key(const Wish& wish, NewKey& key) {
  key.tenant = wish.operands[0];
  key.id = wish.operands[1];
  for (const std::string& scope : split(*wish.scopes)) {
    if (scope != "call" && scope != "read" && scope != "numbers" && scope != "admin") {
      return "--scopes must be of call, read, numbers and admin, got \"" + scope + "\"";
    }
    if (!key.scopes.insert(scope).second) return "--scopes names " + scope + " twice";
  }
  if (wish.addresses) key.addresses = split(*wish.addresses);
  for (const std::string& address : key.addresses) {
    const auto network = parse_network(address);
    if (!network) return "--addresses: " + network.error().message;
  }
  if (key.addresses.size() > most_networks) return "--addresses names more than 64 networks";
  bool cut = false;
  if (wish.note) key.note = cut_to_width(repair_utf8(*wish.note), longest_note, cut);
  if (cut) return "--note is longer than 256 characters";
  if (wish.note && std::any_of(wish.note->begin(), wish.note->end(), is_control)) {
    return "--note must not have control characters";
  }
  return {};
}

std::string read_expiry(const Wish& wish, std::int64_t now_ms, OptMs& expires) {
  if (!wish.expires) return {};
  if (const auto after = parse_duration(*wish.expires)) {
    expires = now_ms + std::min(*after, longest_grace * 100).count();
  } else {
    expires = parse_expiry(*wish.expires);
  }
  if (expires) return {};
  return "--expires must be like 90d, 2027-01-31 or 2027-01-31T12:00:00+08:00, got \"" +
         *wish.expires + "\"";
}

std::string read_grace(const Wish& wish, Millis& grace) {
  grace = std::chrono::hours(24);
  if (!wish.grace) return {};
  const auto time = parse_duration(*wish.grace);
  if (!time || *time > longest_grace) {
    return "--grace must be like 30m, 24h or 7d and at most 365d, got \"" + *wish.grace + "\"";
  }
  grace = *time;
  return {};
}

/// A secret of either kind, as it is told.
struct Shown {
  std::string tenant, id;
  bool of_file = false;
  std::string state;  // live, old, expired, revoked
  std::string scopes, addresses;
  OptMs created, expires, used;
  OptText note;
};

template <class List>
std::string joined(const List& list) {
  std::string text;
  for (const std::string& word : list) text += (text.empty() ? "" : ",") + word;
  return text;
}

std::string state_of(const StoredSecret& secret, bool is_last, std::int64_t now_ms) {
  if (secret.revoked) return "revoked";
  if (!secret.live(now_ms)) return "expired";
  return is_last ? "live" : "old";
}

/// Of a key the secrets that open something, or the last one that did.
void gather(const StoredKey& key, std::int64_t now_ms, std::vector<Shown>& list) {
  for (const StoredSecret& secret : key.secrets) {
    const bool is_last = &secret == &key.secrets.back();
    if (!is_last && !secret.live(now_ms)) continue;
    list.push_back({key.tenant, key.id, false, state_of(secret, is_last, now_ms),
                    joined(key.scopes), joined(key.addresses), secret.created, secret.expires,
                    secret.used, key.note});
  }
}

std::vector<Shown> gather(const Config& config, const StoredAccess& stored, std::int64_t now_ms) {
  std::vector<Shown> list;
  for (const auto& [name, tenant] : config.tenants) {
    for (const ApiKey& key : tenant.keys) {
      OptMs expires;
      if (!key.secrets.empty() && key.secrets.front().expires_ms != 0) {
        expires = key.secrets.front().expires_ms;
      }
      list.push_back({name, key.id, true, expires && *expires <= now_ms ? "expired" : "live",
                      joined(key.scopes), joined(key.addresses), std::nullopt, expires,
                      std::nullopt, std::nullopt});
    }
  }
  for (const StoredKey& key : stored.keys) gather(key, now_ms, list);
  std::stable_sort(list.begin(), list.end(),
                   [](const Shown& a, const Shown& b) { return a.tenant < b.tenant; });
  return list;
}

json::value or_null(const OptMs& time) {
  return time ? json::value(*time) : json::value(nullptr);
}

void tell_json(const Shown& shown) {
  json::object object;
  object["tenant"] = shown.tenant;
  object["key"] = shown.id;
  object["from"] = shown.of_file ? "cc.yaml" : "command";
  object["state"] = shown.state;
  object["scopes"] = shown.scopes;
  object["addresses"] = shown.addresses;
  object["created"] = or_null(shown.created);
  object["expires"] = or_null(shown.expires);
  object["used"] = or_null(shown.used);
  object["note"] = nullptr;
  if (shown.note) object["note"] = *shown.note;
  std::puts(json::serialize(object).c_str());
}

/// To the minute.
std::string shown_time(const OptMs& time, const char* absent) {
  return time ? format_utc(*time).substr(0, 16) + "Z" : absent;
}

void tell_line(const Shown& shown) {
  const std::string from = shown.addresses.empty() ? "anywhere" : shown.addresses;
  const std::string note = shown.note ? "  " + *shown.note : "";
  std::printf("%-16s  %-20s  %-7s  %-23s  %-17s  %-17s  %-17s  %s%s\n", shown.tenant.c_str(),
              shown.id.c_str(), shown.state.c_str(), shown.scopes.c_str(),
              shown.of_file ? "in cc.yaml" : shown_time(shown.created, "-").c_str(),
              shown_time(shown.expires, "never").c_str(),
              shown_time(shown.used, shown.of_file ? "not known" : "never").c_str(), from.c_str(),
              note.c_str());
}

asio::awaitable<int> list(Tools tools, const Config& config, Wish wish) {
  const StoredAccess stored = co_await read_access(tools.pool);
  const auto named = [&](const auto& tenant) { return tenant.name == wish.operands.front(); };
  if (!wish.operands.empty() && !config.tenants.contains(wish.operands.front()) &&
      std::none_of(stored.tenants.begin(), stored.tenants.end(), named)) {
    std::fprintf(stderr, "ccd key: there is no tenant \"%s\"; `ccd tenant list` shows them\n",
                 wish.operands.front().c_str());
    co_return exit_wrong;
  }
  std::size_t count = 0;
  if (!wish.json) {
    std::printf("%-16s  %-20s  %-7s  %-23s  %-17s  %-17s  %-17s  %s\n", "tenant", "key", "state",
                "scopes", "made", "expires", "last used", "from");
  }
  for (const Shown& shown : gather(config, stored, tools.clock.epoch_ms())) {
    if (!wish.operands.empty() && shown.tenant != wish.operands.front()) continue;
    wish.json ? tell_json(shown) : tell_line(shown);
    ++count;
  }
  if (!wish.json) std::printf("%zu keys\n", count);
  co_return exit_right;
}

int refused(const Error& error) {
  std::fprintf(stderr, "ccd key: %s\n", error.message.c_str());
  return exit_wrong;
}

/// The key alone goes to standard output, so that it can be piped to where it belongs.
int tell_key(const MadeKey& made, const Wish& wish) {
  std::string says =
      "the key of " + wish.operands[0] + "/" + wish.operands[1] + " is told this once, keep it now";
  if (made.expires) says += "; it expires at " + format_utc(*made.expires);
  if (made.old_expires) {
    says += "; the one before can be used until " + format_utc(*made.old_expires);
  }
  std::fprintf(stderr, "%s\n", says.c_str());
  std::puts(made.text.c_str());
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::fprintf(stderr,
                 "ccd key: the key is made, but could not be written out and is lost: "
                 "`ccd key rotate %s %s` makes another secret\n",
                 wish.operands[0].c_str(), wish.operands[1].c_str());
    return exit_wrong;
  }
  return exit_right;
}

asio::awaitable<int> create(Tools tools, const Config& config, Wish wish, NewKey key) {
  KeyDesk desk(tools.pool, config, tools.clock, command_user());
  const std::string problem = read_expiry(wish, tools.clock.epoch_ms(), key.expires);
  if (!problem.empty()) co_return wrong_usage("key", problem);
  auto creating = desk.create(std::move(key));
  const Result<MadeKey> made = co_await std::move(creating);
  co_return made ? tell_key(*made, wish) : refused(made.error());
}

asio::awaitable<int> rotate(Tools tools, const Config& config, Wish wish, Millis grace) {
  KeyDesk desk(tools.pool, config, tools.clock, command_user());
  OptMs expires;
  const std::string problem = read_expiry(wish, tools.clock.epoch_ms(), expires);
  if (!problem.empty()) co_return wrong_usage("key", problem);
  auto rotating = desk.rotate(wish.operands[0], wish.operands[1], grace, expires);
  const Result<MadeKey> made = co_await std::move(rotating);
  co_return made ? tell_key(*made, wish) : refused(made.error());
}

asio::awaitable<int> revoke(Tools tools, const Config& config, Wish wish) {
  KeyDesk desk(tools.pool, config, tools.clock, command_user());
  auto revoking = desk.revoke(wish.operands[0], wish.operands[1], wish.old);
  const Result<std::size_t> count = co_await std::move(revoking);
  if (!count) co_return refused(count.error());
  if (*count == 0) {
    std::puts("it opened nothing any more");
  } else {
    std::printf("%s is revoked: 401 within about a second\n",
                wish.old ? "the older secret" : "the key");
  }
  co_return exit_right;
}

}  // namespace

int key_command(std::span<char* const> words, std::string config_path, const ReadConfig& read) {
  Wish wish;
  wish.config_path = std::move(config_path);
  const CommandOptions options{{{"--scopes", &wish.scopes},
                                {"--expires", &wish.expires},
                                {"--addresses", &wish.addresses},
                                {"--note", &wish.note},
                                {"--grace", &wish.grace}},
                               {{"--old", &wish.old}, {"--json", &wish.json}}};
  NewKey key;
  Millis grace{};
  std::string problem = read_words(words, options, wish);
  if (problem.empty() && !wish.help) problem = check_wish(wish);
  if (problem.empty() && wish.action == "create" && !wish.help) problem = read_key(wish, key);
  if (problem.empty() && wish.action == "rotate" && !wish.help) problem = read_grace(wish, grace);
  if (!problem.empty()) return wrong_usage("key", problem);
  if (wish.help) {
    std::fputs(help, stdout);
    return exit_right;
  }
  const std::optional<Config> config = read(wish.config_path);
  if (!config) return exit_usage;
  return run_command(*config, [&](Tools tools) {
    if (wish.action == "create") return create(tools, *config, wish, key);
    if (wish.action == "rotate") return rotate(tools, *config, wish, grace);
    if (wish.action == "revoke") return revoke(tools, *config, wish);
    return list(tools, *config, wish);
  });
}

}  // namespace cc
