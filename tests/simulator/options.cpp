#include "options.hpp"

#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string_view>

#include "push.hpp"

namespace jiuyun {

namespace {

[[noreturn]] void complain(std::string const& option, std::string const& value,
                           std::string const& remedy) {
  throw std::runtime_error(option + " '" + value + "': " + remedy);
}

std::int64_t whole_number(std::string const& option, std::string const& value, std::int64_t least,
                          std::int64_t most) {
  std::int64_t number = 0;
  auto end = value.data() + value.size();
  auto result = std::from_chars(value.data(), end, number);
  if (result.ec != std::errc{} || result.ptr != end || number < least || number > most)
    complain(
        option, value,
        "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return number;
}

std::string identifier(std::string const& option, std::string const& value) {
  bool plain = true;
  for (char c : value)
    plain = plain && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
  if (value.size() != 32 || !plain)
    complain(option, value,
             "must be 32 letters and digits, as the vendor's are; it has " +
                 std::to_string(value.size()) + " characters");
  return value;
}

Endpoint endpoint(std::string const& option, std::string const& value) {
  auto colon = value.rfind(':');
  if (colon == std::string::npos || colon == 0)
    complain(option, value, "must be ADDRESS:PORT, for example 127.0.0.1:0");
  return {value.substr(0, colon), static_cast<std::uint16_t>(whole_number(
                                      option + " (port)", value.substr(colon + 1), 0, 65535))};
}

void approve(Options& options, std::string const& value) {
  std::string_view rest = value;
  while (!rest.empty()) {
    auto comma = rest.find(',');
    std::string number(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    if (number.empty() || number.size() > 20 ||
        number.find_first_not_of("0123456789") != std::string::npos)
      complain("--approved-numbers", number, "must be digits only, separated by commas");
    options.approved_numbers.insert(number);
  }
}

double positive(std::string const& option, std::string const& value) {
  double number = 0;
  auto end = value.data() + value.size();
  auto result = std::from_chars(value.data(), end, number);
  if (result.ec != std::errc{} || result.ptr != end || !std::isfinite(number) || number < 0.001 ||
      number > 10'000)
    complain(option, value, "must be a number from 0.001 to 10000");
  return number;
}

}  // namespace

std::string usage() {
  return R"(jiuyun-simulator: plays the Jiuyun (e9) platform and the phones behind it.

usage: jiuyun-simulator [option value | option=value]...

  --listen ADDRESS:PORT     where to listen; port 0 = a free one      (127.0.0.1:0)
  --control ADDRESS:PORT    a further listener, of the control API alone: it stays
                            reachable while the vendor's port refuses connections
  --port-file FILE          the port is written here, atomically; on a second line
                            --control's
  --account-sid TEXT        32 characters       (e9000000000000000000000000000001)
  --auth-token TEXT         32 characters       (e9000000000000000000000000000002)
  --app-id TEXT             32 characters       (e9000000000000000000000000000003)
  --callback-url URL        http://HOST:PORT/PATH or unix:/PATH.sock:/URI; may be
                            set later: PUT /_control/callback-url
  --record-base URL         recordUrl is URL/records/{callId}.mp3     (its own address)
  --journal FILE            JSON lines, appended and flushed at each event
  --speed X                 scripts' pauses are divided by X          (1.0)
  --approved-numbers A,B    display numbers that fromSerNum and toSerNum may name;
                            repeatable                                (none)
  --clock-skew SECONDS      added to the vendor's clock, may be < 0   (0)
  --number-table on|off     the called number's last 4 digits choose a preset  (on)
  --query-limit N           record queries that any 60 s may hold     (9)
  --max-calls N             calls in progress; above it 900123        (100000)
  --refusal-status STATUS   HTTP status of a refusal (undocumented)   (200)
  --seed N                  of what is random; 0 = from the system    (0)
  --help                    this text

It prints "listening on http://ADDRESS:PORT" (and "control on http://ADDRESS:PORT"), and
ends with 0 on SIGTERM and SIGINT. Scripts, numbers, control API and journal: tests/simulator/README.md.
)";
}

Options parse_options(int count, char const* const* words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    std::string word = words[i];
    if (word == "--help" || word == "-h") {
      options.help = true;
      return options;
    }
    if (word.rfind("--", 0) != 0) complain("argument", word, "is not an option; see --help");
    auto equals = word.find('=');
    std::string option = word.substr(0, equals);
    std::string value;
    if (equals != std::string::npos)
      value = word.substr(equals + 1);
    else if (i + 1 < count)
      value = words[++i];
    else
      complain(option, "", "needs a value; see --help");

    if (option == "--listen")
      options.listen = endpoint(option, value);
    else if (option == "--control")
      options.control = endpoint(option, value);
    else if (option == "--port-file")
      options.port_file = value;
    else if (option == "--account-sid")
      options.account_sid = identifier(option, value);
    else if (option == "--auth-token")
      options.auth_token = identifier(option, value);
    else if (option == "--app-id")
      options.app_id = identifier(option, value);
    else if (option == "--callback-url") {
      (void)CallbackUrl::parse(value);
      options.callback_url = value;
    } else if (option == "--record-base") {
      if (!value.starts_with("http://") && !value.starts_with("https://"))
        complain(option, value, "must be a URL, for example https://files.example.com/e9");
      options.record_base = value.substr(0, value.find_last_not_of('/') + 1);
    } else if (option == "--journal")
      options.journal = value;
    else if (option == "--speed")
      options.speed = positive(option, value);
    else if (option == "--approved-numbers")
      approve(options, value);
    else if (option == "--clock-skew")
      options.clock_skew_ms = whole_number(option, value, -315'360'000, 315'360'000) * 1000;
    else if (option == "--number-table") {
      if (value != "on" && value != "off") complain(option, value, "must be on or off");
      options.number_table = value == "on";
    } else if (option == "--query-limit")
      options.query_limit = static_cast<std::size_t>(whole_number(option, value, 0, 1'000'000));
    else if (option == "--max-calls")
      options.max_calls = static_cast<std::size_t>(whole_number(option, value, 1, 1'000'000));
    else if (option == "--refusal-status")
      options.refusal_status = static_cast<unsigned int>(whole_number(option, value, 200, 599));
    else if (option == "--seed")
      options.seed = static_cast<std::uint64_t>(whole_number(option, value, 0, INT64_MAX));
    else
      complain(option, value, "is not an option of this program; see --help");
  }
  return options;
}

}  // namespace jiuyun
