// ccd's command line.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <getopt.h>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "agent_command.hpp"
#include "binding_command.hpp"
#include "call_command.hpp"
#include "config.hpp"
#include "daemon.hpp"
#include "fault.hpp"
#include "io/pg.hpp"
#include "key_command.hpp"
#include "letter_command.hpp"
#include "log.hpp"
#include "migrate.hpp"
#include "rebuild_command.hpp"
#include "reconciliation_command.hpp"
#include "recording_command.hpp"
#include "tenant_command.hpp"

namespace {

constexpr const char* help = R"(ccd - CC's daemon: places calls, drains callbacks, keeps the records

usage: ccd --config FILE                 run (SIGTERM stops, SIGHUP reads the configuration again)
       ccd --config FILE --check-config  say what is wrong with FILE, by line and column
       ccd --config FILE --migrate       bring the database's schema up to date
       ccd --config FILE --rebuild RANGE [--write] [--from-raw]
                                         fold records anew from their history and report what differs
       ccd --config FILE dead-letter list|show|replay …
                                         what nobody could read: ccd dead-letter --help
       ccd --config FILE reconciliation days|calls|run …
                                         calls without a channel's final word: ccd reconciliation --help
       ccd --config FILE agent import|list|retry …
                                         the lines of channels: ccd agent --help
       ccd --config FILE binding import|list …
                                         which lines users call on: ccd binding --help
       ccd --config FILE tenant create|set|list|show|disable|enable …
                                         who may ask, for what and how much: ccd tenant --help
       ccd --config FILE key create|rotate|revoke|list …
                                         what applications prove themselves by: ccd key --help
       ccd --config FILE call show|find …
                                         what happened in a call: ccd call --help
       ccd --config FILE recording list|show|retry …
                                         where recordings stand: ccd recording --help

  -c, --config FILE     cc.yaml; default /etc/cc/cc.yaml
      --check-config    exit 0 if the configuration is right, else 2
      --migrate         exit 0 if the schema is up to date afterwards
      --rebuild RANGE   FROM..TO, each a date (2026-03-01, UTC, TO included) or a call's id
      --dry-run         with --rebuild: only report, the default
      --write           with --rebuild: write what was folded
      --from-raw        with --rebuild: understand the deliveries' bytes again first
      --fault-points    list the fault points (test builds only; see CC_FAULT in daemon/fault.hpp)
  -h, --help
  -V, --version

exit codes: 0 all right; 1 could not start or went wrong; 2 wrong usage or configuration;
            3 it worked, and found what must be looked at: differences, calls without a final word
)";

struct Command {
  std::string_view name;
  int (*run)(std::span<char* const> words, std::string config_path, const cc::ReadConfig& read);
};

constexpr std::array commands{
    Command{"agent", cc::agent_command},
    Command{"binding", cc::binding_command},
    Command{"call", cc::call_command},
    Command{"dead-letter", cc::letter_command},
    Command{"key", cc::key_command},
    Command{"reconciliation", cc::reconciliation_command},
    Command{"recording", cc::recording_command},
    Command{"tenant", cc::tenant_command},
};

int run_migrations(const cc::Config& config) {
  boost::asio::io_context loop{1};
  int code = 1;
  // A named closure outlives the coroutine that it makes.
  const auto work = [&]() -> boost::asio::awaitable<void> {
    auto connection = co_await cc::pg::Connection::connect(
        loop.get_executor(), config.postgres.conninfo, cc::pg::Millis{10'000});
    const std::vector<std::string> applied = co_await cc::migrate(*connection);
    for (const std::string& name : applied) std::printf("applied %s\n", name.c_str());
    if (applied.empty()) std::puts("the schema is up to date");
    code = 0;
  };
  boost::asio::co_spawn(loop, work(), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
  loop.run();
  return code;
}

/// Says on stderr what is wrong with the file.
std::optional<cc::Config> read_config_or_say(const std::string& path) {
  cc::Result<cc::Config> config = cc::read_config(path);
  if (config) {
    cc::configure_log(config->log.level, config->log.format);
    return *std::move(config);
  }
  std::fprintf(stderr, "%s\n", config.error().message.c_str());
  return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  enum Option { check_config = 256, migrate, faults, rebuild, dry_run, write, from_raw };
  const option options[] = {{"config", required_argument, nullptr, 'c'},
                            {"check-config", no_argument, nullptr, check_config},
                            {"migrate", no_argument, nullptr, migrate},
                            {"rebuild", required_argument, nullptr, rebuild},
                            {"dry-run", no_argument, nullptr, dry_run},
                            {"write", no_argument, nullptr, write},
                            {"from-raw", no_argument, nullptr, from_raw},
                            {"fault-points", no_argument, nullptr, faults},
                            {"help", no_argument, nullptr, 'h'},
                            {"version", no_argument, nullptr, 'V'},
                            {nullptr, 0, nullptr, 0}};
  std::string path = "/etc/cc/cc.yaml";
  bool only_check = false, only_migrate = false;
  cc::RebuildWish wish;
  bool dry = false, rebuilds = false;
  // "+": a command's own options come after it.
  for (int option = 0; (option = getopt_long(argc, argv, "+c:hV", options, nullptr)) !=
                       -1;) {  // NOLINT(concurrency-mt-unsafe)
    switch (option) {
      case 'c':
        path = optarg;
        break;
      case check_config:
        only_check = true;
        break;
      case migrate:
        only_migrate = true;
        break;
      case rebuild:
        rebuilds = true;
        wish.range = optarg;
        break;
      case dry_run:
        dry = true;
        break;
      case write:
        wish.write = true;
        break;
      case from_raw:
        wish.from_raw = true;
        break;
      case faults:
        for (const std::string_view name : cc::fault_points())
          std::printf("%.*s\n", static_cast<int>(name.size()), name.data());
        return 0;
      case 'h':
        std::fputs(help, stdout);
        return 0;
      case 'V':
        std::puts("ccd " CC_VERSION);
        return 0;
      default:
        std::fputs("ccd: see ccd --help\n", stderr);
        return 2;
    }
  }
  if ((wish.write || wish.from_raw || dry) && !rebuilds) {
    std::fputs("ccd: --write, --dry-run and --from-raw are of --rebuild; see ccd --help\n", stderr);
    return 2;
  }
  if (wish.write && dry) {
    std::fputs("ccd: --write and --dry-run exclude each other\n", stderr);
    return 2;
  }
  try {
    if (optind < argc) {
      const auto* const command =
          std::find_if(commands.begin(), commands.end(),
                       [&](const Command& one) { return one.name == argv[optind]; });
      if (command != commands.end()) {
        const std::span<char* const> words(argv + optind + 1, argv + argc);
        return command->run(words, path, read_config_or_say);
      }
      std::fprintf(stderr, "ccd: unexpected argument \"%s\"; see ccd --help\n", argv[optind]);
      return 2;
    }
    std::optional<cc::Config> config = read_config_or_say(path);
    if (!config) return 2;
    if (only_check) {
      std::printf("%s is right\n", path.c_str());
      return 0;
    }
    if (only_migrate) return run_migrations(*config);
    if (rebuilds) return cc::rebuild_command(*config, wish);
    const int code = cc::run_daemon(*std::move(config), path);
    std::fflush(nullptr);
    std::_Exit(code);  // see run_daemon: its parts are not taken apart
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ccd: %s\n", error.what());
    return 1;
  }
}
