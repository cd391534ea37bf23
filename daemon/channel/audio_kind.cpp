#include "channel/audio_kind.hpp"

namespace cc {
namespace {

using namespace std::string_view_literals;

unsigned byte_at(std::string_view text, std::size_t at) noexcept {
  return static_cast<unsigned char>(text[at]);
}

/// The header of an MPEG audio frame (ISO 11172-3, 2.4.1.3): no reserved value in it.
bool begins_mpeg_frame(std::string_view begin) noexcept {
  if (begin.size() < 3 || byte_at(begin, 0) != 0xFF || (byte_at(begin, 1) & 0xE0U) != 0xE0U) {
    return false;
  }
  const unsigned version = byte_at(begin, 1) >> 3U & 3U, layer = byte_at(begin, 1) >> 1U & 3U;
  const unsigned rate = byte_at(begin, 2) >> 4U, sampling = byte_at(begin, 2) >> 2U & 3U;
  return version != 1 && layer != 0 && rate != 15 && sampling != 3;
}

}  // namespace

std::optional<AudioKind> audio_kind(std::string_view begin) noexcept {
  if (begin.starts_with("RIFF"sv) && begin.substr(0, 12).ends_with("WAVE"sv)) {
    return AudioKind{"audio/wav", ".wav"};
  }
  if (begin.starts_with("ID3"sv) || begins_mpeg_frame(begin))
    return AudioKind{"audio/mpeg", ".mp3"};
  if (begin.starts_with("#!AMR"sv)) return AudioKind{"audio/amr", ".amr"};
  if (begin.starts_with("OggS"sv)) return AudioKind{"audio/ogg", ".ogg"};
  if (begin.starts_with("fLaC"sv)) return AudioKind{"audio/flac", ".flac"};
  if (begin.size() >= 8 && begin.substr(4, 4) == "ftyp"sv) return AudioKind{"audio/mp4", ".m4a"};
  return std::nullopt;
}

bool begins_zip(std::string_view begin) noexcept {
  return begin.starts_with("PK\x03\x04"sv);
}

}  // namespace cc
