// How long events lay ready before they were handed out: a histogram with about 3 % of error.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "clock.hpp"

namespace gateway {

class Latency {
 public:
  void add(Steady::duration delay) {
    auto const us = std::chrono::duration_cast<std::chrono::microseconds>(delay).count();
    auto const value = static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0));
    ++buckets_[index(value)];
    most_ = std::max(most_, value);
    ++count_;
  }

  std::int64_t count() const { return count_; }
  double most_ms() const { return static_cast<double>(most_) / 1000.0; }

  // The delay, in ms, that `share` of the events stayed below. 0 if there were none.
  double quantile_ms(double share) const {
    auto left = static_cast<std::int64_t>(share * static_cast<double>(count_));
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      left -= buckets_[i];
      if (left < 0 || (left == 0 && share >= 1.0)) return static_cast<double>(lower(i)) / 1000.0;
    }
    return most_ms();
  }

 private:
  // The first 32 values have a bucket each, then every power of two has 32.
  static std::size_t index(std::uint64_t value) {
    if (value < 32) return static_cast<std::size_t>(value);
    auto const power = static_cast<std::size_t>(std::bit_width(value)) - 6;
    return std::min<std::size_t>(32 * (power + 1) + ((value >> power) & 31), buckets - 1);
  }
  static std::uint64_t lower(std::size_t index) {
    if (index < 32) return index;
    return (32 + index % 32) << (index / 32 - 1);
  }

  static constexpr std::size_t buckets = 32 * 40;
  std::array<std::int64_t, buckets> buckets_{};
  std::int64_t count_ = 0;
  std::uint64_t most_ = 0;
};

}  // namespace gateway
