#include "target.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>

#include <openssl/rand.h>

#include "fields.hpp"
#include "phone.hpp"
#include "text.hpp"
#include "time_text.hpp"

namespace cc::api {
namespace {

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::optional<std::string> decode(std::string_view text) {
  auto decoded = percent_decode(text);
  if (decoded && has_control(*decoded)) return std::nullopt;
  return decoded;
}

/// A parameter's value: its reader judges what is in it, and names the parameter.
std::optional<std::string> decode_value(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decode(spaced);
}

bool is_text(const std::string& value, std::size_t width) {
  return !value.empty() && repair_utf8(value) == value && !has_control(value) &&
         characters(value) <= width;
}

/// Cuts the part before `separator` off `rest`.
std::string_view next_part(std::string_view& rest, char separator) {
  const std::string_view part = rest.substr(0, rest.find(separator));
  rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  return part;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_mark(char c) {
  return c == '.' || c == '_' || c == '-';
}

/// Whether logs that repeat an id could hold somebody's number: nothing but 7 to 15 digits and
/// marks, or a run of digits that has the shape of a mobile number or of one with its area code.
/// Wider rules would take many a UUID for one.
bool may_be_number(std::string_view id) {
  const auto digits = std::count_if(id.begin(), id.end(), is_digit);
  const auto marks = std::count_if(id.begin(), id.end(), is_mark);
  if (digits >= 7 && digits <= 15 && digits + marks == static_cast<std::ptrdiff_t>(id.size())) {
    return true;
  }
  return mask_number_shapes_in(id) != id;
}

/// A name that strangers chose, fit for an answer.
std::string shown_name(const std::string& name) {
  if (name.empty() || name.size() > 64 || repair_utf8(name) != name) return "(a parameter)";
  return mask_numbers_in(name);
}

}  // namespace

std::string_view without_authority(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    const auto path = text.find('/', scheme.size());
    return path == std::string_view::npos ? std::string_view("/") : text.substr(path);
  }
  return text;
}

std::optional<Target> parse_target(std::string_view text) {
  text = without_authority(text);
  if (!text.starts_with('/')) return std::nullopt;
  Target target;
  std::string_view query = text;
  std::string_view path = next_part(query, '?');
  path.remove_prefix(1);
  while (true) {
    const bool last = path.find('/') == std::string_view::npos;
    auto segment = decode(next_part(path, '/'));
    if (!segment) return std::nullopt;
    target.path.push_back(*std::move(segment));
    if (last) break;
  }
  while (!query.empty()) {
    std::string_view value = next_part(query, '&');
    if (value.empty()) continue;
    auto name = decode(next_part(value, '='));
    auto content = decode_value(value);
    if (!name || !content) return std::nullopt;
    target.query.emplace_back(*std::move(name), *std::move(content));
  }
  return target;
}

std::optional<std::int64_t> parse_call_id(std::string_view text) noexcept {
  if (text.empty() || text.size() > 19 || text.front() < '1' || text.front() > '9') {
    return std::nullopt;
  }
  return parse_integer(text);
}

std::optional<std::int64_t> QueryReader::integer(std::string_view name, std::int64_t least,
                                                 std::int64_t most) {
  known_.push_back(name);
  for (const auto& [key, text] : target_.query) {
    if (key != name) continue;
    const auto value = parse_integer(text);
    if (value && *value >= least && *value <= most) return value;
    refuse(name,
           "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string> QueryReader::text(std::string_view name, std::size_t width) {
  known_.push_back(name);
  for (const auto& [key, text] : target_.query) {
    if (key != name) continue;
    if (is_text(text, width)) return text;
    refuse(name, "must be 1 to " + std::to_string(width) + " characters of UTF-8, none of control");
    return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::int64_t> QueryReader::time(std::string_view name) {
  auto given = text(name, 40);
  if (!given) return std::nullopt;
  constexpr std::size_t zone = 6;  // "+08:00"
  if (given->size() > zone && (*given)[given->size() - zone] == ' ') {
    (*given)[given->size() - zone] = '+';
  }
  const auto ms = parse_time(*given);
  if (!ms) refuse(name, std::string(time_advice));
  return ms;
}

std::optional<std::string> QueryReader::line(std::string_view name) {
  auto given = text(name, 256);
  if (!given) return std::nullopt;
  if (given->front() == ' ') given->front() = '+';
  return plain_agent(*given);
}

std::optional<bool> QueryReader::boolean(std::string_view name) {
  known_.push_back(name);
  for (const auto& [key, text] : target_.query) {
    if (key != name) continue;
    if (text == "true" || text == "false") return text == "true";
    refuse(name, "must be true or false");
    return std::nullopt;
  }
  return std::nullopt;
}

void QueryReader::refuse(std::string_view name, std::string reason) {
  wrong_.push_back({"query " + std::string(name), std::move(reason)});
}

std::optional<Problem> QueryReader::problem() && {
  for (auto item = target_.query.begin(); item != target_.query.end(); ++item) {
    const std::string& name = item->first;
    const bool again = std::any_of(target_.query.begin(), item,
                                   [&](const auto& other) { return other.first == name; });
    if (again) {
      refuse(shown_name(name), "is given twice");
    } else if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
      refuse(shown_name(name), "unknown parameter");
    }
  }
  if (wrong_.empty()) return std::nullopt;
  Problem problem;
  problem.type = ProblemType::invalid_request;
  problem.detail = wrong_.size() == 1 ? wrong_[0].name + " " + wrong_[0].reason + "."
                                      : "Several parameters are wrong; invalidParams names them.";
  problem.invalid_params = std::move(wrong_);
  return problem;
}

std::optional<int> preferred_wait(std::string_view prefer) noexcept {
  while (!prefer.empty()) {
    std::string_view value = next_part(prefer, ',');
    value = value.substr(0, value.find(';'));
    const std::string_view name = trim(next_part(value, '='));
    value = trim(value);
    if (value.size() > 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    constexpr std::string_view wait = "wait";
    const bool is_wait =
        std::equal(name.begin(), name.end(), wait.begin(), wait.end(),
                   [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
    if (!is_wait) continue;
    const auto seconds = parse_integer(value);
    if (!seconds || *seconds < 0) return std::nullopt;
    return static_cast<int>(std::min<std::int64_t>(*seconds, 1'000'000));
  }
  return std::nullopt;
}

bool sane_request_id(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || is_mark(c);
  }) && !may_be_number(text);
}

/// Unique, not secret: at random where the process begins, counted from there.
std::string make_request_id() {
  struct Numbers {
    Numbers() { draw(); }
    void draw() { RAND_bytes(bytes.data(), static_cast<int>(bytes.size())); }
    std::array<unsigned char, 12> bytes{};
  };
  static Numbers numbers;
  while (true) {
    for (auto byte = numbers.bytes.rbegin(); byte != numbers.bytes.rend() && ++*byte == 0; ++byte) {
    }
    std::string id =
        to_hex({reinterpret_cast<const char*>(numbers.bytes.data()), numbers.bytes.size()});
    if (sane_request_id(id)) return id;
    numbers.draw();  // one in a thousand looks like a number by chance
  }
}

bool is_json(std::string_view content_type) {
  const std::string_view type = trim(next_part(content_type, ';'));
  if (lower(type) != "application/json") return false;
  while (!content_type.empty()) {
    std::string parameter = lower(trim(next_part(content_type, ';')));
    std::erase(parameter, '"');
    if (parameter.starts_with("charset=") && parameter != "charset=utf-8") return false;
  }
  return true;
}

std::string http_date(std::int64_t epoch_ms) {
  constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = epoch_ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 40> text{};
  // Not %a and %b: those follow the locale.
  const std::string format = std::string(days.at(static_cast<std::size_t>(utc.tm_wday))) + ", %d " +
                             months.at(static_cast<std::size_t>(utc.tm_mon)) + " %Y %H:%M:%S GMT";
  const std::size_t length = std::strftime(text.data(), text.size(), format.c_str(), &utc);
  return {text.data(), length};
}

}  // namespace cc::api
