// Reading YAML strictly: each key is asked for once, what nobody asked for is refused, and every
// complaint names file, line and column. Complaints are collected, so that one run shows them all.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>

namespace cc {

/// What is wrong with a file. `file` is the path as it was given.
class Complaints {
 public:
  explicit Complaints(std::string file) : file_(std::move(file)) {}

  /// `where` may be a null mark; `path` is like "channels.e9.appId", empty for the whole file.
  void add(const YAML::Mark& where, std::string_view path, std::string_view what);
  bool empty() const noexcept { return list_.empty(); }
  const std::string& file() const noexcept { return file_; }

  /// One line each, in the file's order.
  std::string text() const;

 private:
  struct Complaint {
    int line, column;
    std::string text;
  };
  std::string file_;
  std::vector<Complaint> list_;
};

/// A node of the file with its path. Every reader returns nothing after complaining.
class YamlValue {
 public:
  YamlValue(Complaints& complaints, const YAML::Node& node, const YAML::Mark& mark,
            std::string path)
      : complaints_(&complaints), node_(node), mark_(mark), path_(std::move(path)) {}

  void complain(std::string_view what) const { complaints_->add(mark_, path_, what); }
  const std::string& path() const noexcept { return path_; }
  const YAML::Node& node() const noexcept { return node_; }
  YAML::Mark mark() const noexcept { return mark_; }
  Complaints& complaints() const noexcept { return *complaints_; }
  bool is_null() const { return !node_.IsDefined() || node_.IsNull(); }

  std::optional<std::string> text() const;
  std::optional<bool> boolean() const;
  std::optional<std::int64_t> integer(std::int64_t least, std::int64_t most) const;
  /// "250ms", "3s", "5m", "1h", "2d".
  std::optional<std::chrono::milliseconds> duration(std::chrono::milliseconds least,
                                                    std::chrono::milliseconds most) const;
  /// "65536", "64K", "256M", "1G".
  std::optional<std::uint64_t> size(std::uint64_t least, std::uint64_t most) const;
  std::optional<std::string> one_of(const std::vector<std::string>& words) const;
  /// `file:/path` (relative to the YAML file) or `env:NAME`. The value never enters a message.
  std::optional<std::string> secret() const;
  /// A secret, or the value itself where it is an identifier and no secret.
  std::optional<std::string> secret_or_text() const;
  std::vector<YamlValue> items() const;

 private:
  Complaints* complaints_;
  YAML::Node node_;
  YAML::Mark mark_;
  std::string path_;
};

/// A mapping. When it goes out of scope it complains of every key that was not asked for.
class YamlMap {
 public:
  explicit YamlMap(const YamlValue& value);
  ~YamlMap();
  YamlMap(const YamlMap&) = delete;
  YamlMap& operator=(const YamlMap&) = delete;

  /// Nothing where the key is absent (or null).
  std::optional<YamlValue> find(std::string_view key);
  /// The same, with a complaint.
  std::optional<YamlValue> need(std::string_view key, std::string_view remedy);
  /// All entries, for mappings whose keys are names.
  std::vector<std::pair<std::string, YamlValue>> entries();
  bool valid() const noexcept { return valid_; }

 private:
  struct Entry {
    std::string key;
    YamlValue key_value;  // for its place
    YamlValue value;
    bool asked = false;
  };
  YamlValue self_;
  std::vector<Entry> entries_;
  std::vector<std::string> known_;
  bool valid_ = false;
};

/// Reads `key` into `target` with a reader of YamlValue; an absent key leaves the default.
template <class T, class Reader, class... Arguments>
void read(YamlMap& map, std::string_view key, T& target, Reader reader, Arguments... arguments) {
  const auto value = map.find(key);
  if (!value) return;
  auto content = std::invoke(reader, *value, arguments...);
  if (content) target = static_cast<T>(*std::move(content));
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept;
std::optional<std::uint64_t> parse_size(std::string_view text) noexcept;

/// The word most like `text`, if any is near enough to be meant.
std::optional<std::string> nearest(std::string_view text, const std::vector<std::string>& words);

}  // namespace cc
