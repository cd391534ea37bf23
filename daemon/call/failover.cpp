#include "call/failover.hpp"

namespace cc {

Failover after_failure(const FailedAttempt& failed, bool names_agent, bool names_channel,
                       std::int64_t created_ms, std::int64_t now_ms) {
  Failover decision;
  const auto seconds = std::to_string(attempt_window_ms / 1000);
  if (!failed.refused) {
    decision.reason = "it may have rung";
  } else if (!failed.never_dialled) {
    decision.reason = "the channel refused the call itself, not its own service";
  } else if (failed.hangup_asked) {
    decision.reason = "it was hung up meanwhile";
  } else if (!failed.ours) {
    decision.reason = "the refusal came too late to decide by it";
  } else if (names_agent) {
    decision.reason = "the request names the agent";
  } else if (names_channel && !failed.line_fault) {
    decision.reason = "the request names the channel";
  } else if (failed.attempt >= most_attempts) {
    decision.reason = "there have been " + std::to_string(most_attempts) + " attempts";
  } else if (now_ms - created_ms >= attempt_window_ms) {
    decision.reason = seconds + " s have passed";
  }
  if (!decision.reason.empty()) return decision;
  decision.next = true;
  decision.same_channel = failed.line_fault;
  decision.other_channel = !names_channel;
  decision.reason = "attempt " + std::to_string(failed.attempt) + " at " + failed.channel +
                    " never rang (" + failed.words + ")";
  return decision;
}

}  // namespace cc
