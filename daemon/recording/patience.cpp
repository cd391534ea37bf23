#include "recording/patience.hpp"

#include <algorithm>

#include "phone.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr int least_tries = 3;  // before "no such file" is believed of a call that ended long ago
constexpr Millis usual_alarm{24LL * 3'600'000};  // where nobody knows how long files are kept
constexpr std::size_t problem_width = 240;
constexpr Millis::rep second = 1000, hour = 3600 * second, day = 24 * hour;

}  // namespace

std::optional<std::string> give_up(TryTrouble end, const TryState& state,
                                   const ChannelRecordings& channel, Millis absent_after,
                                   std::int64_t now_ms) {
  const Millis age{std::max<std::int64_t>(0, now_ms - state.closed_ms)};
  if (end == TryTrouble::none && state.tries >= least_tries &&
      age >= channel.ready_after + absent_after) {
    return "the channel has had no such file for " + duration_text(absent_after);
  }
  if (channel.kept > Millis{0} && age >= channel.kept) {
    return "could not be fetched before the channel deleted it: " + state.problem;
  }
  if (age >= std::max(usually_kept, channel.kept)) {
    return "could not be fetched within " + duration_text(usually_kept) + ": " + state.problem;
  }
  return std::nullopt;
}

Millis longest_pause_after(int tries, Millis first, Millis longest) noexcept {
  Millis pause = std::min(first, longest);
  for (int i = 1; i < tries && pause < longest; ++i) pause = std::min(pause * 2, longest);
  return pause;
}

std::string duration_text(Millis duration) {
  const Millis::rep ms = duration.count();
  if (ms >= 2 * day && ms % day == 0) return std::to_string(ms / day) + " days";
  if (ms >= hour && ms % hour == 0) return std::to_string(ms / hour) + " h";
  return std::to_string(ms / second) + " s";
}

std::string tellable_problem(std::string_view problem) {
  bool cut = false;
  return mask_numbers_in(cut_to_width(repair_utf8(problem), problem_width, cut));
}

Millis alarming_age(const ChannelRecordings& channel) noexcept {
  return channel.kept > Millis{0} ? channel.kept / 2 : usual_alarm;
}

}  // namespace cc
