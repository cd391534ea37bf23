#include "spool_format.hpp"

#include <array>
#include <charconv>

#include "keys.hpp"
#include "text.hpp"

namespace cc {

namespace {

constexpr std::string_view magic = "cc-spool";
constexpr std::string_view version = "v1";
constexpr std::string_view mark = "\xCC\x53\x50\x31";
constexpr std::size_t lead = 12;       // mark, length, checksum
constexpr std::size_t least_body = 5;  // partition hash, length of the code
constexpr std::size_t salt_digits = 16;

void append_u32(std::string& out, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8)
    out += static_cast<char>((value >> shift) & 0xFF);
}

std::uint32_t u32_at(std::string_view bytes, std::size_t at) noexcept {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) {
    value |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  }
  return value;
}

/// Over salt, length and body, which stands behind the checksum's place.
std::uint32_t checksum(std::uint64_t salt, std::string_view length, std::string_view body) {
  std::array<char, 8> salt_bytes{};
  for (std::size_t i = 0; i < salt_bytes.size(); ++i) {
    salt_bytes[i] = static_cast<char>((salt >> (8 * i)) & 0xFF);
  }
  return crc32(body, crc32(length, crc32({salt_bytes.data(), salt_bytes.size()})));
}

Error not_a_spool(std::string_view why) {
  return Error{"no spool file of CC: " + std::string(why)};
}

enum class Look { whole, cut, none };

/// What stands at the beginning of `bytes`; `size` is that of a record that may stand there.
Look look(std::string_view bytes, std::uint64_t salt, std::size_t& size, SpoolRecord& record) {
  if (bytes.substr(0, mark.size()) != mark.substr(0, bytes.size())) return Look::none;
  size = lead;
  if (bytes.size() < lead) return Look::cut;
  const std::size_t length = u32_at(bytes, 4);
  if (length < least_body || length > least_body + max_spool_channel + max_spool_payload) {
    return Look::none;
  }
  size = lead + length;
  if (bytes.size() < size) return Look::cut;
  const std::string_view body = bytes.substr(lead, length);
  if (checksum(salt, bytes.substr(4, 4), body) != u32_at(bytes, 8)) return Look::none;
  const auto code_length = static_cast<unsigned char>(body[4]);
  if (least_body + code_length > body.size()) return Look::none;
  record.partition_hash = u32_at(body, 0);
  record.channel = body.substr(least_body, code_length);
  record.envelope = body.substr(least_body + code_length);
  return Look::whole;
}

}  // namespace

std::string hex_of(std::uint64_t salt) {
  std::string bytes;
  for (unsigned shift = 64; shift > 0; shift -= 8) {
    bytes += static_cast<char>((salt >> (shift - 8)) & 0xFF);
  }
  return to_hex(bytes);
}

std::string encode_spool_header(const SpoolHeader& header) {
  std::string out(magic);
  out += ' ';
  out += version;
  out += ' ';
  out += hex_of(header.salt);
  out += ' ';
  out += std::to_string(header.created_ms);
  out += ' ';
  for (const char c : std::string_view(header.writer).substr(0, 64)) {
    out += c > ' ' && c < 0x7F ? c : '-';
  }
  out += '\n';
  return out;
}

bool is_newer_spool(std::string_view bytes) noexcept {
  const std::string known = std::string(magic) + " " + std::string(version) + " ";
  return bytes.starts_with(known.substr(0, magic.size() + 2)) && !bytes.starts_with(known);
}

Result<SpoolHeader> decode_spool_header(std::string_view bytes, std::size_t& length) {
  const auto newline = bytes.substr(0, max_spool_header).find('\n');
  if (newline == std::string_view::npos) return not_a_spool("no line at its beginning");
  length = newline + 1;
  std::string_view rest = bytes.substr(0, newline);
  std::array<std::string_view, 5> field;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const auto space = rest.find(' ');
    field[i] = rest.substr(0, space);
    rest = space == std::string_view::npos ? std::string_view{} : rest.substr(space + 1);
  }
  if (field[0] != magic) return not_a_spool("its first line does not begin with cc-spool");
  if (field[1] != version) {
    return Error{"a spool file of version '" + repair_utf8(std::string(field[1].substr(0, 16))) +
                 "': this build reads " + std::string(version) +
                 " only, a newer one may have written it"};
  }
  SpoolHeader header;
  const auto* const end = field[2].data() + field[2].size();
  const auto salt = std::from_chars(field[2].data(), end, header.salt, 16);
  const auto created = parse_integer(field[3]);
  if (field[2].size() != salt_digits || salt.ec != std::errc{} || salt.ptr != end || !created ||
      *created < 0) {
    return not_a_spool("its first line is malformed");
  }
  header.created_ms = *created;
  header.writer = field[4];
  return header;
}

bool append_spool_record(std::string& out, std::uint64_t salt, const SpoolRecord& record) {
  if (record.channel.size() > max_spool_channel || record.envelope.size() > max_spool_payload) {
    return false;
  }
  const std::size_t begin = out.size();
  out.reserve(begin + lead + least_body + record.channel.size() + record.envelope.size());
  out += mark;
  append_u32(
      out, static_cast<std::uint32_t>(least_body + record.channel.size() + record.envelope.size()));
  append_u32(out, 0);  // the checksum's place
  append_u32(out, record.partition_hash);
  out += static_cast<char>(record.channel.size());
  out += record.channel;
  out += record.envelope;
  const std::string_view written = std::string_view(out).substr(begin);
  const std::uint32_t crc = checksum(salt, written.substr(4, 4), written.substr(lead));
  for (unsigned i = 0; i < 4; ++i) {
    out[begin + 8 + i] = static_cast<char>((crc >> (8 * i)) & 0xFF);
  }
  return true;
}

SpoolStep next_spool_record(std::string_view bytes, bool at_end, std::uint64_t salt) {
  SpoolStep step;
  if (bytes.empty()) return step;
  bool begins_cut = false;
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t size = 0;
    const Look seen = look(bytes.substr(at), salt, size, step.record);
    if (seen == Look::whole) {
      step.kind = at == 0 ? SpoolStep::Kind::record : SpoolStep::Kind::damaged;
      step.consumed = at == 0 ? size : at;
      return step;
    }
    if (seen == Look::cut && !at_end) {
      // Perhaps whole once more has been read; but what lies before it is done with.
      step.kind = at == 0 ? SpoolStep::Kind::partial : SpoolStep::Kind::damaged;
      step.consumed = at;
      step.wanted = at == 0 ? size : 0;
      return step;
    }
    begins_cut |= at == 0 && seen == Look::cut;
    const auto next = bytes.find(mark.front(), at + 1);
    at = next == std::string_view::npos ? bytes.size() : next;
  }
  step.kind = SpoolStep::Kind::damaged;
  step.consumed = bytes.size();
  step.torn = begins_cut;
  return step;
}

}  // namespace cc
