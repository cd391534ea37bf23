#include "binding/binding_csv.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace cc {
namespace {

constexpr std::array<CsvColumn, 4> columns{
    CsvColumn{"user", true, false}, CsvColumn{"lines", true, false},
    CsvColumn{"phone", false, false}, CsvColumn{"fallback", false, false}};
constexpr std::string_view separators = " \t;";

/// "hw/291 e9/13912345678", or nothing where it is not like that.
std::optional<std::vector<Binding::Line>> lines_of(std::string_view text) {
  std::vector<Binding::Line> lines;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find_first_of(separators));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (word.empty()) continue;
    const std::size_t slash = word.find('/');
    if (slash == 0 || slash == std::string_view::npos || slash + 1 == word.size()) {
      return std::nullopt;
    }
    lines.push_back({std::string(word.substr(0, slash)), std::string(word.substr(slash + 1))});
  }
  return lines;
}

}  // namespace

BindingFile read_binding_file(std::istream& in, const std::string& tenant) {
  CsvReader csv(in, columns, "bindings");
  BindingFile file;
  while (std::optional<CsvRow> read = csv.next()) {
    std::vector<std::string>& values = read->values;
    bool right = read->whole;
    BindingRow row;
    row.line = read->line;
    row.wish.tenant = tenant;
    row.wish.user = std::move(values[0]);
    if (auto lines = lines_of(values[1])) {
      row.wish.lines = *std::move(lines);
    } else {
      csv.complain("lines",
                   "must be like hw/291 e9/<phone>: a channel's code, a slash and the line, "
                   "separated by blanks or ;");
      right = false;
    }
    if (!values[2].empty()) row.wish.phone = std::move(values[2]);
    if (!values[3].empty() && values[3] != "auto" && values[3] != "never") {
      csv.complain("fallback", "must be auto or never, or empty: auto");
      right = false;
    }
    row.wish.fallback = values[3] != "never";
    if (right) file.rows.push_back(std::move(row));
  }
  file.complaints = std::move(csv).complaints();
  return file;
}

}  // namespace cc
