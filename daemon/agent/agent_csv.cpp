#include "agent/agent_csv.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "phone.hpp"
#include "result.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr std::array<std::string_view, 6> columns{"channel", "agent",    "tenant",
                                                  "handset", "password", "desired"};
constexpr std::size_t needed_columns = 3;  // the first of them
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string all_columns() {
  std::string list;
  for (const std::string_view name : columns) list.append(list.empty() ? "" : ", ").append(name);
  return list;
}

/// Lines of a bounded length, whatever the file is.
class Lines {
 public:
  explicit Lines(std::istream& in) : in_(in) {}

  /// False at the end.
  bool next() {
    text_.clear();
    too_long_ = false;
    ++number_;
    std::streambuf& bytes = *in_.rdbuf();
    bool any = false;
    for (int c = bytes.sbumpc(); c != std::char_traits<char>::eof(); c = bytes.sbumpc()) {
      any = true;
      if (c == '\n') break;
      too_long_ = too_long_ || text_.size() == longest_agent_line;
      if (!too_long_) text_ += static_cast<char>(c);
    }
    if (text_.ends_with('\r')) text_.pop_back();
    return any;
  }
  std::string_view text() const { return text_; }
  bool too_long() const { return too_long_; }
  std::size_t number() const { return number_; }

 private:
  std::istream& in_;
  std::string text_;
  std::size_t number_ = 0;
  bool too_long_ = false;
};

/// A quoted field; `at` stands behind its first quote, and then behind its last.
bool read_quoted(std::string_view line, std::size_t& at, std::string& field) {
  for (; at < line.size(); ++at) {
    if (line[at] != '"') {
      field += line[at];
    } else if (at + 1 < line.size() && line[at + 1] == '"') {
      field += line[at++];
    } else {
      ++at;
      return true;
    }
  }
  return false;
}

Result<std::vector<std::string>> split(std::string_view line) {
  std::vector<std::string> fields;
  for (std::size_t at = 0;; ++at) {
    std::string field;
    if (at < line.size() && line[at] == '"') {
      if (!read_quoted(line, ++at, field)) {
        return Error{"a quote is opened and not closed: close it on the same line"};
      }
      if (at < line.size() && line[at] != ',') {
        return Error{"something follows a closing quote: double quotes that belong to a field"};
      }
    } else {
      while (at < line.size() && line[at] != ',') field += line[at++];
      if (field.find('"') != std::string::npos) {
        return Error{"a quote in a field without quotes: quote the field, and double that quote"};
      }
    }
    fields.push_back(std::move(field));
    if (at >= line.size()) return fields;
  }
}

/// Takes one file apart. Holds what its lines say and what is wrong with them.
class Reader {
 public:
  explicit Reader(std::istream& in) : lines_(in) {}

  AgentFile read() && {
    if (!lines_.next()) {
      complain("", "the file is empty: begin it with the line " + all_columns());
      return std::move(file_);
    }
    if (!read_header()) return std::move(file_);
    std::size_t count = 0;
    while (lines_.next()) {
      if (!lines_.too_long() && trim(lines_.text()).empty()) continue;
      if (++count > most_agent_lines) {
        complain("", "more than 100000 agents: split the file");
        break;
      }
      read_row();
    }
    return std::move(file_);
  }

 private:
  void complain(std::string_view column, std::string text) {
    file_.complaints.push_back({lines_.number(), std::string(column), std::move(text)});
  }

  /// Nothing where the line can't be read; then that has been said.
  std::optional<std::vector<std::string>> fields_of(std::string_view line) {
    if (lines_.too_long()) {
      complain("", "is longer than 4096 bytes: is this the right file?");
      return std::nullopt;
    }
    auto fields = split(line);
    if (fields) return *std::move(fields);
    complain("", fields.error().message);
    return std::nullopt;
  }

  bool read_header() {
    std::string_view line = lines_.text();
    if (line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
    const auto names = fields_of(line);
    if (!names) return false;
    for (const std::string& given : *names) {
      const std::string name(trim(given));
      const auto found = std::find(columns.begin(), columns.end(), name);
      const auto column = static_cast<std::size_t>(found - columns.begin());
      // The line may be an agent's, and its fields anything: they are not repeated.
      if (found == columns.end()) {
        complain("", "column " + std::to_string(places_.size() + 1) +
                         " is not known: the first line names the columns, separated by commas: " +
                         all_columns());
      } else if (std::find(places_.begin(), places_.end(), column) != places_.end()) {
        complain(name, "is named twice: leave one out");
      }
      places_.push_back(column);
    }
    for (std::size_t column = 0; column < needed_columns; ++column) {
      if (std::find(places_.begin(), places_.end(), column) != places_.end()) continue;
      complain(columns[column], "is missing in the first line: add the column");
    }
    return file_.complaints.empty();
  }

  void read_row() {
    auto fields = fields_of(lines_.text());
    if (!fields) return;
    if (fields->size() != places_.size()) {
      complain("", "has " + std::to_string(fields->size()) + " fields, the first line " +
                       std::to_string(places_.size()) + ": give each column one");
      return;
    }
    std::array<std::string, columns.size()> values;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const bool password = columns[places_[i]] == "password";  // may hold blanks at its ends
      values[places_[i]] = password ? (*fields)[i] : std::string(trim((*fields)[i]));
    }
    const std::size_t before = file_.complaints.size();
    for (std::size_t column = 0; column < needed_columns; ++column) {
      if (values[column].empty()) complain(columns[column], "is empty: fill it in");
    }
    AgentRow row;
    row.line = lines_.number();
    row.wish.channel = std::move(values[0]);
    row.wish.agent = std::move(values[1]);
    row.wish.tenant = std::move(values[2]);
    if (!values[3].empty()) row.wish.handset = std::move(values[3]);
    if (!values[4].empty()) row.wish.password = std::move(values[4]);
    if (values[5] == "online" || values[5] == "offline") {
      row.wish.online = values[5] == "online";
    } else if (!values[5].empty()) {
      complain("desired",
               "must be online or offline, or empty: then it stays, a new one is online");
    }
    if (file_.complaints.size() == before) file_.rows.push_back(std::move(row));
  }

  Lines lines_;
  std::vector<std::size_t> places_;  // of the file's columns among `columns`
  AgentFile file_;
};

}  // namespace

AgentFile read_agent_file(std::istream& in) {
  return Reader(in).read();
}

}  // namespace cc
