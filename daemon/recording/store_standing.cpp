#include "recording/store_standing.hpp"

#include "recording/patience.hpp"

namespace cc {
namespace {

constexpr int most_failures = 8;  // in a row, that may be single recordings' bad luck

}  // namespace

void StoreStanding::well() {
  failures_ = 0;
  down_ = false;
  pauses_.reset();
}

void StoreStanding::failed(const StoreProblem& problem, Time now) {
  problem_ = tellable_problem(problem.code + ": " + problem.message);
  if (!problem.refused && ++failures_ < most_failures) return;
  // What was begun before the pause says nothing new.
  if (down_ && now < until_) return;
  down_ = true;
  until_ = now + pauses_.next();
}

std::size_t StoreStanding::allows(std::size_t wanted, std::size_t asked, Time now) const {
  if (!down_) return wanted;
  return now < until_ || asked > 0 ? 0 : std::min<std::size_t>(wanted, 1);
}

}  // namespace cc
