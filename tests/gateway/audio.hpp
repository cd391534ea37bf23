// A recording's bytes: a WAV of A-law made up while it is read. Whoever knows the call's id can
// make the same bytes (README.md).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gateway {

class Audio {
 public:
  static constexpr std::uint64_t header_size = 58;

  // The nth file of a call, from 1. The size is made even, as the format wants it.
  Audio(std::string_view call_id, std::int64_t n, std::uint64_t size);

  std::string const& name() const { return name_; }
  std::uint64_t size() const { return header_size + data_; }
  // The bytes from `offset` on, up to the file's end. Returns how many.
  std::size_t read(std::uint64_t offset, std::span<unsigned char> into) const;

 private:
  std::string name_;
  std::uint64_t seed_;
  std::uint64_t data_;
  std::string header_;
};

// A number from 0 up to 1 that depends on the two alone.
double drawn(std::string_view text, std::uint64_t ordinal);
// `number` as so many little-endian bytes.
std::string little(std::uint64_t number, int bytes);

}  // namespace gateway
