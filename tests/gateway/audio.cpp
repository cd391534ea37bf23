#include "audio.hpp"

#include <algorithm>

namespace gateway {

namespace {

constexpr std::uint64_t stretch = 160;  // bytes: 20 ms of noise, 20 ms of silence, by turns
constexpr unsigned char silence = 0xd5;

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::uint64_t splitmix(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// RIFF, fmt of WAVE_FORMAT_ALAW (6), fact, data: one channel, 8000 Hz, 8 bits.
std::string header_of(std::uint64_t data) {
  return "RIFF" + little(Audio::header_size - 8 + data, 4) + "WAVEfmt " + little(18, 4) +
         little(6, 2) + little(1, 2) + little(8000, 4) + little(8000, 4) + little(1, 2) +
         little(8, 2) + little(0, 2) + "fact" + little(4, 4) + little(data, 4) + "data" +
         little(data, 4);
}

}  // namespace

std::string little(std::uint64_t number, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(number >> (8 * i));
  return out;
}

Audio::Audio(std::string_view call_id, std::int64_t n, std::uint64_t size)
    : name_(std::string(call_id) + "_" + std::to_string(n) + ".wav"),
      seed_(fnv1a(std::string(call_id) + "/" + std::to_string(n))),
      data_((std::max(size, header_size) - header_size) / 2 * 2),
      header_(header_of(data_)) {}

std::size_t Audio::read(std::uint64_t offset, std::span<unsigned char> into) const {
  std::size_t at = 0;
  for (; at < into.size() && offset < header_size; ++at, ++offset)
    into[at] = static_cast<unsigned char>(header_[static_cast<std::size_t>(offset)]);
  for (auto o = offset - header_size; at < into.size() && o < data_; ++at, ++o)
    into[at] = o / stretch % 2 != 0
                   ? silence
                   : static_cast<unsigned char>(splitmix(seed_, o / 8) >> (8 * (o % 8)));
  return at;
}

double drawn(std::string_view text, std::uint64_t ordinal) {
  return static_cast<double>(splitmix(fnv1a(text), ~ordinal) >> 11) / 9007199254740992.0;
}

}  // namespace gateway
