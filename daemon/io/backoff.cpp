#include "backoff.hpp"

#include <algorithm>

namespace cc {

Backoff::Millis Backoff::next() {
  ceiling_ = ceiling_ == Millis{0} ? std::min(first_, most_) : std::min(ceiling_ * 2, most_);
  std::uniform_int_distribution<Millis::rep> pause(ceiling_.count() / 2, ceiling_.count());
  return Millis{pause(random_)};
}

}  // namespace cc
