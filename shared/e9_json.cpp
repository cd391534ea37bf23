// Jiuyun's JSON: pushes of its newer products and the answers of Records/query. Well-formed text is
// read by its structure; where an unescaped userData has broken that, by what surrounds userData.
#include "e9_fields.hpp"

namespace cc {

namespace {

constexpr auto npos = std::string_view::npos;
constexpr int deepest = 32;         // nesting that is stepped over
constexpr int deepest_wrapper = 4;  // {"resp":{"callNotify":{…}}} needs 3

void skip_white(std::string_view text, std::size_t& at) noexcept {
  const auto white = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (at < text.size() && white(text[at])) ++at;
}

bool take(std::string_view text, std::size_t& at, char wanted) noexcept {
  skip_white(text, at);
  if (at >= text.size() || text[at] != wanted) return false;
  ++at;
  return true;
}

/// A string at `at`; `inner` is what stands between its quotes, still escaped.
bool take_string(std::string_view text, std::size_t& at, std::string_view& inner) noexcept {
  skip_white(text, at);
  if (at >= text.size() || text[at] != '"') return false;
  const auto start = at + 1;
  for (auto i = start; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      inner = text.substr(start, i - start);
      at = i + 1;
      return true;
    }
  }
  return false;
}

/// A number or a literal.
bool take_token(std::string_view text, std::size_t& at, std::string_view& token) noexcept {
  skip_white(text, at);
  std::size_t end = at;
  while (end < text.size()) {
    const char c = text[end];
    const bool part = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '+' || c == '-' || c == '.';
    if (!part) break;
    ++end;
  }
  if (end == at) return false;
  token = text.substr(at, end - at);
  at = end;
  return true;
}

bool take_scalar(std::string_view text, std::size_t& at, std::string_view& value) noexcept {
  return take_string(text, at, value) || take_token(text, at, value);
}

/// An object or an array at `at`, stepped over by its brackets.
bool take_nested(std::string_view text, std::size_t& at, std::string_view& whole) noexcept {
  skip_white(text, at);
  const auto start = at;
  int depth = 0;
  for (auto i = text.find_first_of("\"{}[]", at); i != npos; i = text.find_first_of("\"{}[]", i)) {
    if (text[i] == '"') {
      std::string_view inner;
      if (!take_string(text, i, inner)) return false;
      continue;
    }
    depth += text[i] == '{' || text[i] == '[' ? 1 : -1;
    ++i;
    if (depth > deepest) return false;
    if (depth == 0) {
      whole = text.substr(start, i - start);
      at = i;
      return true;
    }
  }
  return false;
}

bool is_wrapper(std::string_view name) noexcept {
  return name == "resp" || name == "req" || name == "callNotify";
}

struct StructuredReader {
  E9Fields& out;
  E9Fields before_user_data{};
  bool user_data_seen = false;

  /// A name that comes twice: what stands before userData is beyond the reach of junk in it; behind
  /// it the last one is the vendor's own.
  void put(E9Field field, std::string_view raw) noexcept {
    if (!user_data_seen) {
      out.offer(field, raw);
      before_user_data.offer(field, raw);
    } else if (!before_user_data.found(field)) {
      out.replace(field, raw);
    }
    if (field == E9Field::user_data) user_data_seen = true;
  }

  bool read(std::string_view text, int depth) {
    std::size_t at = 0;
    if (!take(text, at, '{')) return false;
    while (!take(text, at, '}')) {
      std::string_view name;
      std::string_view value;
      if (!take_string(text, at, name) || !take(text, at, ':')) return false;
      skip_white(text, at);
      const char first = at < text.size() ? text[at] : '\0';
      const bool nested = first == '{' || first == '[';
      if (!(nested ? take_nested(text, at, value) : take_scalar(text, at, value))) return false;
      if (first == '{' && is_wrapper(name) && depth < deepest_wrapper) {
        if (!read(value, depth + 1)) return false;
      } else if (const auto field = e9_field_from_name(name)) {
        put(*field, value);
      }
      skip_white(text, at);
      if (at < text.size() && text[at] == '}') continue;
      if (!take(text, at, ',')) return false;
    }
    return true;
  }
};

/// The place of the name userData, or the text's end.
std::size_t find_user_data(std::string_view text) noexcept {
  constexpr std::string_view name = "\"userData\"";
  for (auto at = text.find(name); at != npos; at = text.find(name, at + 1)) {
    auto colon = at + name.size();
    if (take(text, colon, ':')) return at;
  }
  return text.size();
}

/// Everything of the form "name": scalar before userData, whatever stands around it.
void scan_head(std::string_view head, E9Fields& out) {
  for (auto at = head.find('"'); at != npos; at = head.find('"', at)) {
    std::string_view name;
    std::string_view value;
    auto next = at;
    if (!take_string(head, next, name)) return;
    // No name: its closing quote may be the opening one of the next string.
    at = next - 1;
    if (!take(head, next, ':')) continue;
    at = next;
    if (!take_scalar(head, next, value)) continue;
    at = next;
    if (const auto field = e9_field_from_name(name)) out.offer(*field, value);
  }
}

/// Members behind userData, read from the text's end towards it for as long as each of them ends
/// exactly where the one behind it starts. Nothing else there can be told from junk.
void scan_tail(std::string_view text, std::size_t user_data, E9Fields& out) {
  const auto last = text.find_last_not_of("} \t\r\n");
  std::size_t end = last == npos ? 0 : last + 1;
  for (auto comma = text.rfind(',', end); comma != npos && comma > user_data;
       comma = text.rfind(',', comma - 1)) {
    if (comma >= end) continue;
    const auto member = text.substr(0, end);
    auto at = comma + 1;
    std::string_view name;
    std::string_view value;
    if (!take_string(member, at, name) || !take(member, at, ':')) continue;
    if (!take_scalar(member, at, value)) continue;
    skip_white(member, at);
    if (at != end) continue;
    if (const auto field = e9_field_from_name(name)) out.offer(*field, value);
    end = text.find_last_not_of(" \t\r\n", comma - 1) + 1;
  }
}

bool read_hex4(std::string_view text, std::uint32_t& value) noexcept {
  if (text.size() < 4) return false;
  value = 0;
  for (const char c : text.substr(0, 4)) {
    const auto digit = std::string_view("0123456789abcdef").find(static_cast<char>(c | 0x20));
    if (digit == npos) return false;
    value = value * 16 + static_cast<std::uint32_t>(digit);
  }
  return true;
}

/// The code point of the escape at `raw` ("\uXXXX", perhaps a pair) and its length; 0 if it is
/// none.
std::size_t read_unicode_escape(std::string_view raw, std::uint32_t& code) noexcept {
  if (!raw.starts_with("\\u") || !read_hex4(raw.substr(2), code)) return 0;
  std::uint32_t low = 0;
  const bool high_half = code >= 0xD800 && code <= 0xDBFF;
  if (high_half && raw.substr(6).starts_with("\\u") && read_hex4(raw.substr(8), low) &&
      low >= 0xDC00 && low <= 0xDFFF) {
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    return 12;
  }
  return 6;
}

}  // namespace

void read_e9_json(std::string_view body, E9Fields& out) {
  E9Fields structured;
  structured.syntax = out.syntax;
  if (StructuredReader{structured}.read(body, 1)) {
    out = structured;
    return;
  }
  const auto user_data = find_user_data(body);
  scan_head(body.substr(0, user_data), out);
  if (user_data < body.size()) scan_tail(body, user_data, out);
}

std::string decode_json_string(std::string_view raw) {
  constexpr std::string_view plain = "\"\\/bfnrt";
  constexpr std::string_view meant = "\"\\/\b\f\n\r\t";
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size();) {
    if (raw[i] != '\\' || i + 1 >= raw.size()) {
      out += raw[i++];
      continue;
    }
    std::uint32_t code = 0;
    if (const auto length = read_unicode_escape(raw.substr(i), code)) {
      append_utf8(out, code);
      i += length;
    } else if (const auto which = plain.find(raw[i + 1]); which != npos) {
      out += meant[which];
      i += 2;
    } else {
      out += raw[i++];  // no escape that JSON knows: as it stands
    }
  }
  return out;
}

}  // namespace cc
