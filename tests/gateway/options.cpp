#include "options.hpp"

#include <charconv>
#include <functional>
#include <map>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace gateway {

namespace {

// One option's value on its way into Options: every complaint names the option and the value.
struct Value {
  std::string option;
  std::string text;

  [[noreturn]] void complain(std::string const& remedy) const {
    throw std::runtime_error(option + " '" + text + "': " + remedy);
  }

  std::int64_t whole(std::int64_t least, std::int64_t most) const {
    std::int64_t number = 0;
    if (!read(text, number) || number < least || number > most)
      complain("must be a whole number from " + std::to_string(least) + " to " +
               std::to_string(most));
    return number;
  }

  double factor() const {
    double number = 0;
    if (!read(text, number) || !(number >= 0.001 && number <= 10'000))
      complain("must be a number from 0.001 to 10000");
    return number;
  }

  bool on() const { return one_of<bool>({{"on", true}, {"off", false}}); }

  template <class Choice>
  Choice one_of(std::map<std::string, Choice> const& choices) const {
    if (auto found = choices.find(text); found != choices.end()) return found->second;
    std::string names;
    for (auto const& choice : choices) names += (names.empty() ? "" : ", ") + choice.first;
    complain("must be one of " + names);
  }

  std::string filled() const {
    if (text.empty()) complain("must not be empty");
    return text;
  }

  Endpoint endpoint() const {
    auto const colon = text.rfind(':');
    std::uint16_t port = 0;
    if (colon == std::string::npos || colon == 0 || !read(text.substr(colon + 1), port))
      complain("must be ADDRESS:PORT with a port from 0 to 65535, for example 127.0.0.1:0");
    return {text.substr(0, colon), port};
  }

  AgentRange range() const {
    auto const found = parse_range(text);
    if (!found) complain("must be FROM-TO, two agent ids from 101 to 999999, FROM first");
    return *found;
  }

  template <class Number>
  static bool read(std::string const& digits, Number& into) {
    auto const end = digits.data() + digits.size();
    auto const result = std::from_chars(digits.data(), end, into);
    return result.ec == std::errc{} && result.ptr == end;
  }
};

using Take = std::function<void(Options&, Value const&)>;

std::map<std::string, Take> const& takers() {
  static std::map<std::string, Take> const all{
      {"--listen", [](Options& o, Value const& v) { o.listen = v.endpoint(); }},
      {"--control", [](Options& o, Value const& v) { o.control = v.endpoint(); }},
      {"--port-file", [](Options& o, Value const& v) { o.port_file = v.filled(); }},
      {"--tls-cert", [](Options& o, Value const& v) { o.tls_cert = v.filled(); }},
      {"--tls-key", [](Options& o, Value const& v) { o.tls_key = v.filled(); }},
      {"--journal", [](Options& o, Value const& v) { o.journal = v.filled(); }},
      {"--journal-level",
       [](Options& o, Value const& v) {
         o.journal_level = v.one_of<JournalLevel>({{"none", JournalLevel::none},
                                                   {"calls", JournalLevel::calls},
                                                   {"all", JournalLevel::all}});
       }},
      {"--speed", [](Options& o, Value const& v) { o.speed = v.factor(); }},
      {"--poll-ms", [](Options& o, Value const& v) { o.poll_ms = v.whole(1, 600'000); }},
      {"--poll-gap-ms", [](Options& o, Value const& v) { o.poll_gap_ms = v.whole(0, 10'000); }},
      {"--idle-ms", [](Options& o, Value const& v) { o.idle_ms = v.whole(50, 86'400'000); }},
      {"--sign-ms", [](Options& o, Value const& v) { o.sign_ms = v.whole(0, 60'000); }},
      {"--agents", [](Options& o, Value const& v) { o.agents = v.range(); }},
      {"--password", [](Options& o, Value const& v) { o.password = v.filled(); }},
      {"--shape",
       [](Options& o, Value const& v) {
         o.shape = v.one_of<Shape>(
             {{"object", Shape::object}, {"array", Shape::array}, {"mixed", Shape::mixed}});
       }},
      {"--event-time", [](Options& o, Value const& v) { o.event_time = v.on(); }},
      {"--service-events", [](Options& o, Value const& v) { o.service_events = v.on(); }},
      {"--forcelogin-events",
       [](Options& o, Value const& v) {
         o.forcelogin_keeps_events = v.one_of<bool>({{"keep", true}, {"lose", false}});
       }},
      {"--guid-renew", [](Options& o, Value const& v) { o.guid_renew = v.whole(0, 1'000'000); }},
      {"--strict-phone", [](Options& o, Value const& v) { o.strict_phone = v.on(); }},
      {"--stamp", [](Options& o, Value const& v) { o.stamp = v.on(); }},
      {"--number-table", [](Options& o, Value const& v) { o.number_table = v.on(); }},
      {"--file-access-key", [](Options& o, Value const& v) { o.file_access_key = v.filled(); }},
      {"--file-secret-key", [](Options& o, Value const& v) { o.file_secret_key = v.filled(); }},
      {"--cc-id", [](Options& o, Value const& v) { o.cc_id = v.filled(); }},
      {"--seed",
       [](Options& o, Value const& v) {
         o.seed = static_cast<std::uint64_t>(v.whole(0, INT64_MAX));
       }},
  };
  return all;
}

}  // namespace

std::string usage() {
  return R"(agent-gateway-simulator: plays Huawei's CC-Gateway (hw) and the phones behind it.

usage: agent-gateway-simulator [option value | option=value]...

  --listen ADDRESS:PORT     the gateway; port 0 = a free one             (127.0.0.1:0)
  --control ADDRESS:PORT    a further listener, plain, of the control API alone: it stays
                            reachable while the gateway's port refuses connections
                            (with TLS always: 127.0.0.1:0)
  --port-file FILE          both ports, a line each, written atomically
  --tls-cert, --tls-key     PEM files: the gateway then speaks https only
  --journal FILE            JSON lines, appended and flushed at each line
  --journal-level LEVEL     none (violations only), calls or all         (all)
  --speed X                 pauses of phone scripts are divided by X     (1.0)
  --poll-ms N               how long an empty poll waits                 (10000)
  --poll-gap-ms N           polls closer than this are violations; 0 = unchecked (190)
  --idle-ms N               an agent so long without a poll is signed out (120000)
  --sign-ms N               how long signing in and out takes            (20)
  --agents FROM-TO          the agent ids there are                      (101-999999)
  --password TEXT           every agent's                                (agent-secret)
  --shape object|array|mixed  how an event is wrapped                    (object)
  --event-time on|off       events carry eventGenTime                    (off)
  --service-events on|off   a sign-in queues AgentOther_InService        (off)
  --forcelogin-events keep|lose  what becomes of those queued            (keep)
  --guid-renew N            every Nth answer of an agent renews its guid; 0 = never (0)
  --strict-phone on|off     ringing a phone that is in a call is a violation (on)
  --stamp on|off            events carry simReady (epoch ms) and simSeq  (off)
  --number-table on|off     the called number's last 4 digits choose a preset (on)
  --file-access-key, --file-secret-key  of those who fetch recordings  (there are none)
  --cc-id TEXT              the call centre's, which they name           (1)
  --seed N                  of what is random; 0 = from the system       (0)
  --help                    this text

It prints "listening on http(s)://ADDRESS:PORT" and, if the control API has a listener of
its own, "control on http://ADDRESS:PORT"; SIGTERM and SIGINT end it with 0. Presets,
control API and journal: tests/gateway/README.md.
)";
}

std::optional<AgentRange> parse_range(std::string const& text) {
  AgentRange range;
  auto const dash = text.find('-');
  if (!Value::read(text.substr(0, dash), range.from)) return std::nullopt;
  range.to = range.from;
  if (dash != std::string::npos && !Value::read(text.substr(dash + 1), range.to))
    return std::nullopt;
  AgentRange const possible;
  if (!possible.contains(range.from) || !possible.contains(range.to) || range.to < range.from)
    return std::nullopt;
  return range;
}

Options parse_options(int count, char const* const* words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    std::string const word = words[i];
    if (word == "--help" || word == "-h") {
      options.help = true;
      return options;
    }
    auto const equals = word.find('=');
    Value value{word.substr(0, equals), ""};
    auto const taker = takers().find(value.option);
    if (taker == takers().end())
      throw std::runtime_error("'" + word + "' is not an option of this program; see --help");
    if (equals != std::string::npos)
      value.text = word.substr(equals + 1);
    else if (++i < count)
      value.text = words[i];
    else
      throw std::runtime_error(word + " needs a value; see --help");
    taker->second(options, value);
  }
  if (options.tls_cert.empty() != options.tls_key.empty())
    throw std::runtime_error("--tls-cert and --tls-key belong together: give both or neither");
  if (options.file_access_key.empty() != options.file_secret_key.empty())
    throw std::runtime_error(
        "--file-access-key and --file-secret-key belong together: give both or neither");
  return options;
}

}  // namespace gateway
