#include "sound.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include <openssl/evp.h>

namespace jiuyun {

namespace {

// MPEG 1 layer III, 128 kbit/s, 44.1 kHz, joint stereo: header, 32 bytes of side information, and
// data that nothing in the side information lays claim to.
constexpr std::uint64_t frame = 417;
constexpr std::uint64_t head = 4;
constexpr std::uint64_t side = 32;
constexpr std::array<unsigned char, head> header{0xff, 0xfb, 0x90, 0x64};

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

void fill(std::uint64_t seed, std::uint64_t offset, std::span<unsigned char> into) {
  for (std::size_t at = 0; at < into.size();) {
    auto const word = splitmix(seed, offset / 8);
    do {
      into[at++] = static_cast<unsigned char>(word >> (8 * (offset % 8)));
    } while (++offset % 8 != 0 && at < into.size());
  }
}

}  // namespace

Sound Sound::silence(int frames) {
  Sound sound;
  sound.size_ = frame * static_cast<std::uint64_t>(frames);
  return sound;
}

Sound Sound::of_call(std::string_view call_id, std::uint64_t bytes) {
  Sound sound;
  sound.size_ = bytes;
  sound.seed_ = fnv1a(call_id);
  sound.random_ = true;
  return sound;
}

std::size_t Sound::read(std::uint64_t offset, std::span<unsigned char> into) const {
  if (offset >= size_) return 0;
  auto const count = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - offset));
  auto const out = into.first(count);
  if (random_)
    fill(seed_, offset, out);
  else
    std::ranges::fill(out, static_cast<unsigned char>(0));
  // Each frame's beginning over it.
  for (auto start = offset - offset % frame; start < offset + count; start += frame)
    for (std::uint64_t i = 0; i < head + side; ++i)
      if (start + i >= offset && start + i < offset + count)
        out[static_cast<std::size_t>(start + i - offset)] = i < head ? header[i] : 0;
  return count;
}

std::string Sound::md5() const {
  auto const context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_md5(), nullptr);
  std::vector<unsigned char> piece(256 * 1024);
  for (std::uint64_t at = 0; at < size_;) {
    auto const count = read(at, piece);
    EVP_DigestUpdate(context, piece.data(), count);
    at += count;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  EVP_DigestFinal_ex(context, digest.data(), &length);
  EVP_MD_CTX_free(context);
  std::string out;
  for (unsigned int i = 0; i < length; ++i) {
    constexpr char digits[] = "0123456789abcdef";
    out += digits[digest[i] >> 4];
    out += digits[digest[i] & 15];
  }
  return out;
}

double drawn(std::string_view call_id, std::uint64_t ordinal) {
  return static_cast<double>(splitmix(fnv1a(call_id), ~ordinal) >> 11) / 9007199254740992.0;
}

}  // namespace jiuyun
