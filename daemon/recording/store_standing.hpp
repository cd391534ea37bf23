// Whether our store is worth trying. While it refuses us, or fails again and again, recordings wait
// together, and one at a time finds out whether it is back.
#pragma once

#include <chrono>
#include <string>

#include "io/backoff.hpp"
#include "recording/object_store.hpp"

namespace cc {

class StoreStanding {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void well();
  void failed(const StoreProblem& problem, Time now);

  /// How many may be begun while the store is being asked for so many: what still waits for its
  /// channel finds nothing out.
  std::size_t allows(std::size_t wanted, std::size_t asked, Time now) const;

  bool down() const noexcept { return down_; }
  const std::string& problem() const noexcept { return problem_; }  // of the last failure

 private:
  Backoff pauses_{std::chrono::seconds{5}, std::chrono::minutes{5}};
  Time until_{};
  std::string problem_;
  int failures_ = 0;  // in a row
  bool down_ = false;
};

}  // namespace cc
