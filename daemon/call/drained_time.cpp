#include "call/drained_time.hpp"

#include <algorithm>

namespace cc {
namespace {

// Between two judgements; longer, and nobody could look.
constexpr std::chrono::seconds longest_pause{60};

}  // namespace

std::optional<std::int64_t> DrainedTime::judge(std::int64_t drained_ms, std::int64_t now_ms,
                                               Steady now, std::chrono::milliseconds standstill) {
  if (drained_ms != last_ms_) {
    last_ms_ = drained_ms;
    moved_ = now;
  } else if (now - judged_ > longest_pause) {
    moved_ += now - judged_;
  }
  judged_ = now;
  standing_ = std::chrono::duration_cast<std::chrono::milliseconds>(now - moved_);
  gone_on_ = standing_ >= standstill;
  if (gone_on_) return std::max(drained_ms, now_ms - standstill.count());
  if (drained_ms == 0) return std::nullopt;
  return drained_ms;
}

}  // namespace cc
