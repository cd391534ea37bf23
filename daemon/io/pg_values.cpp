// Parameters and results: PostgreSQL's text formats.
#include <charconv>
#include <cstring>
#include <string>

#include <libpq-fe.h>

#include "pg.hpp"

namespace cc::pg {
namespace {

void append_hex(std::string& out, std::string_view raw) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
}

// Always in quotes, so that "NULL", "" and blanks stay what they are.
void append_element(std::string& out, const std::string& value) {
  out += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void append_element(std::string& out, std::int64_t value) {
  out += std::to_string(value);
}

template <class T>
void append_element(std::string& out, const std::optional<T>& value) {
  if (value) {
    append_element(out, *value);
  } else {
    out += "NULL";
  }
}

template <class T>
Param literal(const std::vector<T>& values) {
  std::string out = "{";
  for (const T& value : values) {
    if (out.size() > 1) out += ',';
    append_element(out, value);
  }
  out += '}';
  return {std::move(out)};
}

void append_bytes(std::string& out, const std::string& raw) {
  out += "\"\\\\x";  // a backslash of its own for the array's reader
  append_hex(out, raw);
  out += '"';
}

void append_bytes(std::string& out, const std::optional<std::string>& raw) {
  if (raw) {
    append_bytes(out, *raw);
  } else {
    out += "NULL";
  }
}

template <class T>
Param bytes_literal(const std::vector<T>& values) {
  std::string out = "{";
  for (const T& value : values) {
    if (out.size() > 1) out += ',';
    append_bytes(out, value);
  }
  out += '}';
  return {std::move(out)};
}

const PGresult* as_result(const std::shared_ptr<void>& result) {
  return static_cast<const PGresult*>(result.get());
}

std::logic_error wrong(std::string_view column, const char* what) {
  return std::logic_error("column " + std::string(column) + " " + what);
}

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::int64_t to_integer(std::string_view text, std::string_view column) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw wrong(column, "is not an integer");
  }
  return value;
}

}  // namespace

Param bytes(std::string_view raw) {
  std::string out = "\\x";
  out.reserve(2 + 2 * raw.size());
  append_hex(out, raw);
  return {std::move(out)};
}

Param array(const std::vector<std::int64_t>& values) {
  return literal(values);
}
Param array(const std::vector<std::string>& values) {
  return literal(values);
}
Param array(const std::vector<std::optional<std::string>>& values) {
  return literal(values);
}
Param array(const std::vector<std::optional<std::int64_t>>& values) {
  return literal(values);
}

Param array_of_bytes(const std::vector<std::string>& raw) {
  return bytes_literal(raw);
}
Param array_of_bytes(const std::vector<std::optional<std::string>>& raw) {
  return bytes_literal(raw);
}

Rows::Rows(void* pg_result)
    : result_(pg_result, [](void* owned) { PQclear(static_cast<PGresult*>(owned)); }) {}

std::size_t Rows::size() const noexcept {
  return result_ ? static_cast<std::size_t>(PQntuples(as_result(result_))) : 0;
}

std::string_view Rows::command() const noexcept {
  return result_ ? PQcmdStatus(static_cast<PGresult*>(result_.get())) : "";
}

std::size_t Rows::affected() const noexcept {
  // The tag's last word: "UPDATE 3", "INSERT 0 3".
  const std::string_view tag = command();
  const std::string_view digits = tag.substr(tag.rfind(' ') + 1);
  std::size_t count = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  return count;
}

int Rows::column_of(std::string_view column) const {
  const PGresult* result = as_result(result_);
  const int count = result != nullptr ? PQnfields(result) : 0;
  for (int i = 0, at = next_column_; i < count; ++i, ++at) {
    if (at >= count) at = 0;
    const char* name = PQfname(result, at);
    if (std::strncmp(name, column.data(), column.size()) == 0 && name[column.size()] == '\0') {
      next_column_ = at + 1;
      return at;
    }
  }
  throw wrong(column, "is not in the result");
}

const char* Rows::value(std::size_t row, std::string_view column) const {
  if (row >= size()) throw std::logic_error("the result has no row " + std::to_string(row));
  const int at = column_of(column);
  const PGresult* result = as_result(result_);
  return PQgetisnull(result, static_cast<int>(row), at) != 0
             ? nullptr
             : PQgetvalue(result, static_cast<int>(row), at);
}

bool Rows::is_null(std::size_t row, std::string_view column) const {
  return value(row, column) == nullptr;
}

std::string_view Rows::text(std::size_t row, std::string_view column) const {
  const char* text = value(row, column);
  if (text == nullptr) throw wrong(column, "is null");
  return text;
}

std::int64_t Rows::integer(std::size_t row, std::string_view column) const {
  return to_integer(text(row, column), column);
}

bool Rows::boolean(std::size_t row, std::string_view column) const {
  const std::string_view value_text = text(row, column);
  if (value_text != "t" && value_text != "f") throw wrong(column, "is not a boolean");
  return value_text == "t";
}

std::string Rows::bytes(std::size_t row, std::string_view column) const {
  std::string_view hex = text(row, column);
  if (!hex.starts_with("\\x") || hex.size() % 2 != 0) throw wrong(column, "is not bytea");
  hex.remove_prefix(2);
  std::string raw(hex.size() / 2, '\0');
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);
    if (high < 0 || low < 0) throw wrong(column, "is not bytea");
    raw[i] = static_cast<char>(high * 16 + low);
  }
  return raw;
}

std::optional<std::string> Rows::opt_text(std::size_t row, std::string_view column) const {
  const char* text = value(row, column);
  if (text == nullptr) return std::nullopt;
  return std::string(text);
}

std::optional<std::int64_t> Rows::opt_integer(std::size_t row, std::string_view column) const {
  const char* text = value(row, column);
  if (text == nullptr) return std::nullopt;
  return to_integer(text, column);
}

}  // namespace cc::pg
