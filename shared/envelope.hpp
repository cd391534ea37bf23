// The envelope: how one delivery stands in a Redis stream, in a spool file and in call_event.raw.
// design.md section 4: one header line, then the raw bytes exactly as they came.
//
//   v1 <received-ms> <callback|poll|query> <subject|-> <ip|-> <query string|-> <content
//   type|->\n<raw>
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "result.hpp"

namespace cc {

enum class Source : std::uint8_t { callback, poll, query, cc };

std::string_view to_text(Source source) noexcept;
Result<Source> source_from_text(std::string_view text);

/// One push of a channel or one answer of a poll or a query.
struct Delivery {
  std::string channel;  // the channel's code; the stream field's name, not part of the envelope
  std::int64_t received_ms = 0;
  Source source = Source::callback;
  std::string subject;       // the agent (poll) or our call id (query); empty for a callback
  std::string address;       // the sender's IP
  std::string query_string;  // as it stood in the URL, without '?'
  std::string content_type;
  std::string body;  // never altered
};

/// The version that this build writes, for status pages.
inline constexpr std::string_view envelope_version = "v1";

/// Bounds of the header's fields before encoding, bytes. Longer ones are cut; of these only the
/// query string is part of the delivery key, and it is bounded by NGINX's own request line.
inline constexpr std::size_t max_subject = 128;
inline constexpr std::size_t max_address = 64;
inline constexpr std::size_t max_query_string = 32 * 1024;
inline constexpr std::size_t max_content_type = 256;

/// The header line, with its newline, appended to `out`. The body follows it.
void append_envelope_header(std::string& out, const Delivery& delivery);

std::string encode_envelope(const Delivery& delivery);

/// The same with the body as a view, for callers that own it elsewhere.
/// Errors: unknown version (names it), a malformed header, no newline.
Result<Delivery> decode_envelope(std::string_view channel, std::string_view envelope);

}  // namespace cc
