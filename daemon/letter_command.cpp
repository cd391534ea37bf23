#include "letter_command.hpp"

#include <cstdio>
#include <ctime>
#include <optional>
#include <string_view>
#include <vector>

#include "dispatch/letter_replay.hpp"
#include "dispatch/letter_store.hpp"
#include "envelope.hpp"
#include "phone.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr const char* help = R"(ccd dead-letter - what nobody could read, and its second chance

usage: ccd [--config FILE] dead-letter list [--all] [--channel C] [--reason PREFIX] [--limit N]
       ccd [--config FILE] dead-letter show ID [--numbers | --raw]
       ccd [--config FILE] dead-letter replay ID
       ccd [--config FILE] dead-letter replay --all [--channel C] [--reason PREFIX]

  list           newest first: those that wait for a replay; with --all the replayed ones too
  show           reason, times and how it begins, numbers masked
      --numbers  with numbers whole
      --raw      nothing but the letter's bytes as they came, to standard output
  replay         the letter is understood again with today's configuration and code, and its events go
                 to their calls. A letter replayed twice has no second effect.
  -c, --config FILE     cc.yaml; default /etc/cc/cc.yaml
      --channel C       only of this channel
      --reason PREFIX   only with a reason that begins so
      --limit N         at most N of a list; default 50
  -h, --help

exit codes: 0 all right; 1 went wrong, or there is no such letter; 2 wrong usage or configuration;
            3 a letter is still unreadable: the new reason is told, and it stays
)";

constexpr std::int64_t shown_bytes = 2048;  // of a letter's body
constexpr int page = 100;

struct Wish : CommandLine {
  std::optional<std::int64_t> id;
  OptText limit;
  LetterFilter filter;
  bool all = false, numbers = false, raw = false;
};

/// Understands the words and looks at them together. Returns what is wrong; empty if nothing is.
std::string check_wish(Wish& wish) {
  if (wish.limit) {
    const auto limit = parse_integer(*wish.limit);
    if (!limit || *limit < 1 || *limit > 100'000) return "--limit must be 1 to 100000";
    wish.filter.limit = static_cast<int>(*limit);
  }
  for (const std::string& word : wish.operands) {
    if (wish.id || parse_integer(word).value_or(0) <= 0) {
      return "unexpected \"" + word + "\": an id is a number that `list` shows";
    }
    wish.id = parse_integer(word);
  }
  const bool filtered = wish.filter.channel || wish.filter.reason;
  if (wish.action == "list") {
    if (wish.id) return "list takes no id";
  } else if (wish.action == "show") {
    if (!wish.id) return "show needs an id";
    if (wish.numbers && wish.raw) return "--numbers and --raw exclude each other";
  } else if (wish.action == "replay") {
    if (wish.id && (wish.all || filtered)) return "give an id or --all, not both";
    if (!wish.id && !wish.all) return "replay needs an id, or --all";
  } else {
    return wish.action.empty() ? "say what to do: list, show or replay"
                               : "unknown action \"" + wish.action + "\"";
  }
  if (wish.action != "show" && (wish.numbers || wish.raw)) return "--numbers and --raw are of show";
  return {};
}

std::string time_text(std::int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  char text[32] = "?";  // NOLINT(modernize-avoid-c-arrays): strftime's
  if (::gmtime_r(&seconds, &parts) != nullptr) {
    std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  }
  return text;
}

/// For a terminal: control bytes and what is no UTF-8 can't do anything to it.
std::string printable(std::string_view bytes, bool whole) {
  std::string text = repair_utf8(bytes);
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n') || byte == 0x7f) c = '.';
  }
  return whole ? text : mask_numbers_in(text);
}

void tell_line(const Letter& letter) {
  std::printf("%lld  %s  %-8s  %lldx  %s%s\n", static_cast<long long>(letter.id),
              time_text(letter.last_seen_ms).c_str(), printable(letter.channel, false).c_str(),
              static_cast<long long>(letter.count), letter.replayed_ms ? "[replayed] " : "",
              printable(letter.reason, false).c_str());
}

asio::awaitable<int> list(Tools tools, Wish wish) {
  if (!wish.all) wish.filter.replayed = false;
  const std::vector<Letter> letters = co_await list_letters(tools.pool, wish.filter);
  for (const Letter& letter : letters) tell_line(letter);
  if (letters.empty()) std::puts("no dead letters");
  co_return exit_right;
}

void tell(const Letter& letter, bool whole) {
  std::printf("id          %lld\n", static_cast<long long>(letter.id));
  std::printf("channel     %s\n", printable(letter.channel, whole).c_str());
  std::printf("reason      %s\n", printable(letter.reason, whole).c_str());
  std::printf("received    %s\n", time_text(letter.received_ms).c_str());
  std::printf("first seen  %s\n", time_text(letter.first_seen_ms).c_str());
  std::printf("last seen   %s\n", time_text(letter.last_seen_ms).c_str());
  std::printf("count       %lld\n", static_cast<long long>(letter.count));
  std::printf("replayed    %s\n",
              letter.replayed_ms ? time_text(*letter.replayed_ms).c_str() : "no");
  std::string_view body = letter.raw;
  const auto delivery = decode_envelope(letter.channel, letter.raw);
  if (delivery) {
    std::printf("source      %s\n", std::string(to_text(delivery->source)).c_str());
    std::printf("subject     %s\n", printable(delivery->subject, true).c_str());
    std::printf("address     %s\n", printable(delivery->address, true).c_str());
    // Escapes in it may hide a number from the mask.
    std::printf("query       %s\n", whole ? printable(delivery->query_string, true).c_str()
                                          : (delivery->query_string.empty() ? "" : "(hidden)"));
    std::printf("type        %s\n", printable(delivery->content_type, whole).c_str());
    body = delivery->body;
  }
  const std::string_view begins = body.substr(0, shown_bytes);
  std::printf("\n%s\n", printable(begins, whole).c_str());
  if (begins.size() < body.size()) {
    std::printf("… %zu bytes more; --raw writes them all\n", body.size() - begins.size());
  }
}

int no_such_letter(std::int64_t id) {
  std::fprintf(stderr, "ccd dead-letter: there is no letter %lld; `list --all` shows them\n",
               static_cast<long long>(id));
  return exit_wrong;
}

asio::awaitable<int> show(Tools tools, Wish wish) {
  const std::optional<Letter> letter = co_await read_letter(tools.pool, *wish.id);
  if (!letter) co_return no_such_letter(*wish.id);
  if (wish.raw) {
    std::fwrite(letter->raw.data(), 1, letter->raw.size(), stdout);
  } else {
    tell(*letter, wish.numbers);
  }
  co_return exit_right;
}

/// Whether it is readable now.
asio::awaitable<bool> replay_one(Tools tools, Letter letter) {
  const std::int64_t id = letter.id;
  const Replay replay =
      co_await replay_letter(tools.pool, tools.channels, std::move(letter), tools.clock.epoch_ms());
  const auto number = static_cast<long long>(id);
  if (replay.outcome == Replay::Outcome::still_unreadable) {
    std::printf("%lld: still unreadable: %s\n", number, printable(replay.reason, false).c_str());
    co_return false;
  }
  if (replay.before) {
    std::printf("%lld: was replayed before, nothing to do\n", number);
  } else {
    std::printf("%lld: replayed: %zu events, %zu new, %zu wait for their call\n", number,
                replay.events, replay.stored, replay.waiting);
  }
  co_return true;
}

asio::awaitable<int> replay_all(Tools tools, Wish wish) {
  std::size_t readable = 0, unreadable = 0;
  wish.filter.replayed = false;
  wish.filter.oldest_first = true;
  wish.filter.limit = page;
  for (;;) {
    const std::vector<Letter> letters = co_await list_letters(tools.pool, wish.filter);
    for (const Letter& listed : letters) {
      wish.filter.above = listed.id;
      std::optional<Letter> letter = co_await read_letter(tools.pool, listed.id);
      if (!letter) continue;
      const bool done = co_await replay_one(tools, *std::move(letter));
      ++(done ? readable : unreadable);
    }
    if (letters.size() < static_cast<std::size_t>(page)) break;
  }
  std::printf("%zu replayed, %zu still unreadable\n", readable, unreadable);
  co_return unreadable == 0 ? exit_right : exit_differs;
}

asio::awaitable<int> replay(Tools tools, Wish wish) {
  if (wish.all) co_return co_await replay_all(tools, std::move(wish));
  std::optional<Letter> letter = co_await read_letter(tools.pool, *wish.id);
  if (!letter) co_return no_such_letter(*wish.id);
  const bool done = co_await replay_one(tools, *std::move(letter));
  co_return done ? exit_right : exit_differs;
}

}  // namespace

int letter_command(std::span<char* const> words, std::string config_path, const ReadConfig& read) {
  Wish wish;
  wish.config_path = std::move(config_path);
  const CommandOptions options{
      {{"--channel", &wish.filter.channel},
       {"--reason", &wish.filter.reason},
       {"--limit", &wish.limit}},
      {{"--all", &wish.all}, {"--numbers", &wish.numbers}, {"--raw", &wish.raw}}};
  std::string problem = read_words(words, options, wish);
  if (problem.empty() && !wish.help) problem = check_wish(wish);
  if (!problem.empty()) return wrong_usage("dead-letter", problem);
  if (wish.help) {
    std::fputs(help, stdout);
    return exit_right;
  }
  const std::optional<Config> config = read(wish.config_path);
  if (!config) return exit_usage;
  return run_command(*config, [&wish](Tools tools) {
    if (wish.action == "list") return list(tools, wish);
    if (wish.action == "show") return show(tools, wish);
    return replay(tools, wish);
  });
}

}  // namespace cc
