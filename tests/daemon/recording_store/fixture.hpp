// What the tests of the stores share: bytes, a source of them, a clock without patience.
#pragma once

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "io/clock.hpp"
#include "loop.hpp"
#include "process.hpp"
#include "recording/byte_source.hpp"

namespace cc::test {

inline std::string some_bytes(std::size_t size, unsigned seed = 1) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random() & 0xFF);
  return bytes;
}

/// Gives `bytes` in pieces of changing size; breaks at `breaks_at`.
class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string bytes, std::size_t breaks_at = SIZE_MAX)
      : bytes_(std::move(bytes)), breaks_at_(breaks_at) {}

  asio::awaitable<std::size_t> read(char* into, std::size_t size) override {
    if (at_ >= breaks_at_) throw SourceBroken("the source broke");
    const std::size_t next = pieces_[turn_++ % pieces_.size()];
    const std::size_t got =
        std::min({size, next, bytes_.size() - at_, std::max<std::size_t>(breaks_at_ - at_, 1)});
    bytes_.copy(into, got, at_);
    at_ += got;
    co_return got;
  }

 private:
  std::string bytes_;
  std::size_t breaks_at_, at_ = 0, turn_ = 0;
  std::vector<std::size_t> pieces_{1, 70'000, 1'000, 16'384, 65'536, 300'000};
};

/// The system's time, shifted; its pauses take none and are remembered.
class HastyClock final : public Clock {
 public:
  std::int64_t epoch_ms() const override { return system_.epoch_ms() + shift_ms; }
  std::chrono::steady_clock::time_point steady() const override {
    if (on_steady) on_steady();
    return system_.steady() + std::chrono::milliseconds{shift_ms};
  }
  asio::awaitable<void> sleep_for(Millis duration) override {
    pauses.push_back(duration);
    co_return;
  }
  std::int64_t shift_ms = 0;
  std::function<void()> on_steady;
  std::vector<Millis> pauses;

 private:
  SystemClock system_;
};

}  // namespace cc::test
