// The service over a database of its own, at a time that stands still until it is moved.
#pragma once

#include "agent/agent_service.hpp"
#include "agents_config.hpp"
#include "store_fixture.hpp"

namespace cc::test {

struct MovedClock final : Clock {
  std::int64_t epoch_ms() const override { return at_ms; }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::now();
  }
  asio::awaitable<void> sleep_for(Millis) override { co_return; }
  std::int64_t at_ms = now_ms;
};

struct AgentFixture : StoreFixture {
  /// A call on a line, in progress.
  void occupy(const std::string& line, std::int64_t call, const std::string& tenant = "acme",
              const std::string& release_at = "NULL") {
    const std::string id = std::to_string(call);
    sql("INSERT INTO call_attempt (call, attempt, tenant, channel, agent, state, created) VALUES "
        "(" +
        id + ", 1, '" + tenant +
        "', 'x', 'x', 'accepted', 1); "
        "INSERT INTO claim (kind, resource, call, attempt, taken, release_at) VALUES ('line', '" +
        line + "', " + id + ", 1, 1, " + release_at + ")");
  }

  /// One agent's columns, as psql prints them.
  std::string row(const std::string& agent, const std::string& columns) {
    return sql("SELECT " + columns + " FROM agent WHERE agent = '" + agent + "'");
  }

  Config config = agents_config();
  Vault vault{config.agents.key};
  MovedClock moved;
  AgentService service{config, *pool, moved, vault};
};

}  // namespace cc::test
