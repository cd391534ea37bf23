#include "reconciliation_command.hpp"

#include <cstdio>

#include "beijing_time.hpp"
#include "call/reconciliation.hpp"
#include "phone.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr const char* help =
    R"(ccd reconciliation - calls without a channel's final word

usage: ccd [--config FILE] reconciliation days [--from DAY] [--to DAY] [--tenant T] [--channel C]
       ccd [--config FILE] reconciliation calls DAY [--tenant T] [--channel C]
       ccd [--config FILE] reconciliation run [DAY]

  days       how each day's calls ended, as counted last; by default the last 31 days
  calls      a day's calls that have no final word, as they stand now
  run        counts a day anew (by default yesterday), and has the channel asked about the calls that
             nobody has asked for. ccd does the same by itself each day, for all days that may change
  DAY        2026-03-01, in UTC+8, the channels' time; a call is of the day when it was created

  final      the channel has said how the call ended
  refused    the channel refused it, or it was never sent
  open       not over yet
  asking     closed by CC's own clock; the channel is being asked
  given-up   closed by CC's own clock; the channel was asked and will not say
  unnamed    closed by CC's own clock; the channel never gave the call an id to ask for
  unasked    closed by CC's own clock; nobody asked while the channel still knew it
  purged     closed by CC's own clock or refused; too old to tell (only in calls)

  A day whose calls or attempts are not kept any more (retention:) is not counted again; its last count stays.

  -c, --config FILE  cc.yaml; default /etc/cc/cc.yaml
  -h, --help

exit codes: 0 every call has its final word, or may still get it; 1 went wrong; 2 wrong usage or
            configuration; 3 there are calls that will not get it: given-up, unnamed or unasked
)";

constexpr int page = 500;
constexpr int default_days = 31;

struct Wish : CommandLine {
  std::optional<Day> day, from, to;
  OptText from_text, to_text;
  DayFilter filter;
};

/// Understands a day. Returns what is wrong with it; empty if nothing is.
std::string read_day(const std::string& option, const std::string& text, std::optional<Day>& day) {
  day = Day::parse(text);
  return day ? "" : option + "\"" + text + "\" is no day like 2026-03-01";
}

std::string read_days(Wish& wish) {
  std::string problem;
  if (wish.from_text) problem = read_day("--from ", *wish.from_text, wish.from);
  if (problem.empty() && wish.to_text) problem = read_day("--to ", *wish.to_text, wish.to);
  if (problem.empty() && !wish.operands.empty()) {
    problem = read_day("", wish.operands.front(), wish.day);
  }
  if (problem.empty() && wish.operands.size() > 1) {
    problem = "unexpected \"" + wish.operands[1] + "\"";
  }
  return problem;
}

/// Understands the words and looks at them together. Returns what is wrong; empty if nothing is.
std::string check_wish(Wish& wish) {
  if (const std::string problem = read_days(wish); !problem.empty()) return problem;
  const bool filtered = wish.filter.tenant || wish.filter.channel;
  if (wish.action.empty()) return "say what to do: days, calls or run";
  if (wish.action == "days") {
    if (wish.day) return "days takes --from and --to";
  } else if (wish.action == "calls") {
    if (!wish.day) return "calls needs a day";
  } else if (wish.action == "run") {
    if (filtered) return "run counts all tenants and channels";
  } else {
    return "unknown action \"" + wish.action + "\"";
  }
  if (wish.action != "days" && (wish.from || wish.to)) return "--from and --to are of days";
  if (wish.from && wish.to && *wish.from > *wish.to) return "--from is after --to";
  return {};
}

/// Whether all of them have their final word, or may still get it.
bool tell(const std::vector<ReconciledDay>& days) {
  bool settled = true;
  if (days.empty()) std::puts("no calls were counted");
  if (!days.empty()) {
    std::puts(
        "day         tenant            channel     calls     final   refused      open    asking  "
        "given-up   unnamed   unasked");
  }
  for (const ReconciledDay& day : days) {
    std::printf("%-10s  %-16s  %-8s %8lld  %8lld  %8lld  %8lld  %8lld  %8lld  %8lld  %8lld\n",
                day.day.c_str(), day.tenant.c_str(),
                day.channel.empty() ? "-" : day.channel.c_str(), static_cast<long long>(day.calls),
                static_cast<long long>(day.final), static_cast<long long>(day.refused),
                static_cast<long long>(day.open), static_cast<long long>(day.asking),
                static_cast<long long>(day.given_up), static_cast<long long>(day.unnamed),
                static_cast<long long>(day.unasked));
    settled = settled && day.lost() == 0;
  }
  return settled;
}

asio::awaitable<int> days(Tools tools, Wish wish) {
  const Day last = wish.to.value_or(Day::of(tools.clock.epoch_ms()));
  const Day first = wish.from.value_or(last.plus(1 - default_days));
  const std::vector<ReconciledDay> list = co_await list_days(tools.pool, first, last, wish.filter);
  co_return tell(list) ? exit_right : exit_differs;
}

void tell(const OwedCall& call) {
  std::printf("%lld  %s  %-16s  %-8s  %-8s  %-32s  asked %lldx%s%s\n",
              static_cast<long long>(call.id), format_utc(call.created_ms).c_str(),
              call.tenant.c_str(), call.channel.empty() ? "-" : call.channel.c_str(),
              call.standing == "given_up" ? "given-up" : call.standing.c_str(),
              call.channel_call_id.value_or("-").c_str(), static_cast<long long>(call.queries),
              call.problem ? ": " : "",
              call.problem ? mask_numbers_in(repair_utf8(*call.problem)).c_str() : "");
}

asio::awaitable<int> calls(Tools tools, Wish wish) {
  std::size_t count = 0;
  bool settled = true;
  std::int64_t above = 0;
  for (std::size_t found = page; found == page;) {
    const std::vector<OwedCall> list =
        co_await list_owed(tools.pool, *wish.day, wish.filter, above, page);
    found = list.size();
    for (const OwedCall& call : list) {
      tell(call);
      above = call.id;
      settled = settled && (call.standing == "open" || call.standing == "asking");
    }
    count += found;
  }
  std::printf("%zu calls of %s have no final word\n", count, wish.day->text().c_str());
  co_return settled ? exit_right : exit_differs;
}

asio::awaitable<int> count(Tools tools, Wish wish, Millis give_up) {
  const std::int64_t now_ms = tools.clock.epoch_ms();
  const Day day = wish.day.value_or(Day::of(now_ms).plus(-1));
  const Reconciled result = co_await reconcile(tools.pool, day, day, give_up, now_ms);
  for (const std::string& problem : result.problems) {
    std::fprintf(stderr, "ccd reconciliation: %s\n", problem.c_str());
  }
  if (!result.problems.empty()) co_return exit_wrong;
  std::printf("%zu calls more are asked for\n", result.asked);
  co_return tell(result.days) ? exit_right : exit_differs;
}

}  // namespace

int reconciliation_command(std::span<char* const> words, std::string config_path,
                           const ReadConfig& read) {
  Wish wish;
  wish.config_path = std::move(config_path);
  const CommandOptions options{{{"--from", &wish.from_text},
                                {"--to", &wish.to_text},
                                {"--tenant", &wish.filter.tenant},
                                {"--channel", &wish.filter.channel}},
                               {}};
  std::string problem = read_words(words, options, wish);
  if (problem.empty() && !wish.help) problem = check_wish(wish);
  if (!problem.empty()) return wrong_usage("reconciliation", problem);
  if (wish.help) {
    std::fputs(help, stdout);
    return exit_right;
  }
  const std::optional<Config> config = read(wish.config_path);
  if (!config) return exit_usage;
  const Millis give_up = config->reaper.give_up;
  return run_command(*config, [&wish, give_up](Tools tools) {
    if (wish.action == "days") return days(tools, wish);
    if (wish.action == "calls") return calls(tools, wish);
    return count(tools, wish, give_up);
  });
}

}  // namespace cc
