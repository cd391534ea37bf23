#include "call_csv.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <boost/json.hpp>

namespace cc::api {
namespace {

namespace json = boost::json;

constexpr std::string_view line_end = "\r\n";

/// Spreadsheets of Chinese and Japanese systems take the wide forms too.
constexpr std::array<std::string_view, 11> beginnings{"=",  "+",  "-",  "@",  "\t", "\r",
                                                      "\n", "＝", "＋", "－", "＠"};

bool is_formula(std::string_view text) {
  const bool begins = std::any_of(beginnings.begin(), beginnings.end(),
                                  [&](std::string_view begin) { return text.starts_with(begin); });
  if (!begins) return false;
  const bool signed_number =
      text.size() > 1 && (text.front() == '+' || text.front() == '-') &&
      std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return !signed_number;
}

void add_cell(std::string& line, std::string_view text) {
  const std::string_view guard = is_formula(text) ? "'" : "";
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    line.append(guard).append(text);
    return;
  }
  line.append("\"").append(guard);
  for (const char c : text) {
    line += c;
    if (c == '"') line += c;
  }
  line += '"';
}

void add_value(std::string& line, const json::value& value) {
  if (value.is_null()) return;
  if (const json::string* text = value.if_string()) {
    add_cell(line, *text);
  } else {
    line += json::serialize(value);  // numbers, true, false
  }
}

/// Calls `use(name, value)` for each column, in order.
template <class Use>
void each_column(const json::object& record, Use use) {
  for (const auto& member : record) {
    const json::object* parts = member.value().if_object();
    if (parts == nullptr) {
      use(std::string(member.key()), member.value());
      continue;
    }
    for (const auto& part : *parts) {
      std::string name(part.key());
      name.front() = static_cast<char>(name.front() - 'a' + 'A');
      use(std::string(member.key()) + name, part.value());
    }
  }
}

}  // namespace

std::string csv_header(Sight sight) {
  std::string line;
  each_column(to_object(StoredRecord{}, sight), [&](const std::string& name, const json::value&) {
    line.append(line.empty() ? "" : ",").append(name);
  });
  return line.append(line_end);
}

std::string csv_line(const StoredRecord& record, Sight sight) {
  std::string line;
  bool first = true;
  each_column(to_object(record, sight), [&](const std::string&, const json::value& value) {
    if (!first) line += ',';
    first = false;
    add_value(line, value);
  });
  return line.append(line_end);
}

}  // namespace cc::api
