// Several WAV files made into one: a call that was recorded in pieces. Pure; works on headers
// alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cc {

/// What a WAV file's header says.
struct WavShape {
  std::string format;           // the format's 16 bytes, as they are
  std::uint64_t data_at = 0;    // where the samples begin
  std::uint64_t data_size = 0;  // bytes of samples; 0 = whoever wrote it did not know

  unsigned code() const noexcept;   // 1 PCM, 6 A-law, 7 µ-law, …
  unsigned block() const noexcept;  // bytes of a sample of all channels, at least 1

  /// Of a file so long: the bytes of its whole samples, whatever its header says.
  std::uint64_t samples_of(std::uint64_t file_size) const noexcept;
};

/// Nothing where it is no WAV file, or one whose samples don't begin within these bytes.
std::optional<WavShape> read_wav(std::string_view begin);

/// Whether the samples of such files can be put one behind the other: PCM, A-law and µ-law.
bool can_join(const WavShape& shape) noexcept;

/// What stands before so many bytes of samples. Nothing where a WAV file can't hold so many. An odd
/// number of them wants one more byte behind.
std::optional<std::string> wav_header(const WavShape& shape, std::uint64_t samples);

/// How many bytes of a file are looked at for its header.
inline constexpr std::size_t wav_begin = std::size_t{64} * 1024;

}  // namespace cc
