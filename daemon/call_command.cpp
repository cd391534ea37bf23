#include "call_command.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <pwd.h>
#include <set>
#include <string>
#include <unistd.h>
#include <vector>

#include <boost/json.hpp>

#include "api/record_json.hpp"
#include "api/target.hpp"
#include "call/create.hpp"
#include "call/reconciliation.hpp"
#include "phone.hpp"
#include "query/call_report.hpp"
#include "query/call_search.hpp"
#include "query/call_story.hpp"
#include "query/rejection_store.hpp"
#include "store/history.hpp"
#include "text.hpp"

namespace cc {
namespace {

namespace json = boost::json;

constexpr const char* help =
    R"(ccd call - what happened in a call: its whole story, ending in one plain sentence

usage: ccd [--config FILE] call show ID [--numbers] [--zh] [--json]
       ccd [--config FILE] call find --at HH:MM [--on DAY] [--minutes N] [--tenant T] [--agent A]
                                     [--user U] [--phone N] [--numbers] [--zh] [--json]

  show         the call with this id
  find         the call that was asked for about then: its story if there is one, a line each if there
               are several; and the requests that were refused about then
    --at HH:MM   in UTC+8, the channels' time
    --on DAY     2026-03-01; default today
    --minutes N  how far off it may be, 1 to 720; default 5
    --tenant T, --agent A, --user U
                 only calls of theirs
    --phone N    only calls of which this is one of both numbers
                 Refusals keep numbers masked: those of a number with the same mask are told of too.
  --numbers    numbers whole; the audit trail is told of it, under your login's name
  --zh         the last sentence in Chinese
  --json       an object a line: record, timeline, story; of a refused request: rejection
  -c, --config FILE     cc.yaml; default /etc/cc/cc.yaml
  -h, --help

exit codes: 0 found; 1 not found, or went wrong; 2 wrong usage or configuration
)";

constexpr std::int64_t minute_ms = 60'000;
constexpr std::size_t most_calls = 200;
constexpr std::size_t most_rejections = 200;
constexpr std::size_t rejections_a_page = 1000;
constexpr int most_pages = 100;  // of rejections, a tenant's

struct Wish : CommandLine {
  OptText at, on, minutes, tenant, agent, user, phone;
  bool numbers = false, zh = false, json = false;
  std::int64_t call = 0;
  std::int64_t minute = 0;  // of the day
  std::int64_t spread = 5;  // minutes
  std::optional<Day> day;

  Tongue tongue() const { return zh ? Tongue::chinese : Tongue::english; }
};

/// Understands what find is given. Returns what is wrong; empty if nothing is.
std::string check_find(Wish& wish) {
  if (!wish.operands.empty()) return "find takes options only";
  if (!wish.at) return "find needs --at HH:MM";
  const auto colon = wish.at->find(':');
  const auto hour = parse_integer(wish.at->substr(0, colon));
  const auto minute =
      colon == std::string::npos ? std::nullopt : parse_integer(wish.at->substr(colon + 1));
  if (!hour || !minute || *hour < 0 || *hour > 23 || *minute < 0 || *minute > 59) {
    return "--at \"" + *wish.at + "\" is no time like 14:03";
  }
  wish.minute = *hour * 60 + *minute;
  if (wish.on && !(wish.day = Day::parse(*wish.on))) {
    return "--on \"" + *wish.on + "\" is no day like 2026-03-01";
  }
  if (wish.minutes) {
    const auto spread = parse_integer(*wish.minutes);
    if (!spread || *spread < 1 || *spread > 720) return "--minutes must be 1 to 720";
    wish.spread = *spread;
  }
  if (wish.phone) {
    auto number = canonical_number(*wish.phone);
    if (!number) return "--phone must be a phone number: 3 to 15 digits";
    wish.phone = std::move(number);
  }
  // A line that is a phone is stored as numbers are.
  if (wish.agent) wish.agent = canonical_number(*wish.agent).value_or(*wish.agent);
  return {};
}

std::string check_wish(Wish& wish) {
  if (wish.action == "find") return check_find(wish);
  if (wish.action != "show") {
    return wish.action.empty() ? "say what to do: show or find"
                               : "unknown action \"" + wish.action + "\"";
  }
  if (wish.at || wish.on || wish.minutes || wish.tenant || wish.agent || wish.user || wish.phone) {
    return "show takes a call's id, --numbers, --zh and --json only";
  }
  const auto call = wish.operands.size() == 1 ? api::parse_call_id(wish.operands[0]) : std::nullopt;
  if (!call) return "show needs one call's id";
  wish.call = *call;
  return {};
}

std::string login() {
  const passwd* const entry = ::getpwuid(::getuid());  // NOLINT(concurrency-mt-unsafe)
  return entry == nullptr ? std::to_string(::getuid()) : entry->pw_name;
}

constexpr std::string_view audit_sql =
    "INSERT INTO audit (at, tenant, key, action, calls, count) VALUES ((extract(epoch FROM "
    "clock_timestamp()) * 1000)::bigint, $1, left($2, 96), 'numbers.shown', $3::bigint[], $4)";

/// Before they are shown: a row for each tenant whose calls they are.
asio::awaitable<void> tell_audit(Tools tools, const std::vector<StoredRecord>& records) {
  std::map<std::string, std::vector<std::int64_t>> calls;
  for (const StoredRecord& record : records) {
    calls[record.constants.tenant].push_back(record.constants.id);
  }
  for (const auto& [tenant, ids] : calls) {
    co_await tools.pool.query(audit_sql, pg::params(tenant, "command:" + login(), pg::array(ids),
                                                    static_cast<std::int64_t>(ids.size())));
  }
}

/// Each of the calls, whole.
asio::awaitable<void> tell_whole(Tools tools, const StoredRecord& record, const Wish& wish) {
  auto reading = read_timeline(tools.pool, record.constants.tenant, record.constants.id);
  const std::optional<Timeline> found = co_await std::move(reading);
  const Timeline timeline = found.value_or(Timeline{});
  const std::string story = call_story(record, timeline, tools.clock.epoch_ms(), wish.tongue());
  if (wish.json) {
    const api::Sight sight{wish.numbers, false};
    json::object object;
    object["record"] = api::to_object(record, sight);
    object["timeline"] = api::to_object(timeline, record.constants.id, sight);
    object["story"] = story;
    std::puts(json::serialize(object).c_str());
    co_return;
  }
  std::fputs(call_report(record, timeline, story, wish.numbers).c_str(), stdout);
}

asio::awaitable<int> show(Tools tools, const Wish& wish) {
  auto reading = read_record(tools.pool, "", wish.call);
  const std::optional<StoredRecord> record = co_await std::move(reading);
  if (!record) {
    std::fprintf(stderr, "ccd call: no call has the id %lld\n", static_cast<long long>(wish.call));
    co_return exit_wrong;
  }
  if (wish.numbers) {
    const std::vector<StoredRecord> records{*record};
    co_await tell_audit(tools, records);
  }
  co_await tell_whole(tools, *record, wish);
  co_return exit_right;
}

struct Window {
  std::int64_t from_ms = 0, to_ms = 0;
};

Window window_of(const Wish& wish, std::int64_t now_ms) {
  const Day day = wish.day.value_or(Day::of(now_ms));
  const std::int64_t at = day.begin_ms() + wish.minute * minute_ms;
  return {at - wish.spread * minute_ms, at + (wish.spread + 1) * minute_ms};
}

/// Newest first, each once: a phone may be either leg's.
asio::awaitable<std::vector<StoredRecord>> find_calls(Tools tools, const Wish& wish,
                                                      Window window) {
  std::vector<std::string> no_channels;
  CallSearch search(tools.pool, [no_channels] { return no_channels; });
  CallFilter filter;
  filter.tenant = wish.tenant.value_or("");
  filter.agent = wish.agent;
  filter.user = wish.user;
  filter.from_ms = window.from_ms;
  filter.to_ms = window.to_ms;
  std::vector<CallFilter> filters(wish.phone ? 2 : 1, filter);
  if (wish.phone) {
    filters[0].caller = wish.phone;
    filters[1].called = wish.phone;
  }
  std::vector<StoredRecord> calls;
  for (const CallFilter& one : filters) {
    std::optional<Cursor> cursor = Cursor{};
    while (cursor && calls.size() <= most_calls) {
      CallPage page = co_await search.page(one, *cursor, most_calls);
      std::move(page.calls.begin(), page.calls.end(), std::back_inserter(calls));
      cursor = page.next;
    }
  }
  std::sort(calls.begin(), calls.end(), [](const StoredRecord& a, const StoredRecord& b) {
    return a.constants.id > b.constants.id;
  });
  calls.erase(std::unique(calls.begin(), calls.end(),
                          [](const StoredRecord& a, const StoredRecord& b) {
                            return a.constants.id == b.constants.id;
                          }),
              calls.end());
  co_return calls;
}

/// The configuration's, and those made by command.
asio::awaitable<std::set<std::string>> tenants_of(Tools tools, const Config& config) {
  std::set<std::string> names;
  for (const auto& [name, tenant] : config.tenants) names.insert(name);
  const pg::Rows rows = co_await tools.pool.query("SELECT name FROM tenant");
  for (std::size_t row = 0; row < rows.size(); ++row) names.emplace(rows.text(row, "name"));
  co_return names;
}

/// A request may have named the line as its `caller`. Numbers are kept masked: what the number's
/// mask is not can't be of it.
bool is_wanted(const Rejection& rejection, const Wish& wish) {
  if (wish.agent && rejection.agent != wish.agent &&
      rejection.caller != OptText(mask_number(*wish.agent))) {
    return false;
  }
  if (!wish.phone) return true;
  const OptText masked = mask_number(*wish.phone);
  return rejection.caller == masked || rejection.called == masked || rejection.agent == wish.phone;
}

struct Refused {
  std::vector<Rejection> rejections;
  bool more = false;  // than are told of
};

/// The tenant's, newest first.
asio::awaitable<void> add_refused(Rejections& store, std::string tenant, const Wish& wish,
                                  Window window, Refused& refused) {
  RejectionFilter filter;
  filter.tenant = tenant;
  filter.user = wish.user;
  filter.from_ms = window.from_ms;
  filter.to_ms = window.to_ms;
  std::size_t found = 0;
  std::optional<std::int64_t> below = INT64_MAX;
  for (int i = 0; i < most_pages && below && found <= most_rejections; ++i) {
    RejectionPage page = co_await store.page(filter, *below, rejections_a_page);
    for (Rejection& rejection : page.rejections) {
      if (!is_wanted(rejection, wish)) continue;
      ++found;
      refused.rejections.push_back(std::move(rejection));
    }
    below = page.next;
  }
  if (below) refused.more = true;
}

asio::awaitable<Refused> find_refused(Tools tools, const Config& config, const Wish& wish,
                                      Window window) {
  Metrics metrics;
  RejectionStore store(tools.pool, tools.clock, metrics);
  std::set<std::string> tenants;
  if (wish.tenant) {
    tenants.insert(*wish.tenant);
  } else {
    tenants = co_await tenants_of(tools, config);
  }
  Refused refused;
  for (const std::string& tenant : tenants) {
    co_await add_refused(store, tenant, wish, window, refused);
  }
  std::vector<Rejection>& all = refused.rejections;
  std::stable_sort(all.begin(), all.end(),
                   [](const Rejection& a, const Rejection& b) { return a.at > b.at; });
  if (all.size() > most_rejections) {
    all.resize(most_rejections);
    refused.more = true;
  }
  co_return refused;
}

/// With the names that GET /v1/rejections has; what is not known is left out.
json::object to_object(const Rejection& rejection) {
  json::object object;
  const auto add = [&](std::string_view name, const OptText& value) {
    if (value && !value->empty()) object[name] = repair_utf8(*value);
  };
  object["id"] = std::to_string(rejection.id);
  object["tenant"] = rejection.tenant;
  object["at"] = rejection.at;
  object["status"] = rejection.status;
  object["code"] = rejection.code;
  object["detail"] = mask_numbers_in(repair_utf8(rejection.detail));
  add("requestId", rejection.request_id);
  add("key", rejection.key);
  add("caller", rejection.caller);
  add("called", rejection.called);
  add("agent", rejection.agent);
  add("user", rejection.user);
  add("channel", rejection.channel);
  add("business", rejection.business);
  add("bizType", rejection.biz_type);
  add("bizId", rejection.biz_id);
  if (rejection.call) object["callId"] = std::to_string(*rejection.call);
  return object;
}

void tell_refused(const Refused& refused, const Wish& wish) {
  for (const Rejection& rejection : refused.rejections) {
    if (wish.json) {
      json::object line;
      line["rejection"] = to_object(rejection);
      std::puts(json::serialize(line).c_str());
    } else {
      std::puts(refused_line(rejection).c_str());
    }
  }
  if (refused.more) {
    std::fprintf(stderr,
                 "ccd call: not all refusals were looked through, or there are more than %zu; "
                 "--minutes, --tenant and --user narrow it\n",
                 most_rejections);
  }
}

asio::awaitable<int> find(Tools tools, const Config& config, const Wish& wish) {
  const Window window = window_of(wish, tools.clock.epoch_ms());
  std::vector<StoredRecord> calls = co_await find_calls(tools, wish, window);
  const bool more = calls.size() > most_calls;
  if (more) calls.resize(most_calls);
  if (wish.numbers && !calls.empty()) co_await tell_audit(tools, calls);
  if (calls.size() == 1 || wish.json) {
    for (const StoredRecord& record : calls) co_await tell_whole(tools, record, wish);
  } else {
    for (const StoredRecord& record : calls) {
      auto reading = read_timeline(tools.pool, record.constants.tenant, record.constants.id);
      const std::optional<Timeline> timeline = co_await std::move(reading);
      const std::string story =
          call_story(record, timeline.value_or(Timeline{}), tools.clock.epoch_ms(), wish.tongue());
      std::puts(call_line(record, story, wish.numbers).c_str());
    }
  }
  if (more)
    std::fprintf(stderr, "ccd call: there are more; --minutes, --agent and others narrow it\n");
  const Refused refused = co_await find_refused(tools, config, wish, window);
  tell_refused(refused, wish);
  if (!calls.empty()) co_return exit_right;
  std::fprintf(
      stderr, "ccd call: no call was asked for between %s and %s (UTC+8)%s\n",
      local_time(window.from_ms).substr(0, 16).c_str(),
      local_time(window.to_ms).substr(0, 16).c_str(),
      refused.rejections.empty() ? "" : "; requests for calls were refused then, see above");
  co_return exit_wrong;
}

}  // namespace

int call_command(std::span<char* const> words, std::string config_path, const ReadConfig& read) {
  Wish wish;
  wish.config_path = std::move(config_path);
  const CommandOptions options{
      {{"--at", &wish.at},
       {"--on", &wish.on},
       {"--minutes", &wish.minutes},
       {"--tenant", &wish.tenant},
       {"--agent", &wish.agent},
       {"--user", &wish.user},
       {"--phone", &wish.phone}},
      {{"--numbers", &wish.numbers}, {"--zh", &wish.zh}, {"--json", &wish.json}}};
  std::string problem = read_words(words, options, wish);
  if (problem.empty() && !wish.help) problem = check_wish(wish);
  if (!problem.empty()) return wrong_usage("call", problem);
  if (wish.help) {
    std::fputs(help, stdout);
    return exit_right;
  }
  const std::optional<Config> config = read(wish.config_path);
  if (!config) return exit_usage;
  return run_command(*config, [&](Tools tools) {
    return wish.action == "show" ? show(tools, wish) : find(tools, *config, wish);
  });
}

}  // namespace cc
