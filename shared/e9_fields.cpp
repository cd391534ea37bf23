#include "e9_fields.hpp"

#include <algorithm>

#include "text.hpp"

namespace cc {

namespace {

// In the order of E9Field.
constexpr std::array<std::string_view, e9_field_count> names = {
    "action",   "appId",       "callId",    "caller",     "called",
    "userFlag", "dateCreated", "userData",  "startTimeA", "startTimeB",
    "endTime",  "duration",    "recordUrl", "byeType",    "statusCode"};

constexpr std::size_t index_of(E9Field field) noexcept {
  return static_cast<std::size_t>(field);
}

}  // namespace

std::optional<E9Field> e9_field_from_name(std::string_view name) noexcept {
  if (name.empty()) return std::nullopt;
  for (std::size_t i = 0; i < names.size(); ++i) {
    // Asked for each tag of each callback: the last letter settles it before any call.
    if (names[i].size() == name.size() && names[i].back() == name.back() && names[i] == name) {
      return static_cast<E9Field>(i);
    }
  }
  return std::nullopt;
}

bool E9Fields::any() const noexcept {
  return std::any_of(raw_.begin(), raw_.end(), [](const auto& raw) { return raw.has_value(); });
}

bool E9Fields::found(E9Field field) const noexcept {
  return raw_[index_of(field)].has_value();
}

bool E9Fields::complete() const noexcept {
  return identity_only && found(E9Field::app_id) && found(E9Field::call_id);
}

void E9Fields::offer(E9Field field, std::string_view raw) noexcept {
  if (!found(field)) replace(field, raw);
}

void E9Fields::replace(E9Field field, std::string_view raw) noexcept {
  raw_[index_of(field)] = raw;
}

std::string_view E9Fields::view(E9Field field, std::string& scratch) const {
  std::string_view value = trim(raw_[index_of(field)].value_or(std::string_view{}));
  // Not find_first_of: that asks for each byte by itself.
  if (syntax == E9Syntax::xml &&
      (value.find('&') != std::string_view::npos || value.find('<') != std::string_view::npos)) {
    scratch = decode_xml_text(value);
    value = trim(scratch);
  } else if (syntax == E9Syntax::json && value.find('\\') != std::string_view::npos) {
    scratch = decode_json_string(value);
    value = trim(scratch);
  }
  return value == "null" ? std::string_view{} : value;
}

std::string E9Fields::text(E9Field field) const {
  std::string scratch;
  return std::string(view(field, scratch));
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) code_point = 0xFFFD;
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | (code_point >> 6));
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | (code_point >> 12));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | (code_point >> 18));
    put(0x80 | ((code_point >> 12) & 0x3F));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

namespace {

E9Fields read(std::string_view body, bool identity_only) {
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  body = trim(body);
  E9Fields fields;
  fields.identity_only = identity_only;
  if (body.starts_with('<')) {
    fields.syntax = E9Syntax::xml;
    read_e9_xml(body, fields);
  } else if (body.starts_with('{')) {
    fields.syntax = E9Syntax::json;
    read_e9_json(body, fields);
  }
  return fields;
}

}  // namespace

E9Fields read_e9_fields(std::string_view body) {
  return read(body, false);
}

E9Fields read_e9_identity(std::string_view body) {
  return read(body, true);
}

}  // namespace cc
