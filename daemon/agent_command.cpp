#include "agent_command.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <boost/json.hpp>

#include "agent/agent_import.hpp"
#include "agent/agent_store.hpp"
#include "beijing_time.hpp"
#include "command.hpp"
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

constexpr std::size_t shown_complaints = 50;
constexpr int page = 500;

struct Wish {
  std::string action;
  std::vector<std::string> operands;
  OptText tenant;
  AgentFilter filter;
  bool dry = false, json = false, refused = false, help = false;
  std::string config_path;
};

int wrong(const std::string& what) {
  std::fprintf(stderr, "ccd agent: %s; see ccd agent --help\n", what.c_str());
  return exit_usage;
}

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

/// Reads the words into `wish`. Returns what is wrong; empty if nothing is.
std::string read_words(std::span<char* const> words, Wish& wish) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string word = words[i];
    std::string value;
    const bool wants = word == "--tenant" || word == "--channel" || word == "--actual" ||
                       word == "--config" || word == "-c";
    if (wants) {
      if (i + 1 == words.size()) return word + " needs a value";
      value = words[++i];
    }
    if (word == "-h" || word == "--help") {
      wish.help = true;
    } else if (word == "--tenant") {
      wish.tenant = value;
    } else if (word == "--channel") {
      wish.filter.channel = value;
    } else if (word == "--actual") {
      wish.filter.actual = value;
    } else if (wants) {
      wish.config_path = value;
    } else if (word == "--dry-run") {
      wish.dry = true;
    } else if (word == "--json") {
      wish.json = true;
    } else if (word == "--refused") {
      wish.refused = true;
    } else if (word.starts_with("-") && word != "-") {
      return "unknown option \"" + word + "\"";
    } else if (wish.action.empty()) {
      wish.action = word;
    } else {
      wish.operands.push_back(word);
    }
  }
  return wish.help ? std::string() : check_wish(wish);
}

std::optional<AgentFile> read_file(const std::string& path) {
  if (path == "-") return read_agent_file(std::cin);
  std::ifstream in(path, std::ios::binary);
  in.peek();  // a folder can be opened and not read
  if (in.is_open() && !in.bad()) return read_agent_file(in);
  std::fprintf(stderr, "ccd agent: can't read %s\n", path.c_str());
  return std::nullopt;
}

void tell(const std::string& path, const std::vector<AgentComplaint>& complaints) {
  for (std::size_t i = 0; i < std::min(complaints.size(), shown_complaints); ++i) {
    const AgentComplaint& one = complaints[i];
    const std::string column = one.column.empty() ? "" : one.column + ": ";
    std::fprintf(stderr, "%s:%zu: %s%s\n", path.c_str(), one.line, column.c_str(),
                 mask_numbers_in(repair_utf8(one.text)).c_str());
  }
  if (complaints.size() > shown_complaints) {
    std::fprintf(stderr, "and %zu more\n", complaints.size() - shown_complaints);
  }
}

asio::awaitable<int> import_file(Tools tools, const Config& config, Wish wish, AgentFile file) {
  const Vault vault(config.agents.key, config.agents.previous_keys);
  const std::size_t count = file.rows.size();
  std::function<void(std::size_t)> progress;
  if (::isatty(STDERR_FILENO) == 1) {
    progress = [count](std::size_t done) {
      std::fprintf(stderr, "\r%zu of %zu%s", done, count, done == count ? "\n" : "");
    };
  }
  const AgentImport result =
      co_await import_agents(tools.pool, config, vault, std::move(file), tools.clock.epoch_ms(),
                             wish.dry, std::move(progress));
  const std::size_t done = result.created + result.changed + result.same;
  if (!result.complaints.empty()) {
    tell(wish.operands.front(), result.complaints);
    if (wish.dry || done == 0) {
      std::fputs("nothing was imported\n", stderr);
    } else {
      std::fprintf(stderr, "stopped after %zu of %zu agents; import the file again\n", done, count);
    }
    co_return exit_wrong;
  }
  std::printf("%s %zu agents: %zu new, %zu changed, %zu as they were\n",
              wish.dry ? "would import" : "imported", done, result.created, result.changed,
              result.same);
  co_return exit_right;
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

int agent_command(std::span<char* const> words, std::string config_path,
                  const std::function<std::optional<Config>(const std::string&)>& read) {
  Wish wish;
  wish.config_path = std::move(config_path);
  if (const std::string problem = read_words(words, wish); !problem.empty()) return wrong(problem);
  if (wish.help) {
    std::fputs(help, stdout);
    return exit_right;
  }
  const std::optional<Config> config = read(wish.config_path);
  if (!config) return exit_usage;
  std::optional<AgentFile> file;
  if (wish.action == "import") {
    file = read_file(wish.operands.front());
    if (!file) return exit_wrong;
  }
  return run_command(*config, [&](Tools tools) {
    if (wish.action == "import") return import_file(tools, *config, wish, *std::move(file));
    if (wish.action == "list") return list(tools, wish);
    return retry(tools, *config, wish);
  });
}

}  // namespace cc
