// What can be said of an agent that somebody wishes for before PostgreSQL is asked. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/agents.hpp"
#include "config.hpp"

namespace cc {

/// Of these kinds the line is a phone, so that it is its own handset and nobody signs it in. Of the
/// others the line has a session, a handset and a password.
bool line_is_phone(const ChannelConfig& channel) noexcept;

/// The channel, if it is configured and the tenant may use it; else null.
const ChannelConfig* allowed_channel(const Config& config, const std::string& code,
                                     const Tenant& tenant);

/// Whether it can be the number of a line with a session: 101 to 999999.
bool is_seat(std::string_view agent) noexcept;

/// A wish that is right in itself: agent and handset are in their stored form.
struct AgentOrder {
  AgentWish wish;
  bool signs_in = false;  // the line has a session
};

struct CheckedAgent {
  AgentOrder order;                    // only to be used where there are no refusals
  std::vector<AgentRefusal> refusals;  // all that is wrong
};

CheckedAgent check_agent(const Config& config, AgentWish wish);

/// How `agent` is stored, for looking it up: "+86 139…" is found too. What can be no line of the
/// channel comes back as it is.
std::string stored_agent(const Config& config, std::string_view channel, const std::string& agent);

/// "hw/291", "e9/139****0001": fit for logs and details.
std::string shown_line(std::string_view channel, std::string_view agent);

}  // namespace cc
