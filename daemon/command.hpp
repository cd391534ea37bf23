// What ccd's commands share: their words, and what they work with beside a running daemon, a loop
// and connections of their own.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "channel/channels.hpp"
#include "config.hpp"
#include "io/clock.hpp"
#include "io/pg.hpp"
#include "record.hpp"

namespace cc {

/// Exit codes of all commands.
enum ExitCode : int {
  exit_right = 0,
  exit_wrong = 1,    // something went wrong, or is not there
  exit_usage = 2,    // wrong usage or configuration
  exit_differs = 3,  // it worked, and found what must be looked at
};

/// Reads a configuration file, or says on stderr what is wrong with it.
using ReadConfig = std::function<std::optional<Config>(const std::string&)>;

/// A command's own options, and where they go.
struct CommandOptions {
  std::vector<std::pair<std::string_view, OptText*>> values;  // "--tenant" T
  std::vector<std::pair<std::string_view, bool*>> flags;      // "--json"
};

struct CommandLine {
  std::string action;                 // the first word that is no option
  std::vector<std::string> operands;  // the others
  std::string config_path;            // -c, --config
  bool help = false;                  // -h, --help
};

/// Takes the words behind a command's name apart. "-" alone is an operand. Returns what is wrong;
/// empty if nothing is.
std::string read_words(std::span<char* const> words, const CommandOptions& options,
                       CommandLine& line);

/// Says "ccd agent: <what>; see ccd agent --help" on stderr. Returns exit_usage.
int wrong_usage(std::string_view command, const std::string& what);

struct Tools {
  pg::Pool& pool;
  Channels& channels;  // as configured; nothing is sent through them
  Clock& clock;
};

/// Checks the schema, runs `work` to its end and returns what it returns. What it throws is told on
/// stderr: exit_wrong.
int run_command(const Config& config, const std::function<asio::awaitable<int>(Tools)>& work);

/// The same; tenants and keys that commands have made are in `config` when `work` begins.
int run_command_with_tenants(Config& config,
                             const std::function<asio::awaitable<int>(Tools)>& work);

/// Who runs this command, for the audit log: "command:<login name>".
std::string command_user();

}  // namespace cc
