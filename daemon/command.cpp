#include "command.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <pwd.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "access/directory.hpp"
#include "io/http_client.hpp"
#include "migrate.hpp"
#include "phone.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr std::size_t connections = 2;

template <class Target>
Target* find_option(const std::vector<std::pair<std::string_view, Target*>>& options,
                    const std::string& word) {
  const auto found = std::find_if(options.begin(), options.end(),
                                  [&](const auto& option) { return option.first == word; });
  return found == options.end() ? nullptr : found->second;
}

}  // namespace

std::string read_words(std::span<char* const> words, const CommandOptions& options,
                       CommandLine& line) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string word = words[i];
    const bool config = word == "--config" || word == "-c";
    OptText* const value = find_option(options.values, word);
    if (config || value != nullptr) {
      if (i + 1 == words.size()) return word + " needs a value";
      const std::string given = words[++i];
      if (config) {
        line.config_path = given;
      } else {
        *value = given;
      }
    } else if (bool* const flag = find_option(options.flags, word)) {
      *flag = true;
    } else if (word == "-h" || word == "--help") {
      line.help = true;
    } else if (word.starts_with("-") && word != "-") {
      return "unknown option \"" + word + "\"";
    } else if (line.action.empty()) {
      line.action = word;
    } else {
      line.operands.push_back(word);
    }
  }
  return {};
}

int wrong_usage(std::string_view command, const std::string& what) {
  const std::string name(command);
  std::fprintf(stderr, "ccd %s: %s; see ccd %s --help\n", name.c_str(), what.c_str(), name.c_str());
  return exit_usage;
}

int run_command(const Config& config, const std::function<asio::awaitable<int>(Tools)>& work) {
  asio::io_context loop{1};
  SystemClock clock;
  HttpClient http(loop.get_executor());
  Channels channels(http, clock);
  channels.configure(config.channels);
  pg::Pool pool(loop.get_executor(), config.postgres.conninfo, connections);
  int code = exit_wrong;
  // A named closure outlives the coroutine that it makes.
  const auto all = [&]() -> asio::awaitable<void> {
    const Result<int> schema = co_await check_schema(pool);
    if (!schema) throw std::runtime_error(schema.error().message);
    code = co_await work(Tools{pool, channels, clock});
  };
  asio::co_spawn(loop, all(), [&](const std::exception_ptr& error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const std::exception& failure) {
      std::fprintf(stderr, "ccd: %s\n", mask_numbers_in(failure.what()).c_str());
    }
    loop.stop();
  });
  loop.run();
  std::fflush(stdout);
  return code;
}

int run_command_with_tenants(Config& config,
                             const std::function<asio::awaitable<int>(Tools)>& work) {
  const auto all = [&](Tools tools) -> asio::awaitable<int> {
    Directory directory(tools.pool);
    co_await directory.look();
    config.tenants = directory.tenants(config.tenants);
    co_return co_await work(tools);
  };
  return run_command(config, all);
}

std::string command_user() {
  const uid_t user = ::getuid();
  // Who became root by sudo is meant by name; anybody else could write anything there.
  const char* const before =
      user == 0 ? std::getenv("SUDO_USER") : nullptr;  // NOLINT(concurrency-mt-unsafe)
  std::string name = before != nullptr ? before : "";
  if (name.empty()) {
    std::array<char, 4096> buffer{};
    passwd entry{}, *found = nullptr;
    if (::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
      name = found->pw_name;
    }
  }
  if (name.empty()) name = "uid " + std::to_string(user);
  bool cut = false;
  return "command:" + cut_to_width(repair_utf8(name), 64, cut);
}

}  // namespace cc
