#include "envelope.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "text.hpp"

namespace cc {

namespace {

constexpr std::string_view empty_field = "-";

// Every byte may become three; the rest is the version, the time, the source and the spaces.
constexpr std::size_t max_header =
    3 * (max_subject + max_address + max_query_string + max_content_type) + 64;

void append_field(std::string& out, std::string_view value, std::size_t bound) {
  out += ' ';
  value = value.substr(0, bound);
  if (value.empty()) {
    out += empty_field;
  } else if (value == empty_field) {
    out += "%2D";  // a lone "-" would read as empty
  } else {
    append_percent_encoded(out, value);
  }
}

std::size_t header_guess(const Delivery& d) {
  return 64 + d.subject.size() + d.address.size() + d.query_string.size() + d.content_type.size();
}

/// A piece of what came, fit for a message.
std::string excerpt(std::string_view bytes) {
  bool cut = false;
  std::string text = cut_to_width(repair_utf8(bytes.substr(0, 64)), 32, cut);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

Error malformed(std::string_view what) {
  return Error{"envelope header: " + std::string(what) +
               "; it is kept as a dead letter, look at who wrote it"};
}

bool decode_field(std::string_view text, std::size_t bound, std::string& out) {
  if (text.empty()) return false;
  if (text == empty_field) return true;
  auto value = percent_decode(text);
  if (!value || value->size() > bound) return false;
  out = *std::move(value);
  return true;
}

}  // namespace

std::string_view to_text(Source source) noexcept {
  switch (source) {
    case Source::callback:
      return "callback";
    case Source::poll:
      return "poll";
    case Source::query:
      return "query";
    case Source::cc:
      return "cc";
  }
  return "callback";
}

Result<Source> source_from_text(std::string_view text) {
  for (const Source source : {Source::callback, Source::poll, Source::query, Source::cc}) {
    if (text == to_text(source)) return source;
  }
  return Error{"source '" + excerpt(text) + "' is none of callback, poll, query, cc"};
}

void append_envelope_header(std::string& out, const Delivery& delivery) {
  out += envelope_version;
  out += ' ';
  std::array<char, 24> number{};
  const auto end =
      std::to_chars(number.data(), number.data() + number.size(), delivery.received_ms).ptr;
  out.append(number.data(), end);
  out += ' ';
  out += to_text(delivery.source);
  append_field(out, delivery.subject, max_subject);
  append_field(out, delivery.address, max_address);
  append_field(out, delivery.query_string, max_query_string);
  append_field(out, delivery.content_type, max_content_type);
  out += '\n';
}

std::string encode_envelope(const Delivery& delivery) {
  std::string out;
  out.reserve(header_guess(delivery) + delivery.body.size());
  append_envelope_header(out, delivery);
  out += delivery.body;
  return out;
}

Result<Delivery> decode_envelope(std::string_view channel, std::string_view envelope) {
  const auto space = envelope.find(' ');
  const std::string_view version = envelope.substr(0, std::min(space, envelope.find('\n')));
  if (version != envelope_version) {
    return Error{"envelope version '" + excerpt(version) + "' is unknown: this build reads " +
                 std::string(envelope_version) + " only, a newer one may have written it"};
  }
  const auto newline = envelope.substr(0, max_header).find('\n');
  if (newline == std::string_view::npos) return malformed("no newline ends it");

  std::array<std::string_view, 7> field;
  std::string_view rest = envelope.substr(0, newline);
  for (std::size_t i = 0; i < field.size(); ++i) {
    const auto stop = rest.find(' ');
    const bool last = i + 1 == field.size();
    if ((stop == std::string_view::npos) != last) return malformed("it must have 7 fields");
    field[i] = rest.substr(0, stop);
    rest.remove_prefix(last ? rest.size() : stop + 1);
  }

  Delivery delivery;
  delivery.channel = channel;
  const auto received = parse_integer(field[1]);
  if (!received || *received < 0) {
    return malformed("received-ms is '" + excerpt(field[1]) + "', no time in milliseconds");
  }
  delivery.received_ms = *received;
  const auto source = source_from_text(field[2]);
  if (!source || *source == Source::cc) {
    return malformed("source '" + excerpt(field[2]) + "' is none of callback, poll, query");
  }
  delivery.source = *source;
  if (!decode_field(field[3], max_subject, delivery.subject) ||
      !decode_field(field[4], max_address, delivery.address) ||
      !decode_field(field[5], max_query_string, delivery.query_string) ||
      !decode_field(field[6], max_content_type, delivery.content_type)) {
    return malformed("a field is empty, too long or wrongly percent-encoded");
  }
  delivery.body = envelope.substr(newline + 1);
  return delivery;
}

}  // namespace cc
