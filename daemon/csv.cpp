#include "csv.hpp"

#include <algorithm>
#include <utility>

#include "result.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

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

}  // namespace

CsvReader::CsvReader(std::istream& in, std::span<const CsvColumn> columns, std::string_view what)
    : in_(in), columns_(columns), what_(what) {
  if (!next_line()) {
    complain("", "the file is empty: begin it with the line " + all_columns());
    ended_ = true;
  } else {
    ended_ = !read_header();
  }
}

std::optional<CsvRow> CsvReader::next() {
  while (!ended_ && next_line()) {
    if (!too_long_ && trim(line_).empty()) continue;
    if (++rows_ > most_csv_lines) {
      complain("", "more than 100000 " + what_ + ": split the file");
      break;
    }
    if (auto row = read_row()) return row;
  }
  ended_ = true;
  return std::nullopt;
}

void CsvReader::complain(std::string_view column, std::string text) {
  complaints_.push_back({number_, std::string(column), std::move(text)});
}

/// Lines of a bounded length, whatever the file is. False at the end.
bool CsvReader::next_line() {
  line_.clear();
  too_long_ = false;
  ++number_;
  std::streambuf& bytes = *in_.rdbuf();
  bool any = false;
  for (int c = bytes.sbumpc(); c != std::char_traits<char>::eof(); c = bytes.sbumpc()) {
    any = true;
    if (c == '\n') break;
    too_long_ = too_long_ || line_.size() == longest_csv_line;
    if (!too_long_) line_ += static_cast<char>(c);
  }
  if (line_.ends_with('\r')) line_.pop_back();
  return any;
}

/// Nothing where the line can't be read; then that has been said.
std::optional<std::vector<std::string>> CsvReader::fields_of(std::string_view line) {
  if (too_long_) {
    complain("", "is longer than 4096 bytes: is this the right file?");
    return std::nullopt;
  }
  auto fields = split(line);
  if (fields) return *std::move(fields);
  complain("", fields.error().message);
  return std::nullopt;
}

bool CsvReader::read_header() {
  std::string_view line = line_;
  if (line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
  const auto names = fields_of(line);
  if (!names) return false;
  for (const std::string& given : *names) {
    const std::string name(trim(given));
    const auto found = std::find_if(columns_.begin(), columns_.end(),
                                    [&](const CsvColumn& one) { return one.name == name; });
    const auto column = static_cast<std::size_t>(found - columns_.begin());
    // The line may be a row already, and its fields anything: they are not repeated.
    if (found == columns_.end()) {
      complain("", "column " + std::to_string(places_.size() + 1) +
                       " is not known: the first line names the columns, separated by commas: " +
                       all_columns());
    } else if (std::find(places_.begin(), places_.end(), column) != places_.end()) {
      complain(name, "is named twice: leave one out");
    }
    places_.push_back(column);
  }
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    if (!columns_[column].needed) continue;
    if (std::find(places_.begin(), places_.end(), column) != places_.end()) continue;
    complain(columns_[column].name, "is missing in the first line: add the column");
  }
  return complaints_.empty();
}

std::optional<CsvRow> CsvReader::read_row() {
  auto fields = fields_of(line_);
  if (!fields) return std::nullopt;
  if (fields->size() != places_.size()) {
    complain("", "has " + std::to_string(fields->size()) + " fields, the first line " +
                     std::to_string(places_.size()) + ": give each column one");
    return std::nullopt;
  }
  CsvRow row{number_, std::vector<std::string>(columns_.size()), true};
  for (std::size_t i = 0; i < places_.size(); ++i) {
    std::string& field = (*fields)[i];
    row.values[places_[i]] =
        columns_[places_[i]].verbatim ? std::move(field) : std::string(trim(field));
  }
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    if (!columns_[column].needed || !row.values[column].empty()) continue;
    complain(columns_[column].name, "is empty: fill it in");
    row.whole = false;
  }
  return row;
}

std::string CsvReader::all_columns() const {
  std::string list;
  for (const CsvColumn& column : columns_) {
    list.append(list.empty() ? "" : ", ").append(column.name);
  }
  return list;
}

}  // namespace cc
