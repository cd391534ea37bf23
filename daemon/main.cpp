// ccd's command line.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <getopt.h>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "config.hpp"
#include "daemon.hpp"
#include "fault.hpp"
#include "io/pg.hpp"
#include "log.hpp"
#include "migrate.hpp"

namespace {

constexpr const char* help = R"(ccd - CC's daemon: places calls, drains callbacks, keeps the records

usage: ccd --config FILE                 run (SIGTERM stops, SIGHUP reads the configuration again)
       ccd --config FILE --check-config  say what is wrong with FILE, by line and column
       ccd --config FILE --migrate       bring the database's schema up to date

  -c, --config FILE     cc.yaml; default /etc/cc/cc.yaml
      --check-config    exit 0 if the configuration is right, else 2
      --migrate         exit 0 if the schema is up to date afterwards
      --fault-points    list the fault points (test builds only; see CC_FAULT in daemon/fault.hpp)
  -h, --help
  -V, --version

exit codes: 0 all right; 1 could not start or went wrong; 2 wrong usage or configuration
)";

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

}  // namespace

int main(int argc, char** argv) {
  enum Option { check_config = 256, migrate, faults };
  const option options[] = {{"config", required_argument, nullptr, 'c'},
                            {"check-config", no_argument, nullptr, check_config},
                            {"migrate", no_argument, nullptr, migrate},
                            {"fault-points", no_argument, nullptr, faults},
                            {"help", no_argument, nullptr, 'h'},
                            {"version", no_argument, nullptr, 'V'},
                            {nullptr, 0, nullptr, 0}};
  std::string path = "/etc/cc/cc.yaml";
  bool only_check = false, only_migrate = false;
  for (int option = 0; (option = getopt_long(argc, argv, "c:hV", options, nullptr)) !=
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
  if (optind < argc) {
    std::fprintf(stderr, "ccd: unexpected argument \"%s\"; see ccd --help\n", argv[optind]);
    return 2;
  }
  try {
    cc::Result<cc::Config> config = cc::read_config(path);
    if (!config) {
      std::fprintf(stderr, "%s\n", config.error().message.c_str());
      return 2;
    }
    if (only_check) {
      std::printf("%s is right\n", path.c_str());
      return 0;
    }
    cc::configure_log(config->log.level, config->log.format);
    if (only_migrate) return run_migrations(*config);
    const int code = cc::run_daemon(*std::move(config), path);
    std::fflush(nullptr);
    std::_Exit(code);  // see run_daemon: its parts are not taken apart
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ccd: %s\n", error.what());
    return 1;
  }
}
