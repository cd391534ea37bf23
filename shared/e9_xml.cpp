// Jiuyun's XML, which is glued together without escaping: no XML parser would take it. Elements are
// looked for by name; the structure above them is ignored.
#include <bitset>
#include <charconv>
#include <cstring>

#include "e9_fields.hpp"

namespace cc {

namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::string_view white = " \t\r\n";
constexpr std::string_view cdata_open = "<![CDATA[";
constexpr std::string_view cdata_close = "]]>";
constexpr std::string_view user_data_open = "<userData";
constexpr std::string_view user_data_close = "</userData";

// find_first_of asks memchr about every byte: too slow for what runs at each tag of each callback.
constexpr bool ends_name(char c) noexcept {
  return c == '>' || c == ' ' || c == '/' || c == '\t' || c == '\r' || c == '\n';
}

/// Behind the next `mark`, or npos.
std::size_t after(std::string_view text, std::size_t from, std::string_view mark) noexcept {
  const auto at = text.find(mark, from);
  return at == npos ? npos : at + mark.size();
}

/// Where the element's closing tag starts, or npos. CDATA sections are stepped over.
std::size_t find_close(std::string_view text, std::size_t from, std::string_view name) noexcept {
  for (auto at = text.find('<', from); at != npos;) {
    const auto rest = text.substr(at);
    if (rest.starts_with(cdata_open)) {
      at = after(text, at, cdata_close);
      if (at != npos) at = text.find('<', at);
      continue;
    }
    if (rest.starts_with("</") && rest.substr(2).starts_with(name)) {
      const auto next = rest.substr(2 + name.size(), 1);
      if (next == ">" || (!next.empty() && white.find(next[0]) != npos)) return at;
    }
    at = text.find('<', at + 1);
  }
  return npos;
}

/// Collects the known elements of a part that holds no userData.
void scan(std::string_view text, E9Fields& out) {
  std::bitset<e9_field_count> unclosed;  // searched for once only: the scan stays linear
  for (auto at = text.find('<'); at != npos; at = at == npos ? npos : text.find('<', at)) {
    const char kind = at + 1 < text.size() ? text[at + 1] : '\0';
    if (kind == '!') {
      const auto rest = text.substr(at);
      if (rest.starts_with("<!--")) {
        at = after(text, at, "-->");
        continue;
      }
      if (rest.starts_with(cdata_open)) {
        at = after(text, at, cdata_close);
        continue;
      }
    }
    const auto bracket = text.find('>', at);
    if (bracket == npos) return;
    const auto tag_end = bracket + 1;
    auto name_end = at + 1;
    while (!ends_name(text[name_end])) ++name_end;
    const auto name = text.substr(at + 1, name_end - at - 1);
    const auto field = e9_field_from_name(name);
    at = tag_end;
    if (!field || unclosed.test(static_cast<std::size_t>(*field))) continue;
    if (text[tag_end - 2] == '/') {
      out.offer(*field, {});
      continue;
    }
    const auto close = find_close(text, tag_end, name);
    if (close == npos) {
      // Cut off in its middle: half a value is worse than none.
      unclosed.set(static_cast<std::size_t>(*field));
      continue;
    }
    out.offer(*field, text.substr(tag_end, close - tag_end));
    if (out.complete()) return;
    at = close;
  }
}

/// Looks for the name's one capital, which is rare in these bodies: much quicker than to stop at
/// every '<', or than memmem for so few bytes.
std::size_t find_open(std::string_view body, std::size_t from) noexcept {
  constexpr auto capital = user_data_open.find('D');
  for (auto at = body.find('D', from + capital); at != npos; at = body.find('D', at + 1)) {
    if (body.substr(at - capital).starts_with(user_data_open)) return at - capital;
  }
  return npos;
}

/// The start of the first <userData> tag and the end of that tag.
std::size_t find_user_data(std::string_view body, std::size_t& value_start) noexcept {
  for (auto at = find_open(body, 0); at != npos; at = find_open(body, at + 1)) {
    const auto next = body.substr(at + user_data_open.size(), 1);
    if (next.empty()) return npos;
    if (next == ">" || white.find(next[0]) != npos) {
      value_start = after(body, at, ">");
      return value_start == npos || body[value_start - 2] == '/' ? npos : at;
    }
  }
  return npos;
}

void append_entity(std::string& out, std::string_view name, std::string_view whole) {
  if (name == "lt") {
    out += '<';
  } else if (name == "gt") {
    out += '>';
  } else if (name == "amp") {
    out += '&';
  } else if (name == "quot") {
    out += '"';
  } else if (name == "apos") {
    out += '\'';
  } else if (name.starts_with('#') && name.size() > 1) {
    const bool hex = name[1] == 'x' || name[1] == 'X';
    const auto digits = name.substr(hex ? 2 : 1);
    const char* const end = digits.data() + digits.size();
    std::uint32_t code = 0;
    const auto [stop, error] = std::from_chars(digits.data(), end, code, hex ? 16 : 10);
    if (error == std::errc{} && stop == end && !digits.empty()) {
      append_utf8(out, code);
    } else {
      out += whole;
    }
  } else {
    out += whole;
  }
}

}  // namespace

void read_e9_xml(std::string_view body, E9Fields& out) {
  // userData comes unescaped and may hold whole elements, "</userData>" too: everything from its
  // first opening tag to the very last closing one is its own, and no field is looked for in there.
  std::size_t value_start = 0;
  const auto start = find_user_data(body, value_start);
  if (start == npos) {
    scan(body, out);
    return;
  }
  scan(body.substr(0, start), out);
  if (out.complete()) return;
  const auto close = body.rfind(user_data_close);
  if (close == npos || close < value_start) return;  // cut off inside: the rest is userData
  out.offer(E9Field::user_data, body.substr(value_start, close - value_start));
  const auto close_end = after(body, close, ">");
  if (close_end != npos) scan(body.substr(close_end), out);
}

std::string decode_xml_text(std::string_view raw) {
  constexpr std::size_t longest_entity = 12;  // "&#x0010FFFF;"
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size();) {
    const auto rest = raw.substr(i);
    if (rest.starts_with(cdata_open)) {
      const auto close = rest.find(cdata_close);
      const auto inner =
          rest.substr(cdata_open.size(), close == npos ? npos : close - cdata_open.size());
      out += inner;
      i = close == npos ? raw.size() : i + close + cdata_close.size();
      continue;
    }
    if (raw[i] == '&') {
      const auto semicolon = rest.substr(0, longest_entity).find(';');
      if (semicolon != npos) {
        append_entity(out, rest.substr(1, semicolon - 1), rest.substr(0, semicolon + 1));
        i += semicolon + 1;
        continue;
      }
    }
    out += raw[i++];
  }
  return out;
}

}  // namespace cc
