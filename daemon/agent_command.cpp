#include "agent_command.hpp"

#include <cstdio>
#include <optional>

#include <boost/json.hpp>

#include "agent/agent_import.hpp"
#include "agent/agent_store.hpp"
#include "beijing_time.hpp"
#include "import_command.hpp"
#include "phone.hpp"
#include "text.hpp"

namespace cc {
namespace {

namespace json = boost::json;

constexpr const char* help = R"(ccd agent - the lines of channels: imported, listed, tried again

usage: ccd [--config FILE] agent import CSV|- [--dry-run]
       ccd [--config FILE] agent list [--tenant T] [--channel C] [--actual S] [--json]
       ccd [--config FILE] agent retry CHANNEL AGENT
       ccd [--config FILE] agent retry --refused [--channel C]

  import         makes and changes the agents that the file names; others are left alone. Nothing is
                 changed if anything in the file is wrong. A file can be imported again: what is as it
                 should be is not disturbed, refused and failing agents are tried again
      CSV        a file, or - for standard input. The first line names the columns, in any order:
                   channel   its code in cc.yaml
                   agent     the seat's number; on a channel whose line is a phone, its number
                   tenant    whose the line is
                   handset   the phone that rings when the line calls; of a new seat required
                   password  of a new seat required; empty or no such column: it stays
                   desired   online or offline; empty or no such column: it stays, new ones are online
      --dry-run  only says what is wrong, or what it would come to
  list           agents and how they are, numbers masked
      --actual S only those that are connecting, online, failing, refused or offline
      --json     an object a line
  retry          a refused or failing agent is signed in again now
      --refused  all that are refused
      --tenant T, --channel C  only of this tenant, of this channel
  -c, --config FILE     cc.yaml; default /etc/cc/cc.yaml
  -h, --help

exit codes: 0 all right; 1 went wrong, something in the file is wrong, or there is no such agent;
            2 wrong usage or configuration
)";

constexpr int page = 500;

struct Wish : CommandLine {
  OptText tenant;
  AgentFilter filter;
  bool dry = false, json = false, refused = false;
};

bool known_state(const std::string& state) {
  return state == "connecting" || state == "online" || state == "failing" || state == "refused" ||
         state == "offline";
}

/// What is wrong with the words taken together; empty if nothing is.
std::string check_wish(const Wish& wish) {
  const bool filtered = wish.tenant || wish.filter.channel || wish.filter.actual;
  if (wish.action == "import") {
    if (wish.operands.size() != 1) return "import needs a file, or - for standard input";
    if (filtered || wish.refused || wish.json) return "import takes --dry-run only";
    return {};
  }
  if (wish.dry) return "--dry-run is of import";
  if (wish.action == "list") {
    if (!wish.operands.empty()) return "list takes options only";
    if (wish.refused) return "--refused is of retry; list takes --actual refused";
    if (wish.filter.actual && !known_state(*wish.filter.actual)) {
      return "--actual must be connecting, online, failing, refused or offline";
    }
    return {};
  }
  if (wish.action == "retry") {
    if (wish.json || wish.filter.actual || wish.tenant)
      return "--tenant, --actual and --json are of list";
    if (wish.refused && !wish.operands.empty()) return "give CHANNEL AGENT or --refused, not both";
    if (!wish.refused && wish.operands.size() != 2)
      return "retry needs CHANNEL AGENT, or --refused";
    if (!wish.refused && wish.filter.channel) return "--channel goes with --refused";
    return {};
  }
  return wish.action.empty() ? "say what to do: import, list or retry"
                             : "unknown action \"" + wish.action + "\"";
}

asio::awaitable<int> import_file(Tools tools, const Config& config, Wish wish, AgentFile file) {
  const Vault vault(config.agents.key, config.agents.previous_keys);
  const std::size_t count = file.rows.size();
  auto importing = import_agents(tools.pool, config, vault, std::move(file), tools.clock.epoch_ms(),
                                 wish.dry, progress_line(count));
  const ImportResult result = co_await std::move(importing);
  co_return tell_import(result, wish.operands.front(), "agents", count, wish.dry);
}

json::value or_null(const OptText& text) {
  if (!text) return nullptr;
  return json::value(mask_numbers_in(repair_utf8(*text)));
}

void tell_json(const Agent& agent) {
  json::object object;
  object["channel"] = agent.channel;
  object["agent"] = mask_numbers_in(agent.agent);
  object["tenant"] = agent.tenant;
  object["handset"] = nullptr;
  if (agent.handset) object["handset"] = mask_number(*agent.handset);
  object["hasPassword"] = agent.has_password;
  object["desired"] = agent.desired;
  object["actual"] = or_null(agent.actual);
  object["reason"] = or_null(agent.reason);
  object["since"] = nullptr;
  if (agent.since) object["since"] = *agent.since;
  object["updated"] = agent.updated;
  object["call"] = nullptr;
  if (agent.call) object["call"] = std::to_string(*agent.call);
  std::puts(json::serialize(object).c_str());
}

void tell_line(const Agent& agent) {
  const std::string handset = agent.handset ? mask_number(*agent.handset) : "-";
  const std::string since = agent.since ? format_utc(*agent.since) : "-";
  const std::string call = agent.call ? "  in call " + std::to_string(*agent.call) : "";
  const std::string reason = agent.reason ? "  " + mask_numbers_in(repair_utf8(*agent.reason)) : "";
  std::printf("%-8s  %-15s  %-16s  %-15s  %-7s  %-10s  %s%s%s\n", agent.channel.c_str(),
              mask_numbers_in(agent.agent).c_str(), agent.tenant.c_str(), handset.c_str(),
              agent.desired.c_str(), agent.actual.value_or("-").c_str(), since.c_str(),
              call.c_str(), reason.c_str());
}

asio::awaitable<int> list(Tools tools, Wish wish) {
  std::size_t count = 0;
  wish.filter.limit = page;
  if (!wish.json) {
    std::printf("%-8s  %-15s  %-16s  %-15s  %-7s  %-10s  %s\n", "channel", "agent", "tenant",
                "handset", "desired", "actual", "since");
  }
  for (std::size_t found = page; found == page;) {
    const pg::Statement next = list_agents(wish.tenant, wish.filter, tools.clock.epoch_ms());
    const pg::Rows rows = co_await tools.pool.query(next.sql, next.params);
    const std::vector<Agent> agents = agents_from_rows(rows);
    for (const Agent& agent : agents) wish.json ? tell_json(agent) : tell_line(agent);
    found = agents.size();
    count += found;
    if (agents.empty()) break;
    wish.filter.after_channel = agents.back().channel;
    wish.filter.after_agent = agents.back().agent;
  }
  if (!wish.json) std::printf("%zu agents\n", count);
  co_return exit_right;
}

asio::awaitable<int> retry(Tools tools, const Config& config, Wish wish) {
  AgentRetry which;
  which.failing = !wish.refused;
  which.channel = wish.filter.channel;
  const std::int64_t now_ms = tools.clock.epoch_ms();
  if (!wish.refused) {
    which.channel = wish.operands[0];
    which.agent = stored_agent(config, wish.operands[0], wish.operands[1]);
  }
  const pg::Statement again = retry_agents(which, now_ms);
  const pg::Rows done = co_await tools.pool.query(again.sql, again.params);
  if (wish.refused || done.affected() > 0) {
    std::printf("%zu agents are tried again\n", done.affected());
    co_return exit_right;
  }
  const pg::Statement find = find_agent(std::nullopt, *which.channel, *which.agent, now_ms);
  const pg::Rows rows = co_await tools.pool.query(find.sql, find.params);
  const std::string line = shown_line(*which.channel, *which.agent);
  if (rows.empty()) {
    std::fprintf(stderr, "ccd agent: there is no line %s; `list` shows them\n", line.c_str());
    co_return exit_wrong;
  }
  std::printf("%s is neither refused nor failing: nothing to do\n", line.c_str());
  co_return exit_right;
}

}  // namespace

int agent_command(std::span<char* const> words, std::string config_path, const ReadConfig& read) {
  Wish wish;
  wish.config_path = std::move(config_path);
  const CommandOptions options{
      {{"--tenant", &wish.tenant},
       {"--channel", &wish.filter.channel},
       {"--actual", &wish.filter.actual}},
      {{"--dry-run", &wish.dry}, {"--json", &wish.json}, {"--refused", &wish.refused}}};
  std::string problem = read_words(words, options, wish);
  if (problem.empty() && !wish.help) problem = check_wish(wish);
  if (!problem.empty()) return wrong_usage("agent", problem);
  if (wish.help) {
    std::fputs(help, stdout);
    return exit_right;
  }
  std::optional<Config> config = read(wish.config_path);
  if (!config) return exit_usage;
  std::optional<AgentFile> file;
  if (wish.action == "import") {
    file = read_input<AgentFile>("agent", wish.operands.front(), read_agent_file);
    if (!file) return exit_wrong;
  }
  return run_command_with_tenants(*config, [&](Tools tools) {
    if (wish.action == "import") return import_file(tools, *config, wish, *std::move(file));
    if (wish.action == "list") return list(tools, wish);
    return retry(tools, *config, wish);
  });
}

}  // namespace cc
