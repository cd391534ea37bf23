#include "poller/admission.hpp"

#include <algorithm>

namespace cc {
namespace {

constexpr Millis look_again{250};

}  // namespace

asio::awaitable<bool> Admission::enter(std::string channel, unsigned a_second,
                                       const bool& given_up) {
  using namespace std::chrono;
  const microseconds spacing{1'000'000 / std::max(a_second, 1U)};
  // Somewhere in its slot, so that daemons which begin together do not knock in step.
  const microseconds jitter{
      std::uniform_int_distribution<std::int64_t>(0, spacing.count())(random_)};
  auto& next = next_[channel];
  const auto turn = std::max(next, clock_.steady());
  next = turn + spacing;
  while (!given_up) {
    const auto left = ceil<Millis>(turn + jitter - clock_.steady());
    if (left > Millis{0}) {
      co_await clock_.sleep_for(std::min(left, Millis{1000}));
    } else if (membership_.confirmed()) {
      co_return true;
    } else {
      co_await clock_.sleep_for(look_again);
    }
  }
  co_return false;
}

}  // namespace cc
