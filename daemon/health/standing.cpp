#include "health/standing.hpp"

#include <algorithm>

namespace cc {
namespace {

constexpr std::string_view standings_sql =
    "SELECT channel, breaker, since, why, open_ms, next_trial, by_finals, trials, trial_at, "
    "silent, "
    "silent_why, silent_ms, silent_next, silent_over, signing, signing_why, event_p50, event_p99, "
    "missing, "
    "enabled, forced, priority, weight FROM channel_health";

Breaker::Phase phase_of(std::string_view text) {
  if (text == "open") return Breaker::Phase::open;
  if (text == "half_open") return Breaker::Phase::half_open;
  return Breaker::Phase::closed;
}

std::optional<int> opt_int(const pg::Rows& rows, std::size_t row, std::string_view column) {
  const auto value = rows.opt_integer(row, column);
  if (!value) return std::nullopt;
  return static_cast<int>(*value);
}

}  // namespace

std::string_view to_text(Standing standing) noexcept {
  switch (standing) {
    case Standing::whole:
      return "whole";
    case Standing::trial:
      return "trial";
    case Standing::degraded:
      return "degraded";
    case Standing::out:
      return "out";
    case Standing::shut:
      return "shut";
  }
  return "whole";
}

Standing ChannelState::standing() const noexcept {
  if (forced == "open") return Standing::shut;
  if (forced == "closed") return Standing::whole;
  switch (breaker.phase) {
    case Breaker::Phase::open:
      return Standing::out;
    case Breaker::Phase::half_open:
      return breaker.trials > 0 ? Standing::trial : Standing::out;
    case Breaker::Phase::closed:
      break;
  }
  if (signing_since_ms) return Standing::degraded;
  if (silence.since_ms) return breaker.trials > 0 ? Standing::trial : Standing::degraded;
  return Standing::whole;
}

std::string_view ChannelState::word(const ChannelConfig& config) const noexcept {
  if (!enabled_with(config)) return "disabled";
  if (forced == "open") return "forced_open";
  if (forced == "closed") return "forced_closed";
  if (breaker.phase != Breaker::Phase::closed) return to_text(breaker.phase);
  if (silence.since_ms || signing_since_ms) return "degraded";
  return "closed";
}

std::string ChannelState::why() const {
  if (forced == "open") return "an operator closed it to calls";
  if (forced == "closed") return {};
  std::string all;
  const auto add = [&](const std::string& text) {
    if (!text.empty()) all += (all.empty() ? "" : "; ") + text;
  };
  if (breaker.phase != Breaker::Phase::closed) add(breaker.why);
  if (silence.since_ms) add(silence.why);
  if (signing_since_ms) add(signing_why);
  return all;
}

pg::Statement ask_standings() {
  return {standings_sql};
}

ChannelStates standings_from_rows(const pg::Rows& rows) {
  ChannelStates states;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    ChannelState state;
    Breaker& breaker = state.breaker;
    breaker.phase = phase_of(rows.text(row, "breaker"));
    breaker.since_ms = rows.integer(row, "since");
    breaker.why = rows.opt_text(row, "why").value_or("");
    breaker.open_ms = rows.integer(row, "open_ms");
    breaker.next_trial_ms = rows.opt_integer(row, "next_trial").value_or(0);
    breaker.by_finals = rows.boolean(row, "by_finals");
    breaker.trials = static_cast<int>(rows.integer(row, "trials"));
    breaker.trial_at_ms = rows.opt_integer(row, "trial_at").value_or(0);
    CallbackSilence& silence = state.silence;
    silence.since_ms = rows.opt_integer(row, "silent");
    silence.why = rows.opt_text(row, "silent_why").value_or("");
    silence.pause_ms = rows.integer(row, "silent_ms");
    silence.next_trial_ms = rows.opt_integer(row, "silent_next").value_or(0);
    silence.over_ms = rows.integer(row, "silent_over");
    silence.p50_ms = rows.opt_integer(row, "event_p50");
    silence.p99_ms = rows.opt_integer(row, "event_p99");
    silence.missing = rows.integer(row, "missing");
    state.signing_since_ms = rows.opt_integer(row, "signing");
    state.signing_why = rows.opt_text(row, "signing_why").value_or("");
    if (!rows.is_null(row, "enabled")) state.enabled = rows.boolean(row, "enabled");
    state.forced = rows.opt_text(row, "forced");
    state.priority = opt_int(rows, row, "priority");
    state.weight = opt_int(rows, row, "weight");
    states.emplace(rows.text(row, "channel"), std::move(state));
  }
  return states;
}

std::vector<ChannelView> views_for(const Config& config, const std::string& tenant,
                                   const ChannelStates& states) {
  std::vector<ChannelView> views;
  const auto found = config.tenants.find(tenant);
  if (found == config.tenants.end()) return views;
  const std::vector<std::string>& allowed = found->second.channels;
  static const ChannelState unknown;
  for (const auto& [code, channel] : config.channels) {
    if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), code) == allowed.end()) {
      continue;
    }
    const auto at = states.find(code);
    const ChannelState& state = at == states.end() ? unknown : at->second;
    // One that is off by configuration does not exist for calls; one that an operator switched off
    // is closed for now.
    if (!state.enabled_with(channel) && !state.enabled) continue;
    ChannelView view;
    view.config = &channel;
    view.standing = state.enabled_with(channel) ? state.standing() : Standing::shut;
    view.why = state.why();
    view.bad_until_ms = state.breaker.next_trial_ms;
    view.priority = state.priority.value_or(channel.priority);
    view.weight = state.weight.value_or(channel.weight);
    views.push_back(std::move(view));
  }
  return views;
}

}  // namespace cc
