#include "recording_command.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string_view>
#include <vector>

#include "beijing_time.hpp"
#include "recording/patience.hpp"
#include "recording/recording_list.hpp"
#include "text.hpp"
#include "utc_time.hpp"

namespace cc {
namespace {

constexpr const char* help =
    R"(ccd recording - where calls' recordings stand, and another try at them

usage: ccd [--config FILE] recording list [--state S] [--tenant T] [--overdue] [--limit N]
       ccd [--config FILE] recording show CALL
       ccd [--config FILE] recording retry CALL…
       ccd [--config FILE] recording retry --absent-since TIME [--channel C]

  list           a line each: call, file (audio, or an ivr's), tenant, channel, state, how long ago the
                 call ended, tries and the last problem. Expected ones as they are due, others newest first
      --state S      expected, stored, absent, deleted or orphaned (to be removed)
      --overdue      expected ones that the channel should have had for more than an hour
  show           all that is known of one call's files
  retry          absent and expected ones are fetched as soon as may be, as if never tried. A call's record
                 says absent until the file is stored. It is told in the audit log.
      --absent-since TIME  all absent ones of calls that ended since 2026-11-22, or 2026-11-22T09:50:18Z
      --channel C          only of this channel
      --tenant T     only of this tenant
      --limit N      at most N of a list; default 50
  -c, --config FILE  cc.yaml; default /etc/cc/cc.yaml
  -h, --help

exit codes: 0 all right; 1 went wrong, or there is no such recording; 2 wrong usage or configuration
)";

constexpr std::array<std::string_view, 5> states{"expected", "stored", "absent", "deleted",
                                                 "orphaned"};

struct Wish : CommandLine {
  OptText limit, since;
  RecordingFilter filter;
  RetryWish retry;
};

std::string check_list(Wish& wish) {
  if (!wish.operands.empty()) return "list takes options only";
  if (wish.filter.state &&
      std::find(states.begin(), states.end(), *wish.filter.state) == states.end()) {
    return "--state must be expected, stored, absent, deleted or orphaned";
  }
  if (wish.filter.overdue && wish.filter.state.value_or("expected") != "expected") {
    return "--overdue is of expected ones";
  }
  if (!wish.limit) return {};
  const auto limit = parse_integer(*wish.limit);
  if (!limit || *limit < 1 || *limit > 100'000) return "--limit must be 1 to 100000";
  wish.filter.limit = static_cast<int>(*limit);
  return {};
}

std::string check_calls(Wish& wish) {
  for (const std::string& word : wish.operands) {
    const auto call = parse_integer(word);
    if (!call || *call <= 0) return "\"" + word + "\" is no call's id";
    wish.retry.calls.push_back(*call);
  }
  return {};
}

std::string check_retry(Wish& wish) {
  if (wish.since && !wish.retry.calls.empty()) return "give calls or --absent-since, not both";
  if (!wish.since && wish.retry.calls.empty()) return "retry needs calls, or --absent-since TIME";
  if (wish.retry.channel && !wish.since) return "--channel goes with --absent-since";
  if (!wish.since) return {};
  const auto day = parse_utc_date(*wish.since);
  const auto time = day ? day : parse_rfc3339(*wish.since);
  if (!time) return "--absent-since must be like 2026-11-22 or 2026-11-22T09:50:18Z";
  wish.retry.since_ms = *time;
  return {};
}

/// Understands the words and looks at them together. Returns what is wrong; empty if nothing is.
std::string check_wish(Wish& wish) {
  const bool list = wish.action == "list", retry = wish.action == "retry";
  const bool filtered =
      wish.filter.state || wish.filter.tenant || wish.filter.overdue || wish.limit;
  if (!list && filtered) return "--state, --tenant, --overdue and --limit are of list";
  if (!retry && (wish.since || wish.retry.channel)) {
    return "--absent-since and --channel are of retry";
  }
  if (list) return check_list(wish);
  if (!retry && wish.action != "show") {
    return wish.action.empty() ? "say what to do: list, show or retry"
                               : "unknown action \"" + wish.action + "\"";
  }
  if (std::string problem = check_calls(wish); !problem.empty()) return problem;
  if (retry) return check_retry(wish);
  return wish.retry.calls.size() == 1 ? "" : "show needs one call's id";
}

/// For a terminal: control bytes can't do anything to it.
std::string printable(std::string_view text) {
  std::string plain = tellable_problem(text);
  for (char& c : plain) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = '.';
  }
  return plain;
}

std::string age_text(std::int64_t ms) {
  const std::int64_t minutes = std::max<std::int64_t>(0, ms) / 60'000;
  if (minutes < 120) return std::to_string(minutes) + " min";
  if (minutes < 48 * 60) return std::to_string(minutes / 60) + " h";
  return std::to_string(minutes / (24 * 60)) + " d";
}

asio::awaitable<int> list(Tools tools, Wish wish) {
  const std::int64_t now_ms = tools.clock.epoch_ms();
  auto listing = list_recordings(tools.pool, tools.channels, wish.filter, now_ms);
  const std::vector<ListedRecording> found = co_await std::move(listing);
  for (const ListedRecording& one : found) {
    std::printf("%lld  %-5s  %-12s  %-8s  %-8s  %7s  %lldx  %s\n", static_cast<long long>(one.call),
                one.file.c_str(), one.tenant.c_str(), one.channel.c_str(), one.state.c_str(),
                age_text(now_ms - one.closed_ms).c_str(), static_cast<long long>(one.tries),
                printable(one.problem.value_or("")).c_str());
  }
  if (found.empty()) std::puts("no recordings");
  co_return exit_right;
}

std::string time_or_dash(OptMs ms) {
  return ms ? format_utc(*ms) : "-";
}

void tell(const ListedRecording& one) {
  const auto line = [](const char* name, const std::string& value) {
    std::printf("%-12s %s\n", name, value.c_str());
  };
  line("call", std::to_string(one.call));
  line("file", one.file);
  line("tenant", one.tenant);
  line("channel", one.channel);
  line("state", one.state);
  line("call ended", format_utc(one.closed_ms));
  line("due", time_or_dash(one.due_ms));
  line("tries", std::to_string(one.tries));
  line("problem", one.problem ? printable(*one.problem) : "-");
  line("worked on by", one.owner.value_or("-"));
  line("object", one.object.value_or("-"));
  line("type", one.content_type.value_or("-"));
  line("bytes", one.size ? std::to_string(*one.size) : "-");
  line("CRC-64", one.crc64.value_or("-"));
  line("stored", time_or_dash(one.stored_ms));
}

asio::awaitable<int> show(Tools tools, Wish wish) {
  const std::int64_t call = wish.retry.calls.front();
  auto reading = recordings_of(tools.pool, call);
  const std::vector<ListedRecording> found = co_await std::move(reading);
  for (const ListedRecording& one : found) {
    if (&one != &found.front()) std::puts("");
    tell(one);
  }
  if (!found.empty()) co_return exit_right;
  std::fprintf(stderr, "ccd recording: no channel has named a file of call %lld\n",
               static_cast<long long>(call));
  co_return exit_wrong;
}

asio::awaitable<int> retry(Tools tools, Wish wish) {
  const bool named = !wish.retry.calls.empty();
  auto retrying = retry_recordings(tools.pool, wish.retry, command_user(), tools.clock.epoch_ms());
  const std::size_t count = co_await std::move(retrying);
  if (named && count == 0) {
    std::fputs("ccd recording: none of these is absent or expected; see ccd recording show\n",
               stderr);
    co_return exit_wrong;
  }
  std::printf("%zu will be fetched as soon as may be\n", count);
  co_return exit_right;
}

}  // namespace

int recording_command(std::span<char* const> words, std::string config_path,
                      const ReadConfig& read) {
  Wish wish;
  wish.config_path = std::move(config_path);
  const CommandOptions options{{{"--state", &wish.filter.state},
                                {"--tenant", &wish.filter.tenant},
                                {"--limit", &wish.limit},
                                {"--absent-since", &wish.since},
                                {"--channel", &wish.retry.channel}},
                               {{"--overdue", &wish.filter.overdue}}};
  std::string problem = read_words(words, options, wish);
  if (problem.empty() && !wish.help) problem = check_wish(wish);
  if (!problem.empty()) return wrong_usage("recording", problem);
  if (wish.help) {
    std::fputs(help, stdout);
    return exit_right;
  }
  const std::optional<Config> config = read(wish.config_path);
  if (!config) return exit_usage;
  return run_command(*config, [&wish](Tools tools) {
    if (wish.action == "list") return list(tools, wish);
    if (wish.action == "show") return show(tools, wish);
    return retry(tools, wish);
  });
}

}  // namespace cc
