#include "recording/wav_join.hpp"

#include <algorithm>

namespace cc {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t format_size = 16;
constexpr std::uint64_t unknown_size = 0xFFFFFFFF;  // of who writes without going back

std::uint64_t number_at(std::string_view text, std::size_t at, std::size_t bytes) noexcept {
  std::uint64_t number = 0;
  for (std::size_t i = bytes; i > 0; --i) {
    number = number << 8U | static_cast<unsigned char>(text[at + i - 1]);
  }
  return number;
}

void append_number(std::string& out, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i, number >>= 8U) out += static_cast<char>(number & 0xFFU);
}

}  // namespace

unsigned WavShape::code() const noexcept {
  return static_cast<unsigned>(number_at(format, 0, 2));
}

unsigned WavShape::block() const noexcept {
  return std::max(1U, static_cast<unsigned>(number_at(format, 12, 2)));
}

std::uint64_t WavShape::samples_of(std::uint64_t file_size) const noexcept {
  const std::uint64_t there = file_size > data_at ? file_size - data_at : 0;
  const std::uint64_t told = data_size == 0 ? there : std::min(data_size, there);
  return told - told % block();
}

std::optional<WavShape> read_wav(std::string_view begin) {
  if (!begin.starts_with("RIFF"sv) || begin.size() < 12 || begin.substr(8, 4) != "WAVE"sv) {
    return std::nullopt;
  }
  WavShape shape;
  for (std::size_t at = 12; begin.size() >= at + 8;) {
    const std::string_view name = begin.substr(at, 4);
    const std::uint64_t size = number_at(begin, at + 4, 4);
    at += 8;
    if (name == "data"sv) {
      if (shape.format.empty()) return std::nullopt;
      shape.data_at = at;
      shape.data_size = size == unknown_size ? 0 : size;
      return shape;
    }
    if (size > begin.size() - at) return std::nullopt;
    if (name == "fmt "sv) {
      if (size < format_size) return std::nullopt;
      shape.format = begin.substr(at, format_size);
    }
    at += static_cast<std::size_t>(size + size % 2);  // each begins at an even place
  }
  return std::nullopt;
}

bool can_join(const WavShape& shape) noexcept {
  return shape.code() == 1 || shape.code() == 6 || shape.code() == 7;
}

std::optional<std::string> wav_header(const WavShape& shape, std::uint64_t samples) {
  const bool pcm = shape.code() == 1;  // the others tell how many samples there are, too
  const std::uint64_t before = pcm ? 4 + 8 + 16 + 8 : 4 + 8 + 18 + 8 + 4 + 8;
  const std::uint64_t size = before + samples + samples % 2;
  if (size > unknown_size - 1) return std::nullopt;
  std::string out = "RIFF";
  append_number(out, size, 4);
  out += "WAVEfmt ";
  append_number(out, pcm ? 16 : 18, 4);
  out += shape.format;
  if (!pcm) {
    append_number(out, 0, 2);
    out += "fact";
    append_number(out, 4, 4);
    append_number(out, samples / shape.block(), 4);
  }
  out += "data";
  append_number(out, samples, 4);
  return out;
}

}  // namespace cc
