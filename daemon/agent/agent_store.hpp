// The table agent as applications and operators change it. What its owner notes there (actual,
// reason, session) is the poller's.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agent/agent_check.hpp"
#include "io/pg.hpp"
#include "vault.hpp"

namespace cc {

enum class AgentChange { created, changed, same };
using AgentOutcome = std::variant<AgentChange, AgentRefusal>;

/// What orders would come to; one outcome each. Locks the agents' rows and writes nothing. A line
/// may stand in `orders` only once. All of these throw pg::Failure.
asio::awaitable<std::vector<AgentOutcome>> plan_agents(pg::Transaction& transaction,
                                                       const Vault& vault,
                                                       std::vector<AgentOrder> orders,
                                                       std::int64_t now_ms);

/// Carries out those that are not refused. An agent that is as it should be already is not touched,
/// unless it is refused or failing: then its owner tries again.
asio::awaitable<std::vector<AgentOutcome>> write_agents(pg::Transaction& transaction,
                                                        const Vault& vault,
                                                        std::vector<AgentOrder> orders,
                                                        std::int64_t now_ms);

/// Nothing = it is gone, or will be once its owner has signed it out.
asio::awaitable<std::optional<AgentRefusal>> remove_agent(pg::Transaction& transaction,
                                                          std::string tenant, std::string channel,
                                                          std::string agent, std::int64_t now_ms);

/// `tenant` absent = any's. Neither shows what is deleted.
pg::Statement find_agent(const OptText& tenant, const std::string& channel,
                         const std::string& agent, std::int64_t now_ms);
pg::Statement list_agents(const OptText& tenant, const AgentFilter& filter, std::int64_t now_ms);
std::vector<Agent> agents_from_rows(const pg::Rows& rows);

/// Those of refused and failing agents that their owners shall try again now. Absent = all.
struct AgentRetry {
  OptText tenant, channel, agent;
  bool failing = true;  // false: only refused ones
};
/// The rows affected tell how many there were.
pg::Statement retry_agents(const AgentRetry& which, std::int64_t now_ms);

}  // namespace cc
