#include "health/channel_watch.hpp"

#include <utility>

namespace cc {
namespace {

Grade grade_of(Standing standing) noexcept {
  switch (standing) {
    case Standing::whole:
      return Grade::ok;
    case Standing::out:
      return Grade::failing;
    case Standing::trial:
    case Standing::degraded:
    case Standing::shut:  // somebody's decision, but not to be forgotten
      break;
  }
  return Grade::degraded;
}

}  // namespace

asio::awaitable<void> ChannelWatch::look() {
  pg::Statement ask = ask_standings();
  const pg::Rows rows = co_await pool_.query(ask.sql, std::move(ask.params));
  states_ = standings_from_rows(rows);
}

std::vector<PartHealth> ChannelWatch::parts() const {
  std::vector<PartHealth> parts;
  for (const auto& [code, channel] : config_.channels) {
    PartHealth part{"channel " + code, true, {}};
    const auto found = states_.find(code);
    const ChannelState state = found == states_.end() ? ChannelState() : found->second;
    const std::string why = state.why();
    part.says = state.word(channel);
    if (state.enabled_with(channel)) {
      part.grade = grade_of(state.standing());
      if (part.grade == Grade::ok) part.says = "whole";
      if (!why.empty()) part.says += ": " + why;
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace cc
