// A recording's bytes: an MP3 of any size that plays as silence, made up while it is read. Whoever
// knows the call's id can make the same bytes (README.md).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace jiuyun {

class Sound {
 public:
  // So many frames of nothing but silence.
  static Sound silence(int frames);
  // So many bytes; what no player reads of them is pseudo-random.
  static Sound of_call(std::string_view call_id, std::uint64_t bytes);

  std::uint64_t size() const { return size_; }
  // The bytes from `offset` on, up to the sound's end. Returns how many.
  std::size_t read(std::uint64_t offset, std::span<unsigned char> into) const;
  std::string md5() const;  // hex; reads it all

 private:
  std::uint64_t size_ = 0;
  std::uint64_t seed_ = 0;
  bool random_ = false;
};

// A number from 0 up to 1 that depends on the two alone.
double drawn(std::string_view call_id, std::uint64_t ordinal);

}  // namespace jiuyun
