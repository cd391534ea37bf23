#include "archive.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>
#include <zlib.h>

#include <openssl/evp.h>

namespace gateway {

namespace {

constexpr std::size_t piece_size = 64 * 1024;

// The bytes of one file as they stand in the archive.
class Packed {
 public:
  Packed(Audio const& audio, bool deflated) : audio_(audio), deflated_(deflated) {
    // Raw deflate, as ZIP has it.
    if (deflated_ && deflateInit2(&z_, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::runtime_error("zlib can't begin");
  }
  ~Packed() {
    if (deflated_) deflateEnd(&z_);
  }
  Packed(Packed const&) = delete;
  Packed& operator=(Packed const&) = delete;

  std::size_t read(std::span<unsigned char> into) {
    if (!deflated_) return take(into);
    z_.next_out = into.data();
    z_.avail_out = static_cast<unsigned int>(into.size());
    while (z_.avail_out > 0 && !ended_) {
      if (z_.avail_in == 0) {
        z_.avail_in = static_cast<unsigned int>(take(raw_));
        z_.next_in = raw_.data();
      }
      ended_ = deflate(&z_, z_.avail_in == 0 ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_END;
    }
    return into.size() - z_.avail_out;
  }
  std::uint32_t crc() const { return crc_; }  // of what was read of the file

 private:
  std::size_t take(std::span<unsigned char> into) {
    auto const count = audio_.read(at_, into);
    at_ += count;
    crc_ = static_cast<std::uint32_t>(crc32(crc_, into.data(), static_cast<unsigned int>(count)));
    return count;
  }

  Audio const& audio_;
  bool deflated_;
  bool ended_ = false;
  std::uint64_t at_ = 0;
  std::uint32_t crc_ = 0;
  z_stream z_{};
  std::vector<unsigned char> raw_ = std::vector<unsigned char>(16 * 1024);
};

struct Entry {
  Audio audio;
  bool deflated;
  std::uint32_t crc = 0;
  std::uint64_t packed = 0;
  std::string before{};  // its local header
  std::string behind{};  // its descriptor
};

void measure(Entry& entry) {
  Packed packed(entry.audio, entry.deflated);
  std::vector<unsigned char> piece(piece_size);
  while (auto const count = packed.read(piece)) entry.packed += count;
  entry.crc = packed.crc();
}

class Zip : public Body {
 public:
  Zip(std::vector<Audio> files, Packing packing, bool descriptors) {
    std::string directory;
    std::uint64_t at = 0;
    for (auto& audio : files) {
      bool const odd = entries_.size() % 2 == 0;
      Entry entry{std::move(audio),
                  packing == Packing::deflated || (packing == Packing::mixed && odd)};
      measure(entry);
      auto const& name = entry.audio.name();
      auto const sums =
          little(entry.crc, 4) + little(entry.packed, 4) + little(entry.audio.size(), 4);
      auto const about = little(20, 2) + little(descriptors ? 8 : 0, 2) +
                         little(entry.deflated ? 8 : 0, 2) + little(0x9840, 2) + little(0x4959, 2);
      entry.before = "PK\3\4" + about + (descriptors ? std::string(12, '\0') : sums) +
                     little(name.size(), 2) + little(0, 2) + name;
      if (descriptors) entry.behind = "PK\7\10" + sums;
      directory += "PK\1\2" + little(20, 2) + about + sums + little(name.size(), 2) +
                   std::string(12, '\0') + little(at, 4) + name;
      at += entry.before.size() + entry.packed + entry.behind.size();
      entries_.push_back(std::move(entry));
    }
    end_ = directory + "PK\5\6" + std::string(4, '\0') + little(entries_.size(), 2) +
           little(entries_.size(), 2) + little(directory.size(), 4) + little(at, 4) + little(0, 2);
    size_ = at + end_.size();
    begin();
  }

  std::uint64_t size() const override { return size_; }

  std::size_t read(std::span<unsigned char> into) override {
    for (;;) {
      if (auto const count = std::min(text_.size() - at_, into.size())) {
        std::copy_n(text_.data() + at_, count, into.data());
        at_ += count;
        return count;
      }
      if (packed_) {
        if (auto const count = packed_->read(into)) return count;
        packed_.reset();
        say(entries_[next_++].behind);
      } else if (next_ == entries_.size() || over_) {
        return 0;
      } else {
        packed_ = std::make_unique<Packed>(entries_[next_].audio, entries_[next_].deflated);
        continue;
      }
      if (next_ == entries_.size()) {
        text_ += end_;
        over_ = true;
      } else {
        text_ += entries_[next_].before;
      }
    }
  }

 private:
  void say(std::string text) {
    text_ = std::move(text);
    at_ = 0;
  }
  void begin() {
    over_ = entries_.empty();
    say(over_ ? end_ : entries_.front().before);
  }

  std::vector<Entry> entries_;
  std::string end_;
  std::uint64_t size_ = 0;
  std::string text_;  // what comes before the next file's bytes
  std::size_t at_ = 0;
  std::size_t next_ = 0;
  std::unique_ptr<Packed> packed_;
  bool over_ = false;
};

class Wav : public Body {
 public:
  explicit Wav(Audio audio) : audio_(std::move(audio)) {}
  std::uint64_t size() const override { return audio_.size(); }
  std::size_t read(std::span<unsigned char> into) override {
    auto const count = audio_.read(at_, into);
    at_ += count;
    return count;
  }

 private:
  Audio audio_;
  std::uint64_t at_ = 0;
};

}  // namespace

std::unique_ptr<Body> wav_body(Audio audio) {
  return std::make_unique<Wav>(std::move(audio));
}

std::unique_ptr<Body> zip_body(std::vector<Audio> files, Packing packing, bool descriptors) {
  return std::make_unique<Zip>(std::move(files), packing, descriptors);
}

std::string md5_of(Body& body) {
  auto const context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_md5(), nullptr);
  std::vector<unsigned char> piece(piece_size);
  while (auto const count = body.read(piece)) EVP_DigestUpdate(context, piece.data(), count);
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

}  // namespace gateway
