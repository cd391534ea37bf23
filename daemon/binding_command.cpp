#include "binding_command.hpp"

#include <cstdio>
#include <optional>
#include <vector>

#include <boost/json.hpp>

#include "agent/agent_check.hpp"
#include "beijing_time.hpp"
#include "binding/binding_import.hpp"
#include "binding/binding_service.hpp"
#include "import_command.hpp"
#include "phone.hpp"

namespace cc {
namespace {

namespace json = boost::json;

constexpr const char* help = R"(ccd binding - which lines users call on: imported, listed

usage: ccd [--config FILE] binding import CSV|- --tenant T [--dry-run]
       ccd [--config FILE] binding list [--tenant T] [--channel C] [--agent A] [--prefix P] [--json]

  import         makes and changes the bindings of the users that the file names; others are left
                 alone. Nothing is changed if anything in the file is wrong. A file can be imported
                 again: what is as it should be is not touched
      CSV        a file, or - for standard input. The first line names the columns, in any order:
                   user      as applications name it in their calls, 1 to 64 characters
                   lines     1 to 8, in order: hw/291 e9/13912345678, separated by blanks or ;
                             a seat must be known already: ccd agent import
                   phone     that rings when a line calls that is no phone; empty or no such
                             column: the line's own handset
                   fallback  auto (another line will do where none of these can) or never; empty or
                             no such column: auto
      --tenant T whose users they are
      --dry-run  only says what is wrong, or what it would come to
  list           users and their lines, numbers masked; of all tenants, or of one
      --channel C, --agent A  only those with such a line
      --prefix P only users that begin so
      --json     an object a line
  -c, --config FILE     cc.yaml; default /etc/cc/cc.yaml
  -h, --help

exit codes: 0 all right; 1 went wrong, or something in the file is wrong; 2 wrong usage or
            configuration
)";

constexpr int page = 500;

struct Wish : CommandLine {
  OptText tenant;
  BindingFilter filter;
  bool dry = false, json = false;
};

/// What is wrong with the words taken together; empty if nothing is.
std::string check_wish(const Wish& wish) {
  if (wish.action == "import") {
    if (wish.operands.size() != 1) return "import needs a file, or - for standard input";
    if (!wish.tenant) return "import needs --tenant: whose users they are";
    if (wish.filter.channel || wish.filter.agent || wish.filter.prefix || wish.json) {
      return "import takes --tenant and --dry-run only";
    }
    return {};
  }
  if (wish.dry) return "--dry-run is of import";
  if (wish.action == "list") {
    return wish.operands.empty() ? "" : "list takes options only";
  }
  return wish.action.empty() ? "say what to do: import or list"
                             : "unknown action \"" + wish.action + "\"";
}

/// What is wrong with the words, seen with the configuration; empty if nothing is.
std::string check_tenant(const Wish& wish, const Config& config) {
  if (!wish.tenant || config.tenants.contains(*wish.tenant)) return {};
  return "tenant \"" + *wish.tenant +
         "\" is not configured: use one of those that `ccd tenant list` shows";
}

asio::awaitable<int> end_with(int code) {
  co_return code;
}

asio::awaitable<int> import_file(Tools tools, const Config& config, Wish wish, BindingFile file) {
  const std::size_t count = file.rows.size();
  auto importing = import_bindings(tools.pool, config, *wish.tenant, std::move(file),
                                   tools.clock.epoch_ms(), wish.dry, progress_line(count));
  const ImportResult result = co_await std::move(importing);
  co_return tell_import(result, wish.operands.front(), "bindings", count, wish.dry);
}

/// A user's name may be a number, however written.
std::string shown_user(const std::string& user) {
  return mask_numbers_in(canonical_number(user).value_or(user));
}

void tell_json(const Binding& binding) {
  json::object object;
  object["tenant"] = binding.tenant;
  object["user"] = shown_user(binding.user);
  json::array& lines = object["lines"].emplace_array();
  for (const Binding::Line& line : binding.lines) {
    lines.push_back(
        json::object{{"channel", line.channel}, {"agent", mask_numbers_in(line.agent)}});
  }
  object["phone"] = nullptr;
  if (binding.phone) object["phone"] = mask_number(*binding.phone);
  object["fallback"] = binding.fallback ? "auto" : "never";
  object["updated"] = binding.updated;
  std::puts(json::serialize(object).c_str());
}

void tell_line(const Binding& binding) {
  std::string lines;
  for (const Binding::Line& line : binding.lines) {
    lines.append(lines.empty() ? "" : " ").append(shown_line(line.channel, line.agent));
  }
  const std::string phone = binding.phone ? mask_number(*binding.phone) : "-";
  std::printf("%-16s  %-24s  %-15s  %-8s  %-20s  %s\n", binding.tenant.c_str(),
              shown_user(binding.user).c_str(), phone.c_str(), binding.fallback ? "auto" : "never",
              format_utc(binding.updated).c_str(), lines.c_str());
}

/// How many there are of one tenant's.
asio::awaitable<std::size_t> list_tenant(Tools tools, const Config& config, std::string tenant,
                                         const Wish& wish) {
  BindingService bindings(config, tools.pool, tools.clock);
  BindingFilter filter = wish.filter;
  filter.limit = page;
  std::size_t count = 0;
  for (std::size_t found = page; found == page;) {
    auto listing = bindings.list(tenant, filter);
    const std::vector<Binding> some = co_await std::move(listing);
    for (const Binding& binding : some) wish.json ? tell_json(binding) : tell_line(binding);
    found = some.size();
    count += found;
    if (!some.empty()) filter.after_user = some.back().user;
  }
  co_return count;
}

asio::awaitable<int> list(Tools tools, const Config& config, Wish wish) {
  std::size_t count = 0;
  if (!wish.json) {
    std::printf("%-16s  %-24s  %-15s  %-8s  %-20s  %s\n", "tenant", "user", "phone", "fallback",
                "updated", "lines");
  }
  for (const auto& [name, tenant] : config.tenants) {
    if (wish.tenant && name != *wish.tenant) continue;
    auto listing = list_tenant(tools, config, name, wish);
    count += co_await std::move(listing);
  }
  if (!wish.json) std::printf("%zu bindings\n", count);
  co_return exit_right;
}

}  // namespace

int binding_command(std::span<char* const> words, std::string config_path, const ReadConfig& read) {
  Wish wish;
  wish.config_path = std::move(config_path);
  const CommandOptions options{{{"--tenant", &wish.tenant},
                                {"--channel", &wish.filter.channel},
                                {"--agent", &wish.filter.agent},
                                {"--prefix", &wish.filter.prefix}},
                               {{"--dry-run", &wish.dry}, {"--json", &wish.json}}};
  std::string problem = read_words(words, options, wish);
  if (problem.empty() && !wish.help) problem = check_wish(wish);
  if (!problem.empty()) return wrong_usage("binding", problem);
  if (wish.help) {
    std::fputs(help, stdout);
    return exit_right;
  }
  std::optional<Config> config = read(wish.config_path);
  if (!config) return exit_usage;
  return run_command_with_tenants(*config, [&](Tools tools) {
    const std::string unknown = check_tenant(wish, *config);
    if (!unknown.empty()) return end_with(wrong_usage("binding", unknown));
    if (wish.action == "list") return list(tools, *config, wish);
    const std::string& tenant = *wish.tenant;
    auto file = read_input<BindingFile>("binding", wish.operands.front(), [&](std::istream& in) {
      return read_binding_file(in, tenant);
    });
    if (!file) return end_with(exit_wrong);
    return import_file(tools, *config, wish, *std::move(file));
  });
}

}  // namespace cc
