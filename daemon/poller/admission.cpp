#include "poller/admission.hpp"

#include <algorithm>

namespace cc {
namespace {

constexpr Millis look_again{250};

}  // namespace

asio::awaitable<bool> Admission::enter(std::string channel, unsigned a_second,
                                       std::function<bool()> given_up) {
  using namespace std::chrono;
  const microseconds spacing{1'000'000 / std::max(a_second, 1U)};
  while (!given_up()) {
    // Only who is confirmed queues: or all would have their turn behind them when PostgreSQL is
    // back.
    if (!confirmed()) {
      co_await clock_.sleep_for(look_again);
      continue;
    }
    auto& next = next_[channel];
    const auto turn = std::max(next, clock_.steady());
    next = turn + spacing;
    // Somewhere in its slot, so that daemons which begin together do not knock in step.
    std::uniform_int_distribution<std::int64_t> slot(0, spacing.count());
    const auto at = turn + microseconds{slot(random_)};
    while (!given_up() && clock_.steady() < at) {
      const auto left = ceil<Millis>(at - clock_.steady());
      co_await clock_.sleep_for(std::min(left, Millis{1000}));
    }
    if (!given_up() && confirmed()) co_return true;
  }
  co_return false;
}

}  // namespace cc
