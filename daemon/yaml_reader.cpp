#include "yaml_reader.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <system_error>

#include "result.hpp"
#include "text.hpp"

namespace cc {
namespace {

using Millis = std::chrono::milliseconds;

std::string kind_of(const YAML::Node& node) {
  if (node.IsMap()) return "a mapping";
  if (node.IsSequence()) return "a list";
  if (node.IsNull()) return "nothing";
  return "a plain value";
}

std::string lower(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c != '_' && c != '-') {
      result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return result;
}

/// Edits from one to the other; two neighbours exchanged are one edit.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> rows(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) rows[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t exchange = a[i - 1] == b[j - 1] ? 0 : 1;
      rows[i][j] =
          std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + exchange});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    }
  }
  return rows[a.size()][b.size()];
}

std::string join(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : ", ") + word;
  return result;
}

/// A number and its unit: "250ms" → 250, "ms".
std::optional<std::pair<std::uint64_t, std::string_view>> split_unit(
    std::string_view text) noexcept {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  return std::pair{number, text.substr(static_cast<std::size_t>(end - text.data()))};
}

std::string show(Millis duration) {
  const auto ms = duration.count();
  if (ms != 0 && ms % 3'600'000 == 0) return std::to_string(ms / 3'600'000) + "h";
  if (ms != 0 && ms % 60'000 == 0) return std::to_string(ms / 60'000) + "m";
  if (ms % 1000 == 0) return std::to_string(ms / 1000) + "s";
  return std::to_string(ms) + "ms";
}

std::string show_size(std::uint64_t bytes) {
  if (bytes != 0 && bytes % (1U << 30) == 0) return std::to_string(bytes >> 30) + "G";
  if (bytes != 0 && bytes % (1U << 20) == 0) return std::to_string(bytes >> 20) + "M";
  if (bytes != 0 && bytes % (1U << 10) == 0) return std::to_string(bytes >> 10) + "K";
  return std::to_string(bytes);
}

/// Somebody may have written the secret itself after "env:"; that must not reach a message.
bool looks_like_variable(std::string_view name) {
  return name.size() <= 64 &&
         std::all_of(
             name.begin(), name.end(),
             [](char c) { return (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9'); }) &&
         name.find('_') != std::string_view::npos;
}

constexpr std::size_t max_secret = 64 * 1024;

/// Without its trailing newline. The error says why there is none.
Result<std::string> read_secret_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (error) return Error{"can't read " + path.string() + ": " + error.message()};
  if (std::filesystem::is_directory(status)) {
    return Error{"can't read " + path.string() + ": it is a directory"};
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Error{"can't read " + path.string() + ": " +
                 std::error_code(errno, std::generic_category()).message()};
  }
  std::string value(max_secret + 1, '\0');
  file.read(value.data(), static_cast<std::streamsize>(value.size()));
  value.resize(static_cast<std::size_t>(file.gcount()));
  if (value.size() > max_secret) return Error{path.string() + " is larger than 64K: no secret is"};
  while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.pop_back();
  if (value.empty()) return Error{path.string() + " is empty: write the secret into it"};
  return value;
}

}  // namespace

void Complaints::add(const YAML::Mark& where, std::string_view path, std::string_view what) {
  Complaint complaint{0, 0, {}};
  std::string place = file_;
  if (!where.is_null()) {
    complaint.line = where.line + 1;
    complaint.column = where.column + 1;
    place += ":" + std::to_string(complaint.line) + ":" + std::to_string(complaint.column);
  }
  complaint.text = place + ": ";
  if (!path.empty()) complaint.text.append(path).append(": ");
  complaint.text.append(what);
  list_.push_back(std::move(complaint));
}

std::string Complaints::text() const {
  auto sorted = list_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Complaint& a, const Complaint& b) {
    return std::pair{a.line, a.column} < std::pair{b.line, b.column};
  });
  std::string result;
  for (const Complaint& complaint : sorted) {
    result += (result.empty() ? "" : "\n") + complaint.text;
  }
  return result;
}

std::optional<std::string> YamlValue::text() const {
  if (!node_.IsScalar()) {
    complain("must be a text, got " + kind_of(node_));
    return std::nullopt;
  }
  const std::string& value = node_.Scalar();
  if (value.empty()) {
    complain("must not be empty; leave the key out for the default");
    return std::nullopt;
  }
  if (std::any_of(value.begin(), value.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
    complain("must not hold control characters");
    return std::nullopt;
  }
  return value;
}

std::optional<bool> YamlValue::boolean() const {
  if (node_.IsScalar() && node_.Scalar() == "true") return true;
  if (node_.IsScalar() && node_.Scalar() == "false") return false;
  complain("must be true or false");
  return std::nullopt;
}

std::optional<std::int64_t> YamlValue::integer(std::int64_t least, std::int64_t most) const {
  const auto value = node_.IsScalar() ? parse_integer(node_.Scalar()) : std::nullopt;
  if (!value || *value < least || *value > most) {
    complain("must be a whole number from " + std::to_string(least) + " to " +
             std::to_string(most));
    return std::nullopt;
  }
  return value;
}

std::optional<Millis> YamlValue::duration(Millis least, Millis most) const {
  const auto value = node_.IsScalar() ? parse_duration(node_.Scalar()) : std::nullopt;
  if (!value) {
    complain("must be a duration with a unit (ms, s, m, h, d), like " +
             show(std::clamp(Millis{30'000}, least, most)));
    return std::nullopt;
  }
  if (*value < least || *value > most) {
    complain("must be from " + show(least) + " to " + show(most) + ", got " + show(*value));
    return std::nullopt;
  }
  return value;
}

std::optional<std::uint64_t> YamlValue::size(std::uint64_t least, std::uint64_t most) const {
  const auto value = node_.IsScalar() ? parse_size(node_.Scalar()) : std::nullopt;
  if (!value) {
    complain("must be a size in bytes or with a unit (K, M, G), like 256M");
    return std::nullopt;
  }
  if (*value < least || *value > most) {
    complain("must be from " + show_size(least) + " to " + show_size(most) + ", got " +
             show_size(*value));
    return std::nullopt;
  }
  return value;
}

std::optional<std::string> YamlValue::one_of(const std::vector<std::string>& words) const {
  const auto value = text();
  if (!value) return std::nullopt;
  if (std::find(words.begin(), words.end(), *value) != words.end()) return value;
  const auto meant = nearest(*value, words);
  complain("must be one of " + join(words) + ", got \"" + *value + "\"" +
           (meant ? "; did you mean \"" + *meant + "\"?" : ""));
  return std::nullopt;
}

std::optional<std::string> YamlValue::secret() const {
  const std::string value = node_.IsScalar() ? node_.Scalar() : "";
  if (value.starts_with("env:") && value.size() > 4) {
    const std::string name = value.substr(4);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in ccd changes its environment
    const char* content = std::getenv(name.c_str());
    if (content == nullptr || *content == '\0') {
      complain((looks_like_variable(name) ? "the environment variable " + name
                                          : "that environment variable") +
               " is not set or empty; export it to ccd");
      return std::nullopt;
    }
    return std::string(content);
  }
  if (value.starts_with("file:") && value.size() > 5) {
    std::filesystem::path path = value.substr(5);
    if (path.is_relative()) {
      path = std::filesystem::path(complaints_->file()).parent_path() / path;
    }
    auto content = read_secret_file(path);
    if (content) return *std::move(content);
    complain(content.error().message);
    return std::nullopt;
  }
  complain("a secret is never written here: use file:/path or env:NAME");
  return std::nullopt;
}

std::optional<std::string> YamlValue::secret_or_text() const {
  const std::string value = node_.IsScalar() ? node_.Scalar() : "";
  if (value.starts_with("env:") || value.starts_with("file:")) return secret();
  return text();
}

std::vector<YamlValue> YamlValue::items() const {
  std::vector<YamlValue> result;
  if (!node_.IsSequence()) {
    complain("must be a list like [a, b], got " + kind_of(node_));
    return result;
  }
  for (std::size_t i = 0; i < node_.size(); ++i) {
    result.emplace_back(*complaints_, node_[i], node_[i].Mark(),
                        path_ + "[" + std::to_string(i) + "]");
  }
  return result;
}

YamlMap::YamlMap(const YamlValue& value) : self_(value) {
  if (value.is_null()) {
    valid_ = true;  // `http:` with nothing below it: all defaults
    return;
  }
  if (!value.node().IsMap()) {
    value.complain("must be a mapping of keys to values, got " + kind_of(value.node()));
    return;
  }
  valid_ = true;
  for (const auto& pair : value.node()) {
    const std::string prefix = value.path().empty() ? "" : value.path() + ".";
    if (!pair.first.IsScalar()) {
      value.complaints().add(pair.first.Mark(), value.path(), "a key must be a plain word");
      continue;
    }
    const std::string key = pair.first.Scalar();
    const std::string path = prefix + key;
    const YamlValue place(value.complaints(), pair.first, pair.first.Mark(), path);
    const auto first = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return entry.key == key; });
    if (first != entries_.end()) {
      place.complain("is given twice, first in line " +
                     std::to_string(first->key_value.mark().line + 1) + "; remove one");
      continue;
    }
    // An empty value has its mark on the next line: the key's place says more.
    const bool empty = pair.second.IsNull();
    const YamlValue content(value.complaints(), pair.second,
                            empty ? pair.first.Mark() : pair.second.Mark(), path);
    entries_.push_back(Entry{key, place, content, false});
  }
}

YamlMap::~YamlMap() {
  for (const Entry& entry : entries_) {
    if (entry.asked) continue;
    const auto meant = nearest(entry.key, known_);
    entry.key_value.complain("unknown key" + (meant ? "; did you mean \"" + *meant + "\"?"
                                                    : "; known here: " + join(known_)));
  }
}

std::optional<YamlValue> YamlMap::find(std::string_view key) {
  known_.emplace_back(key);
  for (Entry& entry : entries_) {
    if (entry.key != key) continue;
    entry.asked = true;
    if (entry.value.is_null()) return std::nullopt;
    return entry.value;
  }
  return std::nullopt;
}

std::optional<YamlValue> YamlMap::need(std::string_view key, std::string_view remedy) {
  auto found = find(key);
  if (!found && valid_) {
    self_.complain(std::string(key) + " is missing; " + std::string(remedy));
  }
  return found;
}

std::vector<std::pair<std::string, YamlValue>> YamlMap::entries() {
  std::vector<std::pair<std::string, YamlValue>> result;
  for (Entry& entry : entries_) {
    entry.asked = true;
    result.emplace_back(entry.key, entry.value);
  }
  return result;
}

std::optional<Millis> parse_duration(std::string_view text) noexcept {
  const auto split = split_unit(text);
  if (!split) return std::nullopt;
  const auto [number, unit] = *split;
  std::uint64_t factor = 0;
  if (unit == "ms") factor = 1;
  if (unit == "s") factor = 1000;
  if (unit == "m") factor = 60'000;
  if (unit == "h") factor = 3'600'000;
  if (unit == "d") factor = 86'400'000;
  if (factor == 0) return std::nullopt;
  if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / factor) {
    return std::nullopt;
  }
  return Millis{static_cast<Millis::rep>(number * factor)};
}

std::optional<std::uint64_t> parse_size(std::string_view text) noexcept {
  const auto split = split_unit(text);
  if (!split) return std::nullopt;
  const auto [number, unit] = *split;
  unsigned shift = 0;
  if (unit == "K") {
    shift = 10;
  } else if (unit == "M") {
    shift = 20;
  } else if (unit == "G") {
    shift = 30;
  } else if (!unit.empty()) {
    return std::nullopt;
  }
  if (number > (std::numeric_limits<std::uint64_t>::max() >> shift)) return std::nullopt;
  return number << shift;
}

std::optional<std::string> nearest(std::string_view text, const std::vector<std::string>& words) {
  if (text.size() > 100) return std::nullopt;
  const std::string plain = lower(text);
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(1, plain.size() / 3);
  for (const std::string& word : words) {
    const std::size_t d = distance(plain, lower(word));
    if (d < best_distance || (d == best_distance && !best)) {
      best = word;
      best_distance = d;
    }
  }
  return best;
}

}  // namespace cc
