// Growing pauses between tries, with full jitter so that a fleet does not knock in step.
#pragma once

#include <chrono>
#include <random>

namespace cc {

class Backoff {
 public:
  using Millis = std::chrono::milliseconds;
  Backoff(Millis first, Millis most) : first_(first), most_(most) {}

  /// The next pause: uniform in [ceiling/2, ceiling], the ceiling doubling from `first` to `most`.
  Millis next();
  void reset() noexcept { ceiling_ = Millis{0}; }

 private:
  Millis first_, most_, ceiling_{0};
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace cc
