// What kind of sound a file holds, by its first bytes: what a channel calls it proves nothing.
#pragma once

#include <optional>
#include <string_view>

namespace cc {

struct AudioKind {
  std::string_view content_type;  // "audio/mpeg"
  std::string_view extension;     // ".mp3"
};

/// Nothing where they begin like no sound that we know.
std::optional<AudioKind> audio_kind(std::string_view begin) noexcept;

/// A zip file's first bytes.
bool begins_zip(std::string_view begin) noexcept;

}  // namespace cc
