// How a channel stands when a call looks for one: its breaker, its degradations and what operators
// have set, in one word (rules.md, "Health").
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config.hpp"
#include "health/breaker.hpp"
#include "health/callback_silence.hpp"
#include "io/pg.hpp"

namespace cc {

/// From best to worst; `shut` is never tried, not even if nothing else is there.
enum class Standing : std::uint8_t {
  whole,
  trial,     // not whole, but the next call may be tried
  degraded,  // taken where none is whole
  out,       // taken where nothing else is left
  shut,      // an operator forced it open
};

std::string_view to_text(Standing standing) noexcept;

/// All that is known of a channel; what channel_health has of it.
struct ChannelState {
  Breaker breaker;
  CallbackSilence silence;
  std::optional<std::int64_t> signing_since_ms;  // sign-ins fail
  std::string signing_why;
  // Set by operators; absent = as configured.
  std::optional<bool> enabled;
  std::optional<std::string> forced;  // open, closed
  std::optional<int> priority, weight;

  bool enabled_with(const ChannelConfig& config) const { return enabled.value_or(config.enabled); }
  Standing standing() const noexcept;
  /// "closed", "open", "half_open", "forced_open", "forced_closed", "degraded", "disabled".
  std::string_view word(const ChannelConfig& config) const noexcept;
  /// Why it is not whole, in words; empty where it is.
  std::string why() const;
};

using ChannelStates = std::map<std::string, ChannelState, std::less<>>;

/// Asks for all channels' states.
pg::Statement ask_standings();
ChannelStates standings_from_rows(const pg::Rows& rows);

/// A channel as a call sees it that looks for a line.
struct ChannelView {
  const ChannelConfig* config = nullptr;
  Standing standing = Standing::whole;
  std::string why;                // it is not whole
  std::int64_t bad_until_ms = 0;  // `out`: when its next trial is due
  int priority = 100, weight = 1;
};

/// The channels that are enabled and allowed to the tenant, by code. A channel of no known state is
/// whole.
std::vector<ChannelView> views_for(const Config& config, const std::string& tenant,
                                   const ChannelStates& states);

}  // namespace cc
