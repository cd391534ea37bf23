// The agents noun over PostgreSQL.
#pragma once

#include "agent/agents.hpp"
#include "parts.hpp"
#include "vault.hpp"

namespace cc {

class AgentService final : public Agents {
 public:
  /// All of them must outlive it.
  AgentService(const Parts& parts, const Vault& vault)
      : AgentService(parts.config, parts.pool, parts.clock, vault) {}
  AgentService(const Config& config, pg::Pool& pool, const Clock& clock, const Vault& vault)
      : config_(config), pool_(pool), clock_(clock), vault_(vault) {}

  asio::awaitable<std::variant<Put, AgentRefusal>> put(AgentWish wish) override;
  asio::awaitable<std::optional<Agent>> get(std::string tenant, std::string channel,
                                            std::string agent) override;
  asio::awaitable<std::vector<Agent>> list(std::string tenant, AgentFilter filter) override;
  asio::awaitable<std::optional<AgentRefusal>> remove(std::string tenant, std::string channel,
                                                      std::string agent) override;
  asio::awaitable<std::variant<Agent, AgentRefusal>> retry(std::string tenant, std::string channel,
                                                           std::string agent) override;
  asio::awaitable<std::variant<Release, AgentRefusal>> release(ReleaseOrder order) override;

 private:
  const Config& config_;  // a reload changes it in place
  pg::Pool& pool_;
  const Clock& clock_;
  const Vault& vault_;
};

}  // namespace cc
